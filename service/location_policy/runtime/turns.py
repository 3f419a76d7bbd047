"""Turns at something that few may do at once: one asker has half of them, the next half of what is left."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

WAITING = 64
"""Requests that wait for their turn."""
PATIENCE = 20.0
"""Seconds that one waits for it."""


class Busy(Exception):
    """Too many ask at once."""


class Turns:
    """Lets few in at once, and lets a few more wait.

    One who asks has no more turns, and no more places to wait, than are left for others: three who keep all that they
    get leave one turn of eight.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._in: Counter[str] = Counter()
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def turn(self, asker: str) -> AsyncIterator[None]:
        await self._enter(asker)
        try:
            yield
        finally:
            self._leave(asker)

    async def _enter(self, asker: str) -> None:
        """Have a turn; raises Busy where too many wait, or after `PATIENCE`."""
        same = sum(waits == asker for waits, _ in self._waiting)
        if len(self._waiting) >= WAITING or same >= _share(WAITING - len(self._waiting), same):
            raise Busy
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (asker, called)
        self._waiting.append(entry)
        self._call()
        try:
            async with asyncio.timeout(PATIENCE):
                await called
        except (TimeoutError, asyncio.CancelledError) as error:
            if entry in self._waiting:
                self._waiting.remove(entry)
            else:  # it was called at this very moment
                self._leave(asker)
            if isinstance(error, TimeoutError):
                raise Busy from None
            raise

    def _leave(self, asker: str) -> None:
        self._free += 1
        self._in[asker] -= 1
        self._in += Counter()  # drops who is not in
        self._call()

    def _call(self) -> None:
        """Let those in whose turn it is: the first that wait, but for who has his share."""
        for entry in [*self._waiting]:
            asker, called = entry
            has_more = self._in[asker] < _share(self._free, self._in[asker])
            if self._free and has_more and not called.done():
                self._waiting.remove(entry)
                self._free -= 1
                self._in[asker] += 1
                called.set_result(None)


def _share(free: int, has: int) -> int:
    """What one may have who has so much: half of what the others leave."""
    return max(1, (free + has) // 2)
