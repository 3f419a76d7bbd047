"""The body of a request, read as it comes: bounded in size and in how long nothing comes, and unpacked."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator

from starlette.types import Receive

PATIENCE = 30.0
"""Seconds that are waited for `ENOUGH` bytes, or for the end: who sends less would hold a place from others."""
ENOUGH = 32_768
PIECE = 65_536
"""Bytes that are unpacked at once: a small body may unpack to a thousand times its size."""
GZIP = (b"gzip", b"x-gzip")
PLAIN = (b"", b"identity")


class Refused(Exception):
    """A request that is not answered, and the HTTP status that says so."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def read_body(receive: Receive, encoding: bytes, limit: int) -> AsyncIterator[bytes]:
    """Pieces of the body, unpacked if its encoding is gzip; raises Refused beyond `limit` bytes, packed or not."""
    pieces = _bounded(_read(receive), limit)
    if encoding.lower() in PLAIN:
        return pieces
    if encoding.lower() in GZIP:
        return _bounded(_unpack(pieces), limit)
    raise Refused(415, "the Content-Encoding is not gzip")


async def drop_body(receive: Receive, limit: int) -> None:
    """Read what is left of a body, and throw it away; raises Refused beyond `limit` bytes."""
    async for _ in _bounded(_read(receive), limit):
        pass


def too_large(limit: int) -> Refused:
    """More than `limit` bytes are not taken."""
    return Refused(413, f"the request is too large: {limit:,} bytes are taken")


async def _read(receive: Receive) -> AsyncIterator[bytes]:
    """Pieces as they come; the time that their reader takes for them is not the client's."""
    loop, patience, wanted = asyncio.get_running_loop(), PATIENCE, ENOUGH
    is_ended = False
    while not is_ended:
        began = loop.time()
        try:
            async with asyncio.timeout(patience):
                message = await receive()
        except TimeoutError:
            raise Refused(408, f"too little has come in {PATIENCE:g} seconds") from None
        if message["type"] == "http.disconnect":
            raise Refused(400, "the client has left in the middle")
        piece, is_ended = message.get("body", b""), not message.get("more_body", False)
        patience, wanted = patience - (loop.time() - began), wanted - len(piece)
        if wanted <= 0:
            patience, wanted = PATIENCE, ENOUGH
        if piece:
            yield piece


async def _bounded(pieces: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    left = limit
    async for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise too_large(limit)
        yield piece


async def _unpack(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """RFC 1952, one member."""
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        async for piece in pieces:
            rest = piece
            while rest and not unpacker.eof:
                if unpacked := unpacker.decompress(rest, PIECE):
                    yield unpacked
                    await asyncio.sleep(0)  # a piece that has come unpacks to many: other clients are answered between
                rest = unpacker.unconsumed_tail
            if rest or unpacker.unused_data:
                raise Refused(400, "there is more than gzip in the body")
    except zlib.error:
        raise Refused(400, "the body is not gzip") from None
    if not unpacker.eof:
        raise Refused(400, "the body is not whole gzip")
