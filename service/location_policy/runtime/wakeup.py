"""Wake coroutines that wait for what another thread does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Wakeup:
    """Waits of one event loop, of which there are `most` at a time; `tell` is for any thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[asyncio.Future[None]] = set()
        self._has_ended = False

    @property
    def is_full(self) -> bool:
        """Is there no room for one more?"""
        return len(self._waiting) >= self._most

    def tell(self) -> None:
        """Something has changed: those who wait look again."""
        if loop := self._loop:
            try:
                loop.call_soon_threadsafe(self._wake)
            except RuntimeError:  # the loop has ended, and all that waited with it
                self._loop = None

    def end(self) -> None:
        """Nothing is waited for any more; called in the loop, or before there is one."""
        self._has_ended = True
        self._wake()

    async def until(self, is_so: Callable[[], bool], seconds: float) -> None:
        """Return when it is so, after so many seconds, or at the end of the service, whichever comes first."""
        self._loop = asyncio.get_running_loop()
        until = self._loop.time() + seconds
        while not is_so() and not self._has_ended and (left := until - self._loop.time()) > 0:
            told = self._loop.create_future()
            self._waiting.add(told)
            try:
                async with asyncio.timeout(left):
                    await told
            except TimeoutError:
                return
            finally:
                self._waiting.discard(told)

    def _wake(self) -> None:
        for told in self._waiting:
            if not told.done():
                told.set_result(None)
