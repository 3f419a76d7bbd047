"""One listening socket for several workers: whoever has the fewest connections takes the next one.

The system wakes all of them and gives a connection to whoever is quickest, so by itself one that is awake already takes
most. With a socket each, the system would deal them out by chance, and what waits at one that is busy or dead would
wait for it. Here a worker that has more connections than another stands back for a moment; if nobody else has come
by then, it takes the connection all the same.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any, ClassVar

from .crew import CONNECTIONS, SERVING, Cells, Crew
from .short_way import ShortWay

MOMENT = 0.005
"""Seconds for which a worker stands back: another needs far less to wake up, unless it is stopped or busy."""
AGAIN = 0.5
"""Seconds after which one that cannot take connections, since it has no room for another file, tries again."""

log = logging.getLogger(__name__)

Make = Callable[[], asyncio.Protocol]


class Counted(ShortWay):
    """One connection that came through a door; it leaves through it too."""

    cells: ClassVar[Cells]

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        super().connection_lost(exc)
        self.cells[CONNECTIONS] -= 1


class Door:
    """Takes connections from a listening socket that others take some from too."""

    def __init__(self, loop: asyncio.AbstractEventLoop, listener: socket.socket, crew: Crew) -> None:
        self._loop = loop
        self._listener = listener
        self._crew = crew
        self._cells = crew.own.cells
        self._make: Make
        self._tls: dict[str, Any] = {}
        self._beginning: set[asyncio.Task[None]] = set()
        self._later: asyncio.TimerHandle | None = None

    def open(self, make: Make, **tls: Any) -> None:  # noqa: ANN401  handed on as it comes
        """Begin to take connections, each with a protocol that `make` makes."""
        self._make, self._tls = make, tls
        self._listener.setblocking(False)
        self._cells[SERVING] = 1
        self._crew.wake()
        self._look()

    def close(self) -> None:
        """Take no more."""
        self._cells[SERVING] = 0
        self._loop.remove_reader(self._listener)
        if self._later:
            self._later.cancel()

    async def wait_closed(self) -> None:
        """There is nothing to wait for."""

    def _look(self) -> None:
        self._later = None
        self._loop.add_reader(self._listener, self._take)

    def _pause(self, seconds: float, then: Callable[[], None]) -> None:
        self._loop.remove_reader(self._listener)
        self._later = self._loop.call_later(seconds, then)

    def _take(self) -> None:
        """Somebody waits to be let in."""
        while not self._has_more_than_another():
            if not self._accept():
                return
        self._pause(MOMENT, self._take_all_the_same)

    def _take_all_the_same(self) -> None:
        """Nobody else may have come."""
        self._look()
        self._accept()

    def _has_more_than_another(self) -> bool:
        own = self._cells[CONNECTIONS]
        return any(place.cells[SERVING] and place.cells[CONNECTIONS] < own for place in self._crew.places)

    def _accept(self) -> bool:
        """Whether there was somebody."""
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):  # another was quicker, or the client has left
            return False
        except OSError as error:
            log.error("no connection can be taken: %s", error.strerror)
            self._pause(AGAIN, self._look)
            return False
        connection.setblocking(False)
        self._cells[CONNECTIONS] += 1
        task = self._loop.create_task(self._begin(connection))
        self._beginning.add(task)
        task.add_done_callback(self._beginning.discard)
        return True

    async def _begin(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._make, connection, **self._tls)
        except OSError:  # also those of TLS: it has not come about
            connection.close()
            self._cells[CONNECTIONS] -= 1
