"""The body of a request, piece by piece."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Sequence
from typing import Any

import pytest

from location_policy.web.edge import request_body as bodies
from location_policy.web.edge.request_body import Refused, read_body

Message = dict[str, Any]
LEFT: Message = {"type": "http.disconnect"}


def pieces(*contents: bytes) -> list[Message]:
    """A body that comes in these pieces."""
    messages = [{"type": "http.request", "body": content, "more_body": True} for content in contents]
    return [*messages, {"type": "http.request"}]


def read(messages: Sequence[Message], encoding: bytes = b"", limit: int = 100) -> bytes:
    """What a reader gets of a body; a message that is not there does not come."""
    waiting = list(messages)

    async def receive() -> Message:
        if not waiting:
            await asyncio.sleep(60)
        return waiting.pop(0)

    async def collect() -> bytes:
        return b"".join([piece async for piece in read_body(receive, encoding, limit)])

    return asyncio.run(collect())


@pytest.mark.parametrize("encoding", [b"", b"identity"])
def test_a_body_comes_as_it_was_sent(encoding: bytes) -> None:
    assert read(pieces(b"ab", b"", b"c"), encoding) == b"abc"


@pytest.mark.parametrize("encoding", [b"gzip", b"x-gzip", b"GZip"])
def test_a_packed_body_is_unpacked_however_it_was_cut(encoding: bytes) -> None:
    packed = gzip.compress(b"abc" * 100_000)
    assert read(pieces(*(packed[i : i + 1] for i in range(len(packed)))), encoding, 300_000) == b"abc" * 100_000


@pytest.mark.parametrize(
    ("messages", "encoding", "status"),
    [
        (pieces(b"x" * 60, b"x" * 41), b"", 413),
        (pieces(gzip.compress(bytes(101))), b"gzip", 413),
        (pieces(gzip.compress(b"", compresslevel=0), bytes(101)), b"gzip", 413),
        (pieces(b"no gzip"), b"gzip", 400),
        (pieces(gzip.compress(b"abc")[:-1]), b"gzip", 400),
        (pieces(gzip.compress(b"abc"), b"more"), b"gzip", 400),
        (pieces(), b"gzip", 400),
        ([pieces(b"a")[0], LEFT], b"", 400),
        (pieces(b"abc"), b"deflate", 415),
    ],
)
def test_what_cannot_be_taken_has_a_status(messages: list[Message], encoding: bytes, status: int) -> None:
    with pytest.raises(Refused) as caught:
        read(messages, encoding)
    assert caught.value.status == status


def test_who_sends_nothing_or_too_little_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "PATIENCE", 0.1)
    for messages in ([], pieces(b"a", b"b", b"c")[:-1]):
        with pytest.raises(Refused, match=r"too little has come in 0\.1 seconds") as caught:
            read(messages)
        assert caught.value.status == 408


def test_who_sends_enough_is_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "ENOUGH", 3)
    assert read(pieces(b"abcd", b"ef")) == b"abcdef"


def test_what_unpacks_to_much_lets_others_go_on_between_its_pieces() -> None:
    packed, turns = gzip.compress(bytes(100 * bodies.PIECE)), 0

    async def receive() -> Message:
        return {"type": "http.request", "body": packed}

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def collect() -> int:
        other = asyncio.ensure_future(count())
        size = sum([len(piece) async for piece in read_body(receive, b"gzip", 200 * bodies.PIECE)])
        other.cancel()
        return size

    assert asyncio.run(collect()) == 100 * bodies.PIECE
    assert turns >= 100
