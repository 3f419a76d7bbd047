"""The place of a worker, and when the next one begins there."""

from __future__ import annotations

import time
from dataclasses import dataclass

from .crew import Place

STEADY = 10.0
"""Seconds after which a worker is no longer one that dies at once."""
LONGEST = 30.0
"""Seconds to wait, at the most, before one is begun that has died at once again and again."""


@dataclass(slots=True)
class Post:
    """A place, the worker that has it (0: none), since when, and how many in a row it was lost by at once."""

    place: Place
    pid: int = 0
    began: float = 0.0
    due: float = 0.0
    failures: int = 0

    @property
    def is_due(self) -> bool:
        """Whether a worker is to begin here now."""
        return not self.pid and time.monotonic() >= self.due

    def note_failure(self) -> float:
        """The worker has gone: the seconds until another one begins, none at first, then 1, 2, 4 …"""
        now = time.monotonic()
        self.place.leave()
        self.pid = 0
        self.failures = self.failures + 1 if now - self.began < STEADY else 1
        wait = 0.0 if self.failures == 1 else min(LONGEST, 2.0 ** (self.failures - 2))
        self.due = now + wait
        return wait
