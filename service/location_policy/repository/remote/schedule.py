"""When a remote is looked at: each interval, later after failures, at once when it is told to.

Exponential back-off with full jitter: services that a forge has failed at the same moment do not come back at the same
moment. What the forge itself asks for (RFC 9110, "Retry-After") is kept also when there is hurry.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

SPREAD = 0.1
"""The part of the interval by which a look is earlier or later, so that many services do not ask at once."""
SOON = 2.0
"""Seconds within which a look is repeated that has failed at what the remote has just told of."""
LONGEST_WAIT = 600.0
"""Seconds that no failure lets wait longer than."""

Draw = Callable[[float, float], float]


class Schedule:
    """The time of the next look; `hurry` may come from another thread."""

    def __init__(
        self, interval: float, draw: Draw = random.uniform, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`interval`: seconds between two looks that succeed; `draw`: a number between two."""
        self._interval = interval
        self._draw = draw
        self._clock = clock
        self._due = self._not_before = 0.0
        self._failures = 0
        self._is_hurried = False

    @property
    def seconds_left(self) -> float:
        """Seconds until the next look, 0 when it is due."""
        due = self._not_before if self._is_hurried else max(self._due, self._not_before)
        return max(0.0, due - self._clock())

    def hurry(self) -> None:
        """Let the next look be due now, and the failures be forgotten."""
        self._failures = 0
        self._is_hurried = True

    def begin(self) -> None:
        """A look begins: a hurry from here on asks for another one."""
        self._is_hurried = False

    def succeed(self) -> None:
        """The look has succeeded: the next is an interval from now, about."""
        self._failures = 0
        self._due = self._clock() + self._interval * self._draw(1 - SPREAD, 1 + SPREAD)

    def fail_soon(self, retry_after: float = 0.0) -> None:
        """The remote answers, and not all of the look has succeeded: soon again, then ever later, up to an interval."""
        longest = min(self._interval, SOON * 2.0 ** min(self._failures, 32))
        self._failures += 1
        now = self._clock()
        self._due, self._not_before = now + self._draw(0.0, longest), now + retry_after

    def fail(self, retry_after: float = 0.0) -> None:
        """The look has failed: each time the next may be twice as far; the remote wants so many seconds."""
        self._failures += 1
        longest = min(LONGEST_WAIT, self._interval * 2.0 ** min(self._failures, 32))
        now = self._clock()
        self._due = now + self._draw(0.0, max(longest, self._interval))
        self._not_before = now + retry_after
