"""The fast path of a policy request: answered where it is read, without a task of the event loop.

uvicorn makes a scope, a cycle, an event and a task for each request, which costs three times what an answer costs. A
plain GET that has no body, and before which nothing waits, is put to the application's `at_once` instead. What that
gives is the answer; where it gives None the request goes uvicorn's way as if it had never been asked. All that is done
for a connection is done by LimitedProtocol and uvicorn on both paths: they see a request that is answered already.

Only what the parser has parsed is answered, by that request's own headers: nothing of a request is remembered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from .limits import CLOSE, LimitedProtocol

Headers = list[tuple[bytes, bytes]]
AtOnce = Callable[[bytes, Headers, str | None], bytes | None]
"""Target, headers and peer of a GET to what follows the status line 200 and the server's own headers."""

_OF_MORE = frozenset((b"content-length", b"transfer-encoding", b"expect", b"upgrade"))
"""Headers of requests that are more than a target and headers."""


class _Answered:
    """Stands for the cycle of a request that is answered."""

    response_complete = True
    keep_alive = True
    message_event = asyncio.Event()


_ANSWERED = cast("RequestResponseCycle", _Answered())


class FastPath(LimitedProtocol):
    """One connection, whose plain requests are answered at once where the application can."""

    opening: ClassVar[tuple[Headers, bytes]] = ([], b"")
    """The server's own headers, and the beginning of an answer that has them; they change every second."""

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401  as uvicorn calls it
        super().__init__(*arguments, **named)
        is_last = CLOSE in self.server_state.default_headers
        self._at_once: AtOnce | None = None if is_last else getattr(self.app, "at_once", None)
        self._is_plain = False

    def announce_end(self) -> None:
        """From now on an answer ends the connection, which the long way does."""
        self._at_once = None
        super().announce_end()

    def on_message_begin(self) -> None:
        """The first byte of a request; its scope is made when it is needed."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._is_plain = True
        self._begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        name = name.lower()
        if name in _OF_MORE or self._is_in_body:
            self._is_plain = False
            super().on_header(name, value)
        else:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Answer at once, or let the application begin to answer."""
        self.check_head()
        answer = self._answer_at_once() if self._at_once and self._is_plain else None
        if answer is None:
            self._make_scope()
            super().on_headers_complete()
            return
        self.transport.write(self._opened() + answer)
        self.cycle = _ANSWERED
        self.server_state.total_requests += 1

    def _answer_at_once(self) -> bytes | None:
        parser = self.parser
        is_free = self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # None at first
        is_usual = parser.get_method() == b"GET" and parser.get_http_version() == "1.1" and parser.should_keep_alive()
        if not (is_free and is_usual) or self.flow.write_paused:
            return None
        assert self._at_once is not None
        try:
            return self._at_once(self.url, self.headers, self._peer)
        except Exception:  # noqa: BLE001  the top level: it is raised on uvicorn's way again, and logged there
            return None

    def _opened(self) -> bytes:
        headers, opening = self.opening
        if headers is not self.server_state.default_headers:
            headers = self.server_state.default_headers
            opening = STATUS_LINE[200] + b"".join(b"%b: %b\r\n" % header for header in headers)
            type(self).opening = headers, opening
        return opening

    def _make_scope(self) -> None:
        """What uvicorn does before the first header."""
        url, headers, expects, count = self.url, self.headers, self.expect_100_continue, self._count
        super().on_message_begin()
        self.url, self.expect_100_continue, self._count = url, expects, count
        self.headers.extend(headers)
