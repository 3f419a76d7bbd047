"""What is held in force by hand: put there, kept there until its time is over or an editor ends it, told once where it
cannot be.

A pin ends when the clock says so, or when as long has passed as it was given, whichever comes first: so a clock that is
set back makes none longer.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress

from ..errors import (
    AnotherHistory,
    BuildFailed,
    InvalidConfiguration,
    LocationPolicyError,
    NotSigned,
    RepositoryError,
    UnusablePin,
)
from ..gate.pin import Pin, read_pin
from ..gate.ref_updates import PIN
from ..repository.repository import Repository
from ..text import moment_text
from .activate import Activator
from .state import ActiveState, Head, now

log = logging.getLogger(__name__)


class PinHolder:
    """Holds the commit that the pin of a repository names in force; for one thread."""

    def __init__(self, active: ActiveState, activator: Activator) -> None:
        self._active = active
        self._activator = activator
        self._ends = 0.0
        """When as long has passed as the pin was given, by the monotonic clock."""
        self._done: str | None = None
        """The tag that is over, or cannot be used: it is not taken again."""
        self._removed: str | None = None
        """The tag that is over, and was to be taken away."""
        self._told: object = None

    def is_over(self) -> bool:
        """Is something held of which the time has passed?"""
        pin = self._active.state.pin
        return pin is not None and (time.monotonic() >= self._ends or pin.is_over(now()))

    def holds(self, repository: Repository) -> bool:
        """Whether a pin holds what is in force; it is put there, or let go, by what is kept in the repository now."""
        held, found = self._active.state.pin, self._read(repository)
        if held and found == held and not self.is_over():
            return True
        is_new = found is not None and found != held and not found.is_over(now()) and found.id != self._done
        if found and is_new and self._take(repository, found):
            return True
        self._end(repository, held, found)
        return False

    def let_go_if_over(self) -> None:
        """End what is held where its time has passed and the repository cannot be asked."""
        if (pin := self._active.state.pin) and self.is_over():
            self._done = pin.id
            self._tell_unpinned(pin, None)

    def tell_waiting(self, head: Head) -> None:
        """That HEAD is not put in force, of which it is told once."""
        pin = self._active.state.pin
        if pin and pin.commit != head.commit.id:
            log.info("waiting commit=%s: %s", head.commit.id, pin.told())

    def _read(self, repository: Repository) -> Pin | None:
        try:
            return read_pin(repository)
        except UnusablePin as error:
            self._ignore(error, error.message)
            return None

    def _take(self, repository: Repository, pin: Pin) -> bool:
        """Put it in force; told once, and not tried again, where that cannot be."""
        given = (min(pin.until - now(), pin.until - pin.at)).total_seconds()
        ends = time.monotonic() + given
        try:
            self._activator.pin(repository, pin)
        except BuildFailed:  # as of HEAD, it is tried again
            raise
        except (AnotherHistory, InvalidConfiguration, NotSigned, RepositoryError) as error:
            self._done = pin.id
            self._ignore(error, pin.id)
            return False
        self._ends, self._told = ends, None
        log.warning("pinned commit=%s until=%s by=%s: %s", pin.commit, moment_text(pin.until), pin.by, pin.reason)
        return True

    def _end(self, repository: Repository, held: Pin | None, found: Pin | None) -> None:
        """Let HEAD count again; a pin that is over is taken away, if it may be."""
        over = found if found and (found == held or found.is_over(now())) else None
        if held:
            self._tell_unpinned(held, found.by if found and found.id != held.id and found.is_over(now()) else None)
        elif over:  # it has ended while nothing served
            self._activator.unpin(over.commit, over.by if over.is_ended_by_hand else None)
        if over and over.id != self._removed:
            self._done = self._removed = over.id
            with suppress(RepositoryError):  # another user's repository, or another pin by now
                repository.delete_ref(PIN, over.id)

    def _tell_unpinned(self, pin: Pin, by: str | None) -> None:
        log.warning("unpinned commit=%s%s", pin.commit, f" by={by}" if by else "")
        self._activator.unpin(pin.commit, by)

    def _ignore(self, error: LocationPolicyError, key: object) -> None:
        if key != self._told:
            self._told = key
            log.error("ignored pin: %s", error.message)
