"""What is held in force by hand: put there, kept there until its time is over or an editor ends it, told once where it
cannot be.

A pin ends when the clock says so, or when as long has passed as it was given, whichever comes first: so a clock that is
set back makes none longer. It does not end because what is kept of it is lost: what is in force stays, and HEAD waits.
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
    TornPin,
    UnusablePin,
)
from ..gate.pin import Pin, clear_pin, keep_in_step, kept_beside, read_pin, remove_pin
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
        """Whether a pin holds what is in force; it is put there, or let go, by what is kept in the repository now.

        Raises TornPin where what is in force is to stay, and it is not known for how long.
        """
        held = self._active.state.pin
        try:
            found = read_pin(repository)
            if found is None:
                self._tell_problem(None)
        except UnusablePin as error:
            if self._stays(repository, held, error):
                return True
            found = None
        if found and self._is_held(repository, held, found):
            return True
        self._end(repository, held, found)
        return False

    def _is_held(self, repository: Repository, held: Pin | None, found: Pin) -> bool:
        """Raises TornPin where its commit is not here yet."""
        if found == held:
            is_held = not self.is_over()
            self._confirm(repository, found)
        else:
            is_held = not found.is_over(now()) and found.id != self._done and self._take(repository, found)
        if is_held:
            self._tell_problem(self._keep_in_step(repository, found))
        return is_held

    def _confirm(self, repository: Repository, pin: Pin) -> None:
        """Its commit, which is in force from the state directory, may be in the repository by now."""
        if self._activator.is_unconfirmed(pin.commit) and repository.has_commit(pin.commit):
            with suppress(AnotherHistory, InvalidConfiguration, NotSigned, RepositoryError):
                self._activator.pin(repository, pin)

    def _stays(self, repository: Repository, held: Pin | None, error: UnusablePin) -> bool:
        """Whether what was held stays in force, where what is kept of it is no pin any more, until its time is over.

        Raises TornPin where nothing is known of what was held, as after a start.
        """
        if held and not self.is_over():
            self._tell_problem(error)
            return True
        if held:
            with suppress(RepositoryError, OSError):  # or else it would hold HEAD once more
                clear_pin(repository)
        elif isinstance(error, TornPin) and self._activator.last_in_force(repository):
            raise error
        else:
            self._ignore(error, error.message)
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

    def _take(self, repository: Repository, pin: Pin) -> bool:
        """Put it in force; told once, and not tried again, where that cannot be.

        Raises TornPin where its commit is not in the copy of a remote, which may have it later.
        """
        given = (min(pin.until - now(), pin.until - pin.at)).total_seconds()
        ends = time.monotonic() + given
        try:
            self._activator.pin(repository, pin)
        except BuildFailed:  # as of HEAD, it is tried again
            raise
        except (AnotherHistory, InvalidConfiguration, NotSigned, RepositoryError) as error:
            is_lost = not repository.has_commit(pin.commit) and kept_beside(repository) == pin
            if is_lost and self._activator.last_in_force(repository):
                message = f"{pin.told()}, and is not here: what was active last stays"
                raise TornPin(message, "the remote is asked for it again; or pin another commit") from None
            self._done = pin.id
            self._ignore(error, pin.id)
            return False
        self._ends, self._told = ends, None
        log.warning("pinned commit=%s until=%s by=%s: %s", pin.commit, moment_text(pin.until), pin.by, pin.reason)
        return True

    def _keep_in_step(self, repository: Repository, pin: Pin) -> UnusablePin | None:
        """Keep it twice, where the repository is the copy of a remote; what keeps that from being done."""
        try:
            if keep_in_step(repository, pin):
                log.warning("the copy had lost its pin, and has it again: %s", pin.told())
        except (RepositoryError, OSError) as error:
            why = error.message if isinstance(error, RepositoryError) else error.strerror
            return UnusablePin(f"the pin would be lost with the copy, for it cannot be kept beside it: {why}")
        return None

    def _end(self, repository: Repository, held: Pin | None, found: Pin | None) -> None:
        """Let HEAD count again; a pin that is over is taken away, if it may be."""
        over = found if found and (found == held or found.is_over(now())) else None
        if over:
            self._tell_problem(None)
        if held:
            self._tell_unpinned(held, found.by if found and found.id != held.id and found.is_over(now()) else None)
        elif over:  # it has ended while nothing served
            self._activator.unpin(over.commit, over.by if over.is_ended_by_hand else None)
        if over and over.id != self._removed:
            self._done = self._removed = over.id
            with suppress(RepositoryError, OSError):  # another user's repository, or another pin by now
                remove_pin(repository, over)

    def _tell_unpinned(self, pin: Pin, by: str | None) -> None:
        log.warning("unpinned commit=%s%s", pin.commit, f" by={by}" if by else "")
        self._activator.unpin(pin.commit, by)

    def _ignore(self, error: LocationPolicyError, key: object) -> None:
        self._active.change(pin_problem=error.message)
        if key != self._told:
            self._told = key
            log.error("ignored pin: %s", error.message)

    def _tell_problem(self, error: UnusablePin | None) -> None:
        """What is wrong with what is kept of the pin that holds."""
        message = "; ".join(filter(None, (error.message, error.hint))) if error else None
        if message and message != self._active.state.pin_problem:
            log.error("pin: %s", message)
        self._active.change(pin_problem=message)
