"""Let followers come for a commit a few at a time, no more than may wait for git: so none is told and then refused.

One that was told is on its way until it asks again, by which it says that it is done. One that does not ask again, or
that gives no name, is waited for only a little.
"""

from __future__ import annotations

import time

from ..runtime.turns import WAITING

ON_THE_WAY = WAITING // 2
"""Followers on their way: what one user may have waiting for git (`runtime/turns`)."""
LATEST = 1.0
"""Seconds after which one that was told holds up no other."""
NAMELESS = 0.05
"""The same for one of which it cannot be known whether it is back."""


class Turnstile:
    """Counts who was told and is not back; for one thread."""

    def __init__(self, most: int = ON_THE_WAY) -> None:
        self._most = most
        self._until: dict[object, float] = {}

    def room(self) -> int:
        """How many more may be told now."""
        now = time.monotonic()
        for one in [one for one, until in self._until.items() if until <= now]:
            del self._until[one]
        return self._most - len(self._until)

    def leave(self, follower: str | None) -> None:
        """It was told, and comes for what it was told of; None: one without a name."""
        seconds = LATEST if follower else NAMELESS
        self._until[follower or object()] = time.monotonic() + seconds

    def come_back(self, follower: str) -> None:
        """It asks again."""
        self._until.pop(follower, None)
