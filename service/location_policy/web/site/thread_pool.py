"""Work for pages, done in a few threads of its own, so that no answer to a node waits for it.

Its threads are few and its line is short: whoever finds it full is told to come again, and whoever has waited too long
too. Work that has begun goes on to its end, so that what it found can be kept for who asks again.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from ..edge.faults import Fault

THREADS = 2
ROOM = 32
"""Requests that wait."""
SECONDS = 20.0
"""How long one request waits for its turn and its work."""
KEPT = "try again: what was found meanwhile is kept"
"""What is said to who has waited so long."""

One = TypeVar("One")


class Desk:
    """Does what it is handed, in the order of asking."""

    def __init__(self, threads: int = THREADS, room: int = ROOM, seconds: float = SECONDS, late: str = KEPT) -> None:
        self._threads = threads
        self._seconds = seconds
        self._late = late
        self._line: queue.Queue[tuple[Callable[[], Any], asyncio.Future[Any]]] = queue.Queue(room)

    async def do(self, work: Callable[[], One]) -> One:
        """What the work gives; raises what it raises, and Fault when there is no room or no time."""
        done: asyncio.Future[One] = asyncio.get_running_loop().create_future()
        try:
            self._line.put_nowait((work, done))
        except queue.Full:
            raise Fault(503, "too many pages are being made", "try again in a few seconds") from None
        self._begin()
        try:
            async with asyncio.timeout(self._seconds):
                return await done
        except TimeoutError:
            raise Fault(503, f"this takes more than {self._seconds:.0f} seconds", self._late) from None

    def _begin(self) -> None:
        """The threads begin with the first work, and end with the process."""
        while self._threads:
            self._threads -= 1
            threading.Thread(target=self._run, name="pages", daemon=True).start()

    def _run(self) -> None:
        while True:
            work, done = self._line.get()
            if done.cancelled():  # nobody waits any more
                continue
            try:
                found, error = work(), None
            except Exception as raised:  # noqa: BLE001  the rim of the thread: who asked gets it
                found, error = None, raised
            with suppress(RuntimeError):  # the loop has ended meanwhile
                done.get_loop().call_soon_threadsafe(_settle, done, found, error)


def _settle(done: asyncio.Future[Any], found: object, error: Exception | None) -> None:
    if done.done():
        return
    if error:
        done.set_exception(error)
    else:
        done.set_result(found)
