"""Wake coroutines that wait for what another thread does, all at once or as many as there is room for."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Awaitable, Callable

STEP = 0.001
"""Seconds from one that is woken to the next, if there is room: an answer to a node comes between."""
AT_ONCE = 4
"""Waits that are woken together at most, where the event loop is late."""


async def _for_ever() -> None:
    await asyncio.get_running_loop().create_future()


class Wakeup:
    """Waits of one event loop, of which there are `most` at a time; `tell` is for any thread.

    Where what is waited for has come, as many are woken as there is `room` for, in the order in which they came, and
    the others as there is room again. One that comes then waits behind them, if there is none for it.
    """

    def __init__(self, most: int, room: Callable[[], int] = lambda: sys.maxsize) -> None:
        self._most = most
        self._room = room
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[asyncio.Timeout, None] = {}
        self._due: deque[asyncio.Timeout] = deque()
        self._later: asyncio.TimerHandle | None = None
        self._woke_at = 0.0
        self.has_ended = False

    @property
    def is_full(self) -> bool:
        """Is there no room for one more?"""
        return len(self._waiting) >= self._most

    def tell(self) -> None:
        """Something has changed: those who wait look again."""
        if loop := self._loop:
            try:
                loop.call_soon_threadsafe(self._begin_waking)
            except RuntimeError:  # the loop has ended, and all that waited with it
                self._loop = None

    def end(self) -> None:
        """Nothing is waited for any more; called in the loop, or before there is one."""
        self.has_ended = True
        self._begin_waking()

    async def until(
        self, is_so: Callable[[], bool], seconds: float, left: Callable[[], Awaitable[object]] = _for_ever
    ) -> None:
        """Return when it is so, after so many seconds, or at the end of the service, whichever comes first.

        Or else when `left` returns, by which who waits says that there is no need any more; it may be called again.
        """
        self._loop = loop = asyncio.get_running_loop()
        until, is_woken = loop.time() + seconds, False
        while not self.has_ended and loop.time() < until and not (is_so() and (is_woken or self._is_free())):
            try:
                async with asyncio.timeout_at(until) as wait:
                    self._waiting[wait] = None
                    if is_so():
                        self._due.append(wait)
                        self._look_later()
                    await left()
            except TimeoutError:  # it was woken, by a time that is over at once
                is_woken = True
            else:
                return
            finally:
                self._waiting.pop(wait, None)

    def _is_free(self) -> bool:
        return not self._due and self._room() > 0

    def _begin_waking(self) -> None:
        self._due = deque(self._waiting)
        self._wake()

    def _wake(self) -> None:
        """Wake as many as there is room for, and see about the others later."""
        if self._later:
            self._later.cancel()
            self._later = None
        room = sys.maxsize if self.has_ended else min(self._due_by_now(), self._room())
        while self._due and room > 0:
            wait = self._due.popleft()
            if wait in self._waiting and not wait.expired():  # else it is awake, or about to be
                del self._waiting[wait]
                wait.reschedule(0.0)
                room -= 1
        if self._due:
            self._look_later()

    def _due_by_now(self) -> int:
        """How many are to be woken since the last were: one, unless the loop is late."""
        assert self._loop
        before, self._woke_at = self._woke_at, self._loop.time()
        return max(1, min(AT_ONCE, int((self._woke_at - before) / STEP)))

    def _look_later(self) -> None:
        assert self._loop
        if self._later is None:
            self._later = self._loop.call_later(STEP, self._wake)
