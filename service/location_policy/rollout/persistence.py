"""Persist the content in force, so that it can be served after a restart, even where the branch is gone or broken.

It is kept twice: in the state directory, and by a ref that keeps its commit from being collected. A journal beside it
says when each commit was put in force or refused. What fails is told once and tried again: a disk that was full may
have room later, without a new commit.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from ..config.commit import Commit
from ..config.files import File
from ..errors import RepositoryError
from ..gate.push_log import Push
from ..repository.repository import Repository
from . import last_good
from .journal import Event, EventKind, Journal
from .last_good import Identity, LastGood
from .state import ActiveState, now

LAST_GOOD = "refs/location-policy/last-good"
"""Keeps the commit that was good last from being collected when it is forced away."""
AGAIN = 60.0
"""Seconds after which what could not be kept is tried again."""

log = logging.getLogger(__name__)


class Persistence:
    """Keeps what is in force; for one thread."""

    def __init__(self, state_directory: Path, active: ActiveState) -> None:
        self._directory = state_directory
        self._active = active
        self._ref_failed = False
        self._is_spared = self._is_kept = False
        self._due = 0.0
        self._journal = Journal(state_directory)
        self._not_noted: str | None = None
        self._journal_due = 0.0

    def read(self) -> LastGood | None:
        """What was kept in the state directory, if it can be used."""
        try:
            stored = last_good.load(self._directory)
        except ValueError as error:
            log.warning("the content kept in %s cannot be used: %s", self._directory, error)
            return None
        self._is_kept = stored is not None
        return stored

    def keep(
        self,
        repository: Repository,
        identity: Identity,
        commit: Commit,
        files: Iterable[File],
        roots: Sequence[str],
    ) -> None:
        """Keep this commit and its files; what fails becomes part of the state."""
        self._is_spared = False
        self._due = time.monotonic() + AGAIN
        self._save(LastGood(identity, commit, tuple(files), tuple(roots)))
        self._keep_by_ref(repository, commit)

    def spare(self) -> None:
        """Leave what is kept as it is: what is in force is older, for want of what could be read of the newer."""
        self._is_spared = True

    def note(self, kind: EventKind, commit: Commit, at: datetime | None = None) -> None:
        """Write down what has become of a commit: then, or just now."""
        self._journal.add(Event(at or now(), commit.id, kind, commit.author, commit.pusher or ""))
        self._write_journal()

    def note_pin(self, kind: EventKind, commit_id: str, by: str | None, reason: str = "") -> None:
        """Write down that a commit is held in force by hand, or no longer, just now."""
        self._journal.add(Event(now(), commit_id, kind, reason=reason, by=by or ""))
        self._write_journal()

    def note_push(self, push: Push) -> None:
        """Write down a push that was not taken."""
        reason = push.reasons[0] if push.reasons else ""
        self._journal.add(Event(push.at, push.commit, "push-refused", push.author, push.by, push.branch, reason))
        self._write_journal()

    @property
    def is_waiting(self) -> bool:
        """Is there something that could not be kept or written down, and is tried again?"""
        return self._ref_failed or bool(self._journal.waiting or self._active.state.not_kept) or self._is_gone()

    def _is_gone(self) -> bool:
        """Has the state directory, or what was kept there, gone under way?"""
        return self._is_kept and not self._is_spared and not os.access(self._directory / last_good.FILE_NAME, os.F_OK)

    def tell_what_is_gone(self) -> None:
        """Say that nothing is kept any more, where it has gone and cannot be kept anew."""
        if self._is_gone():
            self._is_kept = False
            self._tell(f"{self._directory} has lost what was kept there")

    def try_again(self, repository: Repository, identity: Identity, roots: Sequence[str]) -> None:
        """Keep what is in force, and write down what has happened, if that has failed and it is time."""
        if self._journal.waiting and time.monotonic() >= self._journal_due:
            self._write_journal()
        state = self._active.state
        commit = state.snapshot.commit if state.snapshot else None
        is_due = (state.not_kept or self._ref_failed) and time.monotonic() >= self._due
        if commit is None or self._is_spared or not (is_due or self._is_gone()):
            return
        self._due = time.monotonic() + AGAIN
        try:
            files = repository.files_of(repository.commit(commit.id))
        except RepositoryError:  # served from the state directory; the repository has it no more
            self.tell_what_is_gone()
            return
        self.keep(repository, identity, commit, files, roots)

    def _save(self, content: LastGood) -> None:
        not_kept = None
        try:
            last_good.save(self._directory, content)
        except OSError as error:
            not_kept = f"{self._directory} cannot be written: {error.strerror}"
        self._is_kept = not_kept is None
        self._tell(not_kept)

    def _tell(self, not_kept: str | None) -> None:
        if not_kept and not_kept != self._active.state.not_kept:
            log.warning("nothing is kept for a restart: %s", not_kept)
        self._active.change(not_kept=not_kept)

    def _write_journal(self) -> None:
        not_noted = None
        self._journal_due = time.monotonic() + AGAIN
        try:
            self._journal.write()
        except OSError as error:
            not_noted = f"{self._directory} cannot be written: {error.strerror}"
            if not_noted not in (self._not_noted, self._active.state.not_kept):
                log.warning("nothing is noted in the journal: %s", not_noted)
        self._not_noted = not_noted

    def _keep_by_ref(self, repository: Repository, commit: Commit) -> None:
        try:
            if repository.tip(LAST_GOOD) != commit.id:
                repository.keep(LAST_GOOD, commit.id)
            self._ref_failed = False
        except RepositoryError as error:
            if not self._ref_failed:
                log.warning("not kept by a ref commit=%s: %s", commit.id, error.message)
            self._ref_failed = True
