"""Outages of the source: that it cannot be read, can be read again, or was not read for too long; each is told once."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from ..errors import BuildFailed, NotARepository, RepositoryError
from ..repository.git_dir import find_git_directory
from ..repository.remote.mirror import Mirror
from .state import ActiveState, Failure, now

log = logging.getLogger(__name__)

_RESTORE = "mount or restore it: what was served of it goes on meanwhile"
"""What is to be done about a repository that was there: one made anew would have another history."""


class Outages:
    """Notes in `active` what keeps one source from being read; for one thread."""

    def __init__(self, place: Path, active: ActiveState, mirror: Mirror | None) -> None:
        self._place = place
        self._active = active
        self._mirror = mirror
        self._is_stale = self._is_unreachable = False
        self._told: tuple[str, str | None] | None = None
        """What was told of it last: it is told once, also where what is read of HEAD ends the outage in the state."""

    def note_failed(self, error: Exception) -> None:
        """A look has failed; that the repository goes away under way is told as that, not by what git met then."""
        try:
            if self._mirror is None:
                find_git_directory(self._place)
        except NotARepository as gone:
            was_there = self._active.state.snapshot is not None and not self._place.exists()
            error = NotARepository(gone.message, _RESTORE) if was_there else gone
        except OSError:
            pass
        if isinstance(error, (BuildFailed, RepositoryError)):
            self._note_outage(error.message, error.hint)
        else:
            self._note_outage(f"{type(error).__name__}: {error}".partition("\n")[0], cause=error)

    def note_success(self) -> None:
        """A look has gone well."""
        if self._is_unreachable:  # the outage in the state ends earlier, with what is put in force
            self._is_unreachable = False
            log.info("reachable repository=%s branch=%s", self._shown, self._active.state.branch)
            self._active.change(outage=None)

    def tell_stale(self) -> None:
        """Once when it begins to be stale, and once when it ends."""
        state = self._active.state
        if state.is_stale != self._is_stale:
            self._is_stale = state.is_stale
            if state.is_stale:
                log.error("stale repository=%s: not read for longer than --max-stale; answers go on", self._shown)
            else:
                log.info("fresh repository=%s", self._shown)

    def _note_outage(self, message: str, hint: str | None = None, cause: Exception | None = None) -> None:
        outage = self._active.state.outage
        message = self._mirror.told(message) if self._mirror else message
        if not self._is_unreachable:
            self._active.count("unreadable")
        if not self._is_unreachable or self._told != (message, hint):
            told = "; ".join(filter(None, (self._once(message), hint)))
            log.error("unreachable repository=%s: %s", self._shown, told, exc_info=cause)
        if outage is None or (outage.message, outage.hint) != (message, hint):
            self._active.change(outage=Failure(now(), message, hint=hint))
        self._is_unreachable, self._told = True, (message, hint)

    def _once(self, message: str) -> str:
        """It for a line that has named the repository."""
        message = message.removeprefix(f"{self._shown}: ")
        return re.sub(rf"(?<![\w/]){re.escape(self._shown)}(?=[ ,;:]|$)", "it", message)

    @property
    def _shown(self) -> str:
        return self._mirror.url if self._mirror else str(self._place)
