"""What a worker tells of itself: to its supervisor that it should look, to everybody by its note."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from functools import partial

from .crew import ANSWERED, BEAT, RELOADS, Crew, Facts


class Report:
    """How a worker speaks to its supervisor, in the words that a service has for its manager (sd_notify(3))."""

    def __init__(self, crew: Crew, pipe: int, watchdog: float | None) -> None:
        self.crew = crew
        self.watchdog = watchdog
        crew.wake = partial(wake, pipe)
        self._reload = crew.board.cells[RELOADS]
        self._facts: Facts = {"pid": os.getpid(), "commit": None, "checked": None, "status": ""}
        crew.own.note.write(self._facts)

    def tell(self, *lines: str) -> None:
        """Take `NAME=value` lines; may be called by any thread."""
        said = dict(line.split("=", 1) for line in lines)
        if "STATUS" in said:
            self.note(status=said["STATUS"][:500])
        if "READY" in said:
            self.crew.own.cells[ANSWERED] = self._reload
        if "WATCHDOG" in said:
            self.crew.own.cells[BEAT] = time.monotonic_ns()
        else:
            self.crew.wake()

    def tell_reloading(self) -> None:
        """A reload begins."""
        self._reload = self.crew.board.cells[RELOADS]

    def note(self, **facts: object) -> None:
        """What the others are to know; for the thread that follows."""
        changed = {**self._facts, **facts}
        if changed != self._facts:
            self._facts = changed
            self.crew.own.note.write(changed)


def wake(pipe: int) -> None:
    """Let the supervisor look; it may be gone, or have enough to read."""
    with suppress(OSError):
        os.write(pipe, b"\0")
