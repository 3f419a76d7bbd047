"""A pool of threads for hashing passwords, with a bounded queue: work that takes long, never on the event loop.

The lowest rank stands in front. Those of the same rank draw lots: in a line, clients that ask more often would keep all
others out. When the queue is full the last one is turned away; one whose client has stopped waiting is taken out.
"""

from __future__ import annotations

import asyncio
import os
import threading
from bisect import insort
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from random import random
from typing import NamedTuple

ROOM = 1024
"""Tasks that wait: many more than can be done in time, so that each has its lot."""
THREADS = max(1, min(4, (os.cpu_count() or 1) - 1))
"""Of a pool; one processor is left to the answers, unless two pools work at once."""

Rank = tuple[int, ...]
"""Compared number by number: how often the client has failed, then those around it."""
Outcome = bool | None
"""What the work said; None: there was no room, or no time."""


class _Task(NamedTuple):
    rank: Rank
    lot: float
    number: int
    work: Callable[[], bool]
    done: asyncio.Future[Outcome]


class HashPool:
    """Does work in order of rank, the lowest first; asked from one event loop."""

    def __init__(self, room: int = ROOM, threads: int = THREADS) -> None:
        self._room = room
        self._threads = threads
        self._queue: list[_Task] = []
        self._lock = threading.Lock()
        self._waiting = threading.Semaphore(0)
        self._numbers = count()

    def put(self, work: Callable[[], bool], rank: Rank) -> asyncio.Future[Outcome]:
        """Join the queue; the future never has an exception."""
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        with self._lock:
            insort(self._queue, _Task(rank, random(), next(self._numbers), work, done))
            last = self._queue.pop() if len(self._queue) > self._room else None
        if last:
            last.done.set_result(None)
        self._begin()
        self._waiting.release()
        return done

    def withdraw(self, done: asyncio.Future[Outcome]) -> None:
        """Take it out, unless its work has begun; its outcome is None then."""
        with self._lock:
            tasks = [task for task in self._queue if task.done is done]
            for task in tasks:
                self._queue.remove(task)
        if tasks:
            done.set_result(None)

    def _begin(self) -> None:
        """The threads begin with the first work."""
        while self._threads:
            self._threads -= 1
            threading.Thread(target=self._run, name="hashing", daemon=True).start()

    def _run(self) -> None:
        while True:
            self._waiting.acquire()
            with self._lock:
                task = self._queue.pop(0) if self._queue else None
            if task:
                outcome = task.work()
                with suppress(RuntimeError):  # the loop has ended meanwhile
                    task.done.get_loop().call_soon_threadsafe(task.done.set_result, outcome)
