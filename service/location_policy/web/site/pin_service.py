"""A commit held in force by hand, from a page: whether it may be, and that it is. It takes time: for a `ThreadPool`."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from ...config.commit import Commit
from ...edits import pin as edits
from ...edits.landing import check_own
from ...errors import LocationPolicyError
from ...gate.pin import Pin
from ...repository.new_commits import Author
from ...repository.repository import Repository, open_repository
from ...rollout.state import ActiveState
from ..edge.faults import Fault

WAIT = 3.0
"""Seconds for which it is waited until a pin holds, or has let go: a map of usual size is loaded by then."""
STEP = 0.02


class PinService:
    """Pins commits of the repository at `place`; None: there is none."""

    def __init__(self, place: Path | None, active: ActiveState) -> None:
        self._place = place
        self._active = active

    def closed(self) -> str | None:
        """Why nothing can be pinned from a page here, if that is so, and what to do about it."""
        try:
            with self._opened() as repository:
                check_own(repository, os.geteuid())
        except LocationPolicyError as error:
            return error.message + (f" (hint: {error.hint})" if error.hint else "")
        return None

    def check(self, commit: Commit, served: Collection[str], refused: Collection[str]) -> None:
        """Raises LocationPolicyError where a commit may not be in force; its files are not looked at."""
        with self._opened() as repository:
            edits.check_pinnable(repository, commit, served, refused)

    def pin(self, commit: Commit, author: Author, span: timedelta, reason: str) -> Pin:
        """Hold a commit that was checked; raises RepositoryError."""
        with self._opened() as repository:
            kept = edits.pin(repository, commit, author, span, reason)
        self._wait_for(kept.id)
        return kept

    def unpin(self, author: Author) -> None:
        """Let HEAD count again; raises RepositoryError, and NothingChanges where nothing is held."""
        with self._opened() as repository:
            edits.unpin(repository, author)
        self._wait_for(None)

    def _wait_for(self, tag: str | None) -> None:
        until = time.monotonic() + WAIT
        while self._held() != tag and time.monotonic() < until:
            time.sleep(STEP)

    def _held(self) -> str | None:
        pin = self._active.state.pin
        return pin.id if pin else None

    @contextmanager
    def _opened(self) -> Iterator[Repository]:
        if self._place is None:
            raise Fault(409, "there is no repository in which anything could be pinned")
        with open_repository(self._place) as repository:
            yield repository
