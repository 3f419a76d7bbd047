"""A thread pool for the work of pages, so that no answer to a node waits for it.

Its threads are few and its queues are short: a client that finds one full is told to come again, and so is one that
has waited too long. Each client has a queue, of which one task is done at a time, and the queues take turns: a
client that asks for much waits for itself. Work that has begun goes on to its end, so that what it found can be kept
for a client that asks again.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from ..edge.faults import Fault

THREADS = 2
ROOM = 32
"""Requests of one asker that wait."""
QUEUES = 8
"""How many times as many wait in all queues together."""
SECONDS = 20.0
"""How long one request waits for its turn and its work."""
KEPT = "try again: what was found meanwhile is kept"
"""What is said to who has waited so long."""

One = TypeVar("One")


class _Task(NamedTuple):
    work: Callable[[], Any]
    done: asyncio.Future[Any]


class ThreadPool:
    """Does what it is handed: one task at a time for each asker, in the order of asking, and by turns between them."""

    def __init__(self, threads: int = THREADS, room: int = ROOM, seconds: float = SECONDS, late: str = KEPT) -> None:
        self._threads = threads
        self._room = room
        self._seconds = seconds
        self._late = late
        self._queues: dict[str, deque[_Task]] = {}  # the next turn is that of the first
        self._served: set[str] = set()
        self._changed = threading.Condition()

    async def do(self, work: Callable[[], One], asker: str = "") -> One:
        """What the work gives; raises what it raises, and Fault when there is no room or no time."""
        done: asyncio.Future[One] = asyncio.get_running_loop().create_future()
        self._put(_Task(work, done), asker)
        self._begin()
        try:
            async with asyncio.timeout(self._seconds):
                return await done
        except TimeoutError:
            raise Fault(503, f"this takes more than {self._seconds:.0f} seconds", self._late) from None

    def _put(self, task: _Task, asker: str) -> None:
        with self._changed:
            waiting = len(self._queues.get(asker, ()))
            if waiting >= self._room or sum(map(len, self._queues.values())) >= QUEUES * self._room:
                raise Fault(503, "too many pages are being made", "try again in a few seconds")
            self._queues.setdefault(asker, deque()).append(task)
            self._changed.notify()

    def _begin(self) -> None:
        """The threads begin with the first work, and end with the process."""
        while self._threads:
            self._threads -= 1
            threading.Thread(target=self._run, name="pages", daemon=True).start()

    def _run(self) -> None:
        while True:
            asker, task = self._take()
            if not task.done.cancelled():  # its client waits still
                self._do(task)
            with self._changed:
                self._served.discard(asker)
                self._changed.notify()

    def _take(self) -> tuple[str, _Task]:
        """The next task of the next asker for whom none is done; it waits for one."""
        with self._changed:
            while True:
                for asker, queue in self._queues.items():
                    if asker not in self._served:
                        del self._queues[asker]
                        self._served.add(asker)
                        task = queue.popleft()
                        if queue:
                            self._queues[asker] = queue  # it is the last one now
                        return asker, task
                self._changed.wait()

    def _do(self, task: _Task) -> None:
        try:
            found, error = task.work(), None
        except Exception as raised:  # noqa: BLE001  the top level of the thread: who asked gets it
            found, error = None, raised
        with suppress(RuntimeError):  # the loop has ended meanwhile
            task.done.get_loop().call_soon_threadsafe(_settle, task.done, found, error)


def _settle(done: asyncio.Future[Any], found: object, error: Exception | None) -> None:
    if done.done():
        return
    if error:
        done.set_exception(error)
    else:
        done.set_result(found)
