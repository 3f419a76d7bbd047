"""What one client may take from all others: bytes, time and connections.

uvicorn's protocol, with bounds. A request has a time from its first byte to its last, a connection the same time from
its start to the end of its first request. Headers have a size, and bodies; it is counted in pieces of `PIECE` bytes. A
body that the application reads is the application's to bound, until it has answered. Who goes beyond is told, once the
answers before it are sent, in JSON with a `status` that a node reads as "no opinion".

A connection that is closed while bytes still come loses the answer on its way (RFC 9112, 9.6): they are thrown away
for a moment first. One whose client reads nothing is cut, since a close would wait for it without end.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Collection
from contextlib import suppress
from typing import Any, ClassVar

import httptools
from uvicorn._types import ASGI3Application, ASGISendCallable
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from .connection_places import ConnectionPlaces
from .options import LIMITS, Limits
from .timeouts import TimedProtocol
from .unread import ASKER

_NAMES = {
    400: "bad.request",
    408: "request.timeout",
    414: "uri.too.long",
    431: "request.header.fields.too.large",
    503: "service.unavailable",
}

PIECE = 2048
BODY_BYTES = 65_536
"""A larger body that no route reads ends the connection; smaller ones are passed over to find the next request."""
CLOSE = (b"connection", b"close")
"""The header of the last answer of a connection."""
LINGER = 1.0
"""Seconds in which a refused client can read why."""
QUIET = 60.0
"""Seconds between two lines in the log that say that there are too many connections."""

_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#]*@)?([^/?#]+)(/?)")
"""What a target in absolute form has before its path and query: the host that is asked is in it."""

log = logging.getLogger(__name__)


class WrongHead(Exception):
    """A request that the parser takes, and we do not."""


class LimitedProtocol(TimedProtocol):
    """One connection, kept within `limits`."""

    limits: ClassVar[Limits] = LIMITS
    places: ClassVar[ConnectionPlaces] = ConnectionPlaces(LIMITS.connections)
    quiet_until: ClassVar[float] = 0.0
    read: ClassVar[Collection[str]] = ()
    """Paths whose bodies the application reads and bounds."""

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401  as uvicorn calls it
        super().__init__(*arguments, **named)
        self.url = b""
        self._count = 0
        self._is_in_body = False
        self._is_whole = False
        self._refusal: bytes | None = None
        self._certified: str | None = None
        self._has_place = False
        self._answering: RequestResponseCycle | None = None

    # --- the connection ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """It begins, or is turned away when there are too many."""
        super().connection_made(transport)
        self._certified = _name_of(transport.get_extra_info("peercert"))
        self._has_place = self.places.take(self._peer)
        if self._has_place:
            self.set_deadline(self.limits.header_seconds, self._refuse_delay)
        else:
            self._turn_away()

    @property
    def _peer(self) -> str | None:
        return self.client[0] if self.client else None

    def _turn_away(self) -> None:
        is_full = self.places.taken >= self.places.limit
        if self.loop.time() >= self.quiet_until:
            type(self).quiet_until = self.loop.time() + QUIET
            over = f"those over {self.places.limit}" if is_full else f"those of {self._peer} over its share"
            log.warning("too many connections: %s are rejected", over)
        reason = "There are too many connections" if is_full else "There are too many connections from this address"
        self.transport.write(self._answer(503, reason))
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended: of the requests on it, uvicorn tells only the last one."""
        if self._has_place:
            self._has_place = False
            self.places.leave(self._peer)
        self.pipeline.clear()
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()
        self.unset_deadline()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def asker(self) -> str:
        """As the application has found it out; empty before it has, and where it does not ask."""
        return str(self._answering.scope.get(ASKER, "")) if self._answering is not None else ""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        async def answer(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  as uvicorn has it
            if scope["http_version"] == "1.0":
                send = _without_chunks(cycle, send)

            async def note(message: Any) -> None:  # noqa: ANN401  as above
                self.piece = len(message.get("body", b""))
                await send(message)

            try:
                await app(scope, receive, note)
            except asyncio.CancelledError:
                self._end_cancelled(cycle)

        self._answering = cycle
        super()._start_asgi_task(cycle, answer)

    def _end_cancelled(self, cycle: RequestResponseCycle) -> None:
        """The service ends first: uvicorn has said so in the log, and would leave a traceback for each request."""
        if not cycle.response_started:
            self.transport.write(self._answer(503, "The service ends"))
        cycle.disconnected = True
        self.transport.close()

    # --- the request ---

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._refusal is not None or self.transport.is_closing():
            return
        self._is_whole = False
        self._feed(data)
        if self._refusal is not None:
            return
        if self._is_whole and self.cycle.response_complete:  # it was answered at once, or before the end of its body
            self.set_idle_time()
            return
        if not self.flow.write_paused:
            self._unset_keepalive_if_required()
        if not self._is_whole and not self._is_read:
            self.set_deadline(self.limits.header_seconds, self._refuse_delay)

    def _feed(self, data: bytes) -> None:
        try:
            for start in range(0, len(data), PIECE):
                piece = data[start : start + PIECE]
                self._count += len(piece)
                self.parser.feed_data(piece)
                if self._count > (BODY_BYTES if self._is_in_body else self.limits.header_bytes):
                    self._refuse_size()
                    return
        except httptools.HttpParserUpgrade:  # there is nothing to upgrade to, and what follows is no HTTP
            self.cycle.keep_alive = False
        except httptools.HttpParserError as error:
            wrong = error.__context__
            self._refuse(400, str(wrong) if isinstance(wrong, WrongHead) else "This is not an HTTP request")

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        if self._certified is not None:
            self.scope["extensions"] = {"tls": {"client_cert_name": self._certified}}
        self._begin()

    def _begin(self) -> None:
        self._is_whole = False
        self._count = 1

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; what stands behind a body is none, and says nothing of who asks (RFC 9110, 6.5.1)."""
        if not self._is_in_body:
            super().on_header(name, value)

    def check_head(self) -> None:
        """Raises WrongHead: of another version, not for one host (RFC 9112, 3.2), or in a coding not known (6.1).

        A proxy in front may read each of these in another way than we do.
        """
        version = self.parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise WrongHead("It must be HTTP/1.1 or HTTP/1.0")
        hosts = 0
        for name, value in self.headers:
            if name == b"host":
                hosts += 1
            elif name == b"transfer-encoding" and version == "1.0":
                raise WrongHead("There is no Transfer-Encoding in HTTP/1.0")
            elif name == b"transfer-encoding" and value.strip(b" \t").lower() != b"chunked":
                raise WrongHead("The only Transfer-Encoding is chunked")
        if hosts > 1 or (hosts == 0 and version == "1.1"):
            raise WrongHead("It must have one Host header")

    def on_headers_complete(self) -> None:
        """The application begins to answer."""
        self.check_head()
        if absolute := _ABSOLUTE.match(self.url):
            self._take_host(absolute)
        super().on_headers_complete()
        self._is_in_body = True
        self._count = 0
        if self._is_read:
            self.unset_deadline()
        if self.expect_100_continue:
            self.cycle.keep_alive = False  # no route asks for the body, so it may never come (RFC 9110, 10.1.1)

    def _take_host(self, absolute: re.Match[bytes]) -> None:
        """The host of the target replaces what `Host` says (RFC 9112, 3.2.2); no path is `/` (RFC 9110, 4.2.3)."""
        host, slash = absolute.groups()
        if not slash:
            self.url = b"%b/%b" % (absolute[0], self.url[absolute.end() :])
        self.headers[:] = [(b"host", host), *(header for header in self.headers if header[0] != b"host")]

    def on_body(self, body: bytes) -> None:
        """A piece of a body; what its reader gets is the reader's to count."""
        super().on_body(body)
        if self._is_read:
            self._count = 0

    def on_message_complete(self) -> None:
        """The last byte of a request."""
        super().on_message_complete()
        self._is_in_body = False
        self._is_whole = True
        self._count = 0
        self.unset_deadline()

    def on_response_complete(self) -> None:
        """An answer is sent: the next one is due, or the refusal of what came after."""
        super().on_response_complete()
        if self.transport.is_closing():
            self.set_idle_time()
        elif self._refusal is not None and self.cycle.response_complete:
            self._end()
        elif not self._is_whole:  # no route reads what is left of its body
            self.set_deadline(self.limits.header_seconds, self._refuse_delay)

    @property
    def _is_read(self) -> bool:
        return self._is_in_body and not self.cycle.response_complete and self.scope["path"] in self.read

    # --- the end ---

    def announce_end(self) -> None:
        """The server's own headers say by now that an answer is the last one; so do those that are under way."""
        for cycle in (self._answering, *(queued for queued, _ in self.pipeline)):
            if cycle is not None:
                cycle.default_headers = self.server_state.default_headers

    def _refuse_size(self) -> None:
        is_target = len(self.url) > self._count - 2 * PIECE  # what is counted is a piece ahead of what was parsed
        what = "The request target is" if is_target else "The headers are"
        self._refuse(414 if is_target else 431, f"{what} too large, {self.limits.header_bytes} bytes are read")

    def _refuse_delay(self) -> None:
        if self._count == 0 and not self._is_in_body:  # no request has begun
            self.transport.abort()
        else:
            self._refuse(408, f"The request took over {self.limits.header_seconds:g} seconds")

    def _refuse(self, status: int, reason: str) -> None:
        """End the connection after the answers that are due; a request of which only the body is wrong has its own.

        Who reads that body, and has not begun to answer, is told that the client has left.
        """
        has_answer = self._is_in_body and not (self._is_read and not self.cycle.response_started)
        self._refusal = b"" if has_answer else self._answer(status, reason)
        self.unset_deadline()
        if self._is_read and not self.pipeline:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._end()
        elif self.cycle is None or self.cycle.response_complete:  # type: ignore[redundant-expr]  # None at first
            self._end()

    def _end(self) -> None:
        self._unset_keepalive_if_required()
        assert self._refusal is not None
        self.transport.write(self._refusal)
        with suppress(NotImplementedError):  # TLS has no half-closed connections
            self.transport.write_eof()
        self.set_deadline(LINGER, self.end_idle)

    def _answer(self, status: int, reason: str) -> bytes:
        body = json.dumps({"status": f"policy.reason.{_NAMES[status]} - {reason}"}).encode()
        headers = [
            *(header for header in self.server_state.default_headers if header != CLOSE),
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            CLOSE,
        ]
        return STATUS_LINE[status] + b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n" + body


def _without_chunks(cycle: RequestResponseCycle, send: ASGISendCallable) -> ASGISendCallable:
    """A `send` to a client of HTTP/1.0, which knows no chunks: a body without a length ends with the connection.

    RFC 9112, 6.1 and 6.3.
    """
    has_length = True

    async def send_plain(message: Any) -> None:  # noqa: ANN401  as ASGI has it
        nonlocal has_length
        if message["type"] == "http.response.start":
            has_length = any(name.lower() == b"content-length" for name, _ in message["headers"])
            cycle.chunked_encoding = None if has_length else False
        elif not has_length:
            cycle.expected_content_length = len(message.get("body", b""))
        await send(message)

    return send_plain


def _name_of(certificate: dict[str, Any] | None) -> str | None:
    """The common name in the certificate of a client, if it had to show one."""
    if not certificate:
        return None
    names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    return names[-1] if names else ""
