"""Activate a commit: put it in force, or else say why not.

A commit that is not valid, or not signed as it must be, changes nothing but the reason that is told. When there is
nothing in force yet, the first of the candidates that can be served is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from ..config.commit import Commit
from ..config.files import File
from ..config.validate import Validator
from ..errors import AnotherHistory, BuildFailed, InvalidConfiguration, NotPinnable, NotSigned, RepositoryError
from ..gate.pin import Pin, kept_beside, was_named
from ..gate.push_log import Push
from ..gate.push_notes import with_pushers
from ..lookup.snapshot import Snapshot
from ..problems import errors_in
from ..repository.repository import Repository
from ..repository.signing_policy import SignatureRule
from .candidates import Candidate, candidate_after_pin, next_candidate, start_candidates
from .journal import put_in_force, refused
from .last_good import Identity, LastGood
from .persistence import LAST_GOOD, Persistence
from .same_history import HistoryRule, Served
from .snapshot_builder import SnapshotBuilder
from .state import ActiveState, Failure, now

_READ: Mapping[str, object] = MappingProxyType({"rejection": None, "was_read": True})
"""The fields of a state in which HEAD has been read, and is in force; it is settled once it is kept too."""
_NOTHING: Mapping[str, object] = MappingProxyType({})

log = logging.getLogger(__name__)


class Activator:
    """What puts commits in force, and keeps what was; by the rules that were read last, of signatures and `history`."""

    def __init__(self, active: ActiveState, state_directory: Path, identity: Identity) -> None:
        self.rule = SignatureRule()
        self.history = HistoryRule(identity)
        self._active = active
        self._loader = SnapshotBuilder()
        self._state_directory = state_directory
        self._persistence = Persistence(state_directory, active)
        self._stored = self._persistence.read()
        self._noted = put_in_force(state_directory) if self._stored else ()
        self._is_from_disk = self._has_fallen_back = self._was_pinned = False
        self._served: Served | None = None
        self._refused_under: object = None
        self._is_unsigned = False

    def is_to_be_judged_again(self) -> bool:
        """Was HEAD refused for its signature or its history, by rules that are no longer the same?"""
        return self._refused_under not in (None, self._rules())

    def in_force(self) -> str | None:
        """The id of the commit that is in force."""
        snapshot = self._active.state.snapshot
        return snapshot.commit.id if snapshot and snapshot.commit else None

    @property
    def is_waiting(self) -> bool:
        """Was HEAD refused for want of a signature, or is there something to be kept yet?"""
        return self._is_unsigned or self._persistence.is_waiting

    def read(self, repository: Repository, commit_id: str) -> Commit:
        """A commit, and who has signed and pushed it."""
        (commit,) = with_pushers(repository, self.rule.with_signers(repository, [repository.commit(commit_id)]))
        return commit

    def note_push(self, push: Push) -> None:
        """Write down a push that was not taken."""
        self._persistence.note_push(push)

    def try_again(self, repository: Repository) -> None:
        """Keep what could not be kept before."""
        if served := self._served:
            identity = replace(self.history.here, id=served.repository_id or self.history.here.id)
            self._persistence.try_again(repository, identity, served.roots)

    def tell_what_is_gone(self) -> None:
        """Say that the state directory has lost what was kept, while the repository cannot be asked for it."""
        self._persistence.tell_what_is_gone()

    def is_unconfirmed(self, commit_id: str) -> bool:
        """Is this commit in force, and known from the state directory alone?"""
        return self._is_from_disk and self.in_force() == commit_id

    def roll_out(self, repository: Repository, head: Commit, *, is_told: bool = False) -> None:
        """Put HEAD in force, or else say why not; what is in force already is not loaded again.

        `is_told`: it is in force at a service that is followed, which has judged it and what it follows.
        """
        rejection = self._refused_under = None
        self._is_unsigned = False
        order = self._told(repository, head.id) if is_told else self._candidates(repository, head.id)
        try:
            if self.in_force() != head.id:
                first = next(order)
                self.history.require(repository, first.follows, head.id)
                self.rule.require(repository, first.gains)
                self._put_in_force(repository, head, Validator(), was_served=first.was_served, read=_READ)
            elif self._is_from_disk:
                self._confirm(repository, head, read=_READ)
        except InvalidConfiguration as error:
            rejection = Failure(now(), error.message, head.id, error.problems.first())
            log.error("refused commit=%s %s", head.id, errors_in(error.problems).counted("error"))
        except (NotSigned, AnotherHistory) as error:
            served = error.served if isinstance(error, AnotherHistory) else None
            rejection = Failure(now(), error.message, head.id, served=served)
            log.error("refused commit=%s %s", head.id, error.message)
            self._refused_under, self._is_unsigned = self._rules(), isinstance(error, NotSigned)
        if rejection:
            self._note_refused(head)
            self._put_first_in_force(repository, order)
        else:
            self._was_pinned = False
        self._active.change(rejection=rejection, is_settled=True, was_read=True)

    def hold(self, repository: Repository, taken: str | None, head: Commit, rejection: Failure | None = None) -> None:
        """HEAD is not to be put in force: what was taken last is, where nothing is, or else an ancestor of HEAD.

        Without a rejection it only waits.
        """
        if rejection:
            log.error("refused commit=%s %s", rejection.commit, rejection.message)
            self._note_refused(head)
        self._refused_under = self._rules() if rejection else None
        self._is_unsigned = False
        order = self._start(repository, taken) if taken else islice(self._start(repository, head.id), 1, None)
        self._put_first_in_force(repository, order)
        self._active.change(rejection=rejection, is_settled=rejection is not None, was_read=True)

    def pin(self, repository: Repository, pin: Pin) -> None:
        """Put a commit in force that is held by hand, of what the branch is at, or has been at; HEAD is not judged.

        Raises NotPinnable, InvalidConfiguration, NotSigned or AnotherHistory where it may not be, RepositoryError where
        it cannot be read, and BuildFailed.
        """
        noted = put_in_force(self._state_directory)
        was_served = pin.commit in noted
        if not repository.has_commit(pin.commit):
            if self._is_from_disk and self.in_force() == pin.commit:
                self._note_pinned(pin, {"pin": pin, "is_settled": True, "rejection": None})
                return
            raise NotPinnable(f"commit {pin.commit[:10]} is not here")
        if not was_served and pin.commit in refused(self._state_directory):
            raise NotPinnable(f"commit {pin.commit[:10]} was rejected when it came, and was never active")
        is_known = was_served or kept_beside(repository) == pin  # which was looked at before it was kept
        if not is_known and not was_named(repository, self.history.ref, pin.commit):
            raise NotPinnable(f"commit {pin.commit[:10]} was never named by the served branch")
        self.require_history(repository, None, pin.commit)
        self.rule.require(repository, () if was_served else (pin.commit,))
        commit = self.read(repository, pin.commit)
        held = {**_READ, "pin": pin, "is_settled": True}
        if self.in_force() != commit.id:
            self._put_in_force(repository, commit, Validator(), was_served=was_served, read=held)
        elif self._is_from_disk:
            self._confirm(repository, commit, read=held)
        self._note_pinned(pin, held)

    def _note_pinned(self, pin: Pin, held: Mapping[str, object]) -> None:
        self._active.change(**held)
        self._refused_under, self._is_unsigned, self._was_pinned = None, False, True
        self._persistence.note_pin("pinned", pin.commit, pin.by, pin.reason)

    def last_in_force(self, repository: Repository) -> str | None:
        """The id of the commit that is in force; where nothing is yet, of the one that was last."""
        return self.in_force() or repository.tip(LAST_GOOD)

    def wait(self, repository: Repository, rejection: Failure) -> None:
        """HEAD is not judged for now: what is in force stays, and where nothing is, what was last is put there."""
        if rejection.message != getattr(self._active.state.rejection, "message", None):
            log.error("waiting commit=%s: %s", rejection.commit, rejection.message)
        self._put_first_in_force(repository, self._start(repository, self.last_in_force(repository)))
        self._active.change(rejection=rejection, is_settled=True, was_read=True)

    def unpin(self, commit_id: str, by: str | None) -> None:
        """HEAD counts again: it is judged at the next roll-out, and until then what is in force stays."""
        if self._active.state.pin:
            self._active.change(pin=None, is_settled=False)
        self._persistence.note_pin("unpinned", commit_id, by)

    def require_history(self, repository: Repository, taken: str | None, head: str) -> None:
        """Raises AnotherHistory where HEAD is not of the history of what was taken last, and is not accepted.

        Where that is not known, what was served last counts.
        """
        follows = Served(taken, "", ()) if taken else next(self._candidates(repository, head)).follows
        self.history.require(repository, follows, head)

    def note_dropped(self, commits: Iterable[Commit]) -> None:
        """Write down that what is in force has dropped these commits."""
        for commit in commits:
            self._persistence.note("dropped", commit)

    def _note_refused(self, commit: Commit) -> None:
        self._active.count("refused")
        self._persistence.note("refused", commit)

    def _candidates(self, repository: Repository, head: str) -> Iterator[Candidate]:
        """HEAD, and until the source was read and something is in force, what else there is."""
        if self._served and self.in_force() and self._active.state.was_read:
            if self._was_pinned:
                noted = put_in_force(self._state_directory)
                return iter([candidate_after_pin(repository, self.rule, head, self._served, noted)])
            return iter([next_candidate(repository, self.rule, head, self._served)])
        return self._start(repository, head)

    def _told(self, repository: Repository, head: str) -> Iterator[Candidate]:
        """What is in force at a service that is followed; else what was in force here, and nothing that was nowhere."""
        yield Candidate(head, was_served=True, gains=(head,))
        yield from self._start(repository, None)

    def _start(self, repository: Repository, head: str | None) -> Iterator[Candidate]:
        here, stored = self.history.here, self._stored_here()
        return start_candidates(repository, self.rule, head, here, stored, self._noted)

    def fall_back(self, repository: Repository, head: str | None = None) -> None:
        """Put in force the best there is without HEAD, or with one that may be old, unless that is done."""
        if self._active.state.snapshot is None or not self._has_fallen_back:
            self._put_first_in_force(repository, self._start(repository, head))
            self._has_fallen_back = True

    def _put_first_in_force(self, repository: Repository, order: Iterable[Candidate]) -> None:
        """Put in force the first of these that can be, unless what is in force was read from the repository."""
        if self._active.state.snapshot is not None and not self._is_from_disk:
            return
        validator, is_newest = Validator(), True
        for one in order:
            if self._try_stored(one) if one.stored else self._try(repository, one, validator, is_newest=is_newest):
                return
            is_newest = is_newest and not one.was_served

    def _try_stored(self, one: Candidate) -> bool:
        return one.commit_id == self.in_force() or self.serve_stored()

    def _try(self, repository: Repository, one: Candidate, validator: Validator, *, is_newest: bool) -> bool:
        try:
            self.history.require(repository, one.follows, one.commit_id)
            self.rule.require(repository, one.gains)
            commit = self.read(repository, one.commit_id)
            if one.commit_id == self.in_force():
                self._confirm(repository, commit, is_kept=is_newest)
            else:
                self._put_in_force(repository, commit, validator, was_served=one.was_served, is_kept=is_newest)
        except (AnotherHistory, BuildFailed, InvalidConfiguration, NotSigned, RepositoryError):
            return False
        return True

    def _put_in_force(
        self,
        repository: Repository,
        commit: Commit,
        validator: Validator,
        *,
        was_served: bool,
        is_kept: bool = True,
        read: Mapping[str, object] = _NOTHING,
    ) -> None:
        started = time.monotonic()
        files = repository.files_of(commit)
        with self._active.asking(is_asked=False):
            snapshot = self._loader.load(validator, files, commit, was_served=was_served)
        self._publish(snapshot, started, read)
        self._keep(repository, commit, files, is_kept=is_kept)
        self._persistence.note("active", commit, snapshot.loaded_at)  # before it answers: no answer is from before that

    def _confirm(
        self,
        repository: Repository,
        commit: Commit,
        *,
        is_kept: bool = True,
        read: Mapping[str, object] = _NOTHING,
    ) -> None:
        """What is in force, from the state directory, is in the repository too, whole: it is kept there as well."""
        snapshot = self._active.state.snapshot
        files = repository.files_of(commit)
        self._is_from_disk = False
        if snapshot and snapshot.commit != commit:
            snapshot = snapshot.of(commit)
        self._active.change(snapshot=snapshot, **read)
        self._keep(repository, commit, files, is_kept=is_kept)

    def _keep(self, repository: Repository, commit: Commit, files: Sequence[File], *, is_kept: bool) -> None:
        roots: Sequence[str] = ()
        with suppress(RepositoryError):  # an old commit is lost, which is no hindrance
            roots = repository.roots(commit.id)
        self._served = Served(commit.id, self._identity().id, roots, self.history.ref)
        if is_kept:
            self._persistence.keep(repository, self._identity(), commit, files, roots)
        else:
            self._persistence.spare()

    def _identity(self) -> Identity:
        """That of the repository; where its config has no id, it keeps the one that it had."""
        here = self.history.here
        return here if here.id or not self._served else replace(here, id=self._served.repository_id)

    def _rules(self) -> object:
        """What may change, so that a commit that was refused is taken."""
        return self.rule.stamp(), self.history

    def serve_stored(self) -> bool:
        """Put in force the content on disk, if there is some that can be."""
        stored = self._stored_here()
        if stored is None or not stored.files:
            return False
        started = time.monotonic()
        try:
            snapshot = self._loader.load(Validator(), stored.files, stored.commit, was_served=True)
            self._publish(snapshot, started)
        except BuildFailed:  # it is tried again, and the outage of the source is told
            return False
        except InvalidConfiguration as error:
            log.warning("the content kept in %s cannot be used: %s", self._state_directory, error.message)
            self._stored = replace(stored, files=())
            return False
        self._is_from_disk = True
        self._served = Served(stored.commit.id, stored.identity.id, stored.roots)
        self._stored = replace(stored, files=())  # they have done their work, and may be large
        self._persistence.note("active", stored.commit, snapshot.loaded_at)
        return True

    def _publish(self, snapshot: Snapshot, started: float, read: Mapping[str, object] = _NOTHING) -> None:
        self._active.change(snapshot=snapshot, override=None, **read)
        self._is_from_disk = False
        commit = snapshot.commit
        self._active.count("active")
        more: dict[str, object] = {"signer": commit.signer.name} if commit and commit.signer else {}
        if commit and commit.other_pusher:
            more |= {"author": commit.author, "pusher": commit.other_pusher}
        if snapshot.views:
            more = {"views": len(snapshot.views), **more}
        told = "active commit=%s subnets=%d took=%.2fs" + "".join(f" {key}=%s" for key in more)
        log.info(told, commit and commit.id, snapshot.total_size, time.monotonic() - started, *more.values())

    def _stored_here(self) -> LastGood | None:
        """The content on disk, if it is of this repository, or of another at its place."""
        return self._stored if self._stored and self._stored.identity.is_here(self.history.here) else None
