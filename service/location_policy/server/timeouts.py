"""Timeouts of a connection: by when a request must be whole, and how long a client may be idle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class TimedProtocol(HttpToolsProtocol):
    """One connection; a client that reads nothing is idle too."""

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401  as uvicorn calls it
        super().__init__(*arguments, **named)
        self._left = 0
        self._idle_since = 0.0
        self._deadline: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """The client does not read as fast as it is answered."""
        super().pause_writing()
        self.set_idle_time()

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        self._unset_keepalive_if_required()
        if self.cycle.response_complete:
            self.set_idle_time()

    def timeout_keep_alive_handler(self) -> None:
        """The client has not asked for long enough, unless it was answered meanwhile."""
        self.timeout_keep_alive_task = None
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
        else:
            self.end_idle()

    def end_idle(self) -> None:
        """Cut the connection, but for a client that reads: what is left of its answers has become less."""
        left = self.transport.get_write_buffer_size()
        if left and left != self._left:
            self._left = left
            self.set_idle_time()
        else:
            self.transport.abort()

    def set_idle_time(self) -> None:
        """From now on the client may say and read nothing for a while, no longer.

        A timer that runs is left to run, and sees at its end that it is too early: a request costs no timer of its own.
        """
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def set_deadline(self, seconds: float, end: Callable[[], None]) -> None:
        """Call `end` then, unless it is unset before; one that is set already holds."""
        if self._deadline is None:
            self._deadline = self.loop.call_later(seconds, end)

    def unset_deadline(self) -> None:
        """What was due has come."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
