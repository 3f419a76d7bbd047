"""The copy of a remote repository that several workers follow: the oldest fetches, the others hear how it went."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from .crew import Crew, Facts
from .errors import RepositoryError
from .mirror import Mirror

PAUSE = 0.05
"""Seconds between two looks at what the oldest says, until it has said something."""
LONGEST = 500
"""Characters of what went wrong that are told."""


class SharedMirror:
    """A mirror of which only the oldest worker of the crew fetches."""

    def __init__(self, mirror: Mirror, crew: Crew) -> None:
        self._mirror = mirror
        self._crew = crew
        self._is_closed = False
        self.fetched_at: datetime | None = None
        self.directory = mirror.directory
        self.hurry: Callable[[], None] = mirror.hurry

    def update(self) -> None:
        """Fetch if it is time to and ours to; raises RepositoryError as long as the last fetch failed.

        The others wait until a first fetch has ended.
        """
        while not self._crew.leads and not self._is_closed:
            if told := self._crew.board.note.read().get("fetch"):
                self._hear(told)
                return
            time.sleep(PAUSE)
        try:
            self._mirror.update()
        except RepositoryError as error:
            self._tell(message=error.message[:LONGEST], hint=error.hint)
            raise
        self._tell()

    def close(self) -> None:
        """End a fetch that is under way."""
        self._is_closed = True
        self._mirror.close()

    def _tell(self, message: str | None = None, hint: str | None = None) -> None:
        self.fetched_at = self._mirror.fetched_at or self.fetched_at
        at = self.fetched_at.isoformat() if self.fetched_at else None
        told = {"at": at, "message": message, "hint": hint}
        if told != self._crew.board.note.read().get("fetch"):
            self._crew.pin_up(fetch=told)

    def _hear(self, told: Facts) -> None:
        self.fetched_at = datetime.fromisoformat(told["at"]) if told["at"] else self.fetched_at
        if told["message"]:
            raise RepositoryError(told["message"], told["hint"])
