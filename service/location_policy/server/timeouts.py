"""Timeouts of a connection: by when a request must be whole, and how long a client may be idle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from fcntl import ioctl
from sys import byteorder
from termios import TIOCOUTQ
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .unread import Unread

READING = 30.0
"""Seconds in which a client that is waited for must read `LEAST_READ` bytes."""
LEAST_READ = 32_768
"""Bytes; a line of 8 KB/s reads seven times as many."""


class TimedProtocol(HttpToolsProtocol):
    """One connection; a client that reads nothing is idle too, and one that reads next to nothing is cut."""

    unread: ClassVar[Unread] = Unread()
    piece: int = 0
    """Bytes that were last handed over to be sent: they are kept whole until the last of them has gone."""

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401  as uvicorn calls it
        super().__init__(*arguments, **named)
        self._left = 0
        self._idle_since = 0.0
        self._deadline: asyncio.TimerHandle | None = None
        self._unread = 0
        self._reading: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """The client does not read as fast as it is answered; until it has, nothing more is written."""
        super().pause_writing()
        self.set_idle_time()
        self._watch_reading()
        self.unread.add(self, self.asker(), max(self.piece, self.transport.get_write_buffer_size()))

    def asker(self) -> str:
        """To whose account an answer goes that is not read."""
        return ""

    def _watch_reading(self) -> None:
        self._unread = self._count_unread()
        self._reading = self.loop.call_later(READING, self._look_at_reading)

    def _look_at_reading(self) -> None:
        """Cut a client that holds what others wait for by reading a few bytes now and then."""
        if self._unread - self._count_unread() < LEAST_READ:
            self.transport.abort()
        else:
            self._watch_reading()

    def _count_unread(self) -> int:
        """Bytes of ours and of the system's that the client has not taken (tcp(7), "SIOCOUTQ").

        The system asks for more only once much of its own was taken, which on a slow line is too seldom to tell.
        """
        unread = int(self.transport.get_write_buffer_size())
        if connection := self.transport.get_extra_info("socket"):
            with suppress(OSError):
                unread += int.from_bytes(ioctl(connection.fileno(), TIOCOUTQ, bytes(4)), byteorder)
        return unread

    def _unwatch_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended, and with it what it was watched for."""
        self._unwatch_reading()
        self.unread.remove(self)
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        self._unwatch_reading()
        self.unread.remove(self)
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
        left = self._count_unread()
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
