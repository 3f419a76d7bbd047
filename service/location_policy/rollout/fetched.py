"""What was fetched, judged: a fetch is a push.

A mirror keeps its remote's branch beside its own, and its own moves only to what has passed the judgement of a push. So
that is what may be in force, and what the next fetch is compared with.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import cast

from ..errors import AnotherHistory, NotJudged, RepositoryError
from ..gate.excerpt import Excerpt
from ..gate.fetch import fetch_refusal, judge_fetch, judge_fetch_at
from ..gate.overrides import joined, record
from ..gate.ref_updates import Update
from ..repository.maps import weight_of
from ..repository.new_commits import PROGRAM
from ..repository.remote.mirror import Mirror
from ..repository.repository import Repository
from ..runtime.subprocess_job import POLITE, POLITE_PER_BYTE, Job, run_job, unpickle
from ..text import count
from .activate import Activator
from .persistence import LAST_GOOD
from .snapshot_builder import LARGE, resting_collector
from .state import ActiveState, Failure, Head, now

DEADLINE = 600.0
"""Seconds that judging may take in a process of its own, besides those in which it only takes what is left."""
AGAIN = 600.0
"""Seconds after which is judged again what could not be judged."""
LOGGED = "location-policy fetch"
"""What the log of the branch says."""

log = logging.getLogger(__name__)


class FetchGate:
    """Lets the branch of a mirror move to what was fetched, or holds it where it is; for one thread."""

    def __init__(self, mirror: Mirror, active: ActiveState, activator: Activator, large: int = LARGE) -> None:
        """From `large` bytes on that are to be read, a process of its own judges."""
        self._mirror = mirror
        self._active = active
        self._activator = activator
        self._large = large
        self._older: tuple[str, datetime | None] | None = None
        """The tip behind our branch that waits, and when it was fetched first."""
        self._due: float | None = None
        self._seen: str | None = None
        """The tip that was seen last."""

    def is_due(self) -> bool:
        """Is HEAD to be judged again, which could not be judged before?"""
        return self._due is not None and time.monotonic() >= self._due

    def takes(self, repository: Repository, ref: str, head: Head) -> bool:
        """Whether the mirror's own branch is at HEAD, which the remote names; it moves there if it may.

        If it is not, what may be in force is, and the state says why that is not HEAD.
        """
        new, own, self._due = head.commit.id, repository.tip(ref), None
        old = self._old(repository, ref, own, new)
        if old == new:
            self._older = None
            _move(repository, ref, own, new)
            return True
        if self._waits(repository, old, new):
            self._activator.hold(repository, old, head.commit)
            return False
        refusal = self._refusal(repository, ref, old, head)
        if refusal is None:
            _move(repository, ref, own, new)
            return True
        self._activator.hold(repository, old, head.commit, refusal)
        if taken := old or self._old(repository, ref, own, new):
            _move(repository, ref, own, taken)
        return False

    def has_lost(self, repository: Repository, ref: str, new: str) -> bool:
        """Has the mirror no branch of its own, as it was made anew?

        Where nothing was taken that is in it, it has none either; then a tip that was seen is not seen again.
        """
        if repository.tip(ref):
            return False
        return self._seen != new or self._old(repository, ref, None, new) is not None

    def note_seen(self, new: str) -> None:
        """This tip was seen, and is in force or not."""
        self._seen = new

    def move(self, repository: Repository, ref: str, commit_id: str) -> None:
        """Let the mirror's own branch be at what others have judged: what is held in force by hand, or in force at a
        service that is followed. What comes is judged as a move from there."""
        _move(repository, ref, repository.tip(ref), commit_id)

    def _old(self, repository: Repository, ref: str, own: str | None, new: str) -> str | None:
        """The commit that was taken last; None where that is not known, or shares nothing with the new one.

        A branch without a log was not moved here: an earlier version has fetched into it, or the mirror is new. Then
        what was served last counts.
        """
        if own and repository.tips(ref, own, 1):
            return own
        for commit_id in filter(None, (self._activator.in_force(), repository.tip(LAST_GOOD))):
            if repository.has_commit(commit_id) and repository.merge_base(commit_id, new):
                return commit_id
        return None

    def _waits(self, repository: Repository, old: str | None, new: str) -> bool:
        """Is it older than what was taken, and has no fetch an interval later said the same?

        A replica of a forge that lags names such a commit for a while.
        """
        if old is None or not repository.is_ancestor(new, old):
            self._older = None
            return False
        at, interval = self._mirror.fetched_at, self._mirror.interval
        if self._older is None or self._older[0] != new:
            self._older = new, at
            told = "older commit=%s than commit=%s: it is taken if a fetch says the same %g s later"
            log.warning(told, new, old, interval)
        first = self._older[1]
        return at is None or first is None or at <= first or at - first < timedelta(seconds=interval)

    def _refusal(self, repository: Repository, ref: str, old: str | None, head: Head) -> Failure | None:
        """Why HEAD is not taken; None: it is, and what it overrides is noted."""
        new = head.commit.id
        try:
            self._activator.require_history(repository, old, new)
            if old and repository.merge_base(old, new) is None:
                old = None  # it is accepted as another history, so there is nothing before it
            found = self._verdict(repository, Update(old or _none(new), new, ref), head)
        except AnotherHistory as error:
            return Failure(now(), error.message, new, served=error.served)
        except NotJudged as error:
            self._due = time.monotonic() + AGAIN
            return Failure(now(), error.message, new)
        if not found.accepted:
            message, problems = fetch_refusal(found)
            return Failure(now(), message, new, problems)
        _note_override(repository, head, found)
        _tell_older(new, found)
        return None

    def _verdict(self, repository: Repository, update: Update, head: Head) -> Excerpt:
        """Raises NotJudged where the process that judges dies or takes too long."""
        commits = [head.commit] if update.creates else [head.commit, repository.commit(update.old)]
        gained = head.relation.gained if head.relation and not update.creates else 1
        weight = sum(weight_of(repository, one) for one in commits)
        with self._active.asking(is_asked=False):
            if weight * max(1, gained) < self._large:
                with resting_collector():
                    return judge_fetch(repository, update)
            polite = POLITE + POLITE_PER_BYTE * weight if self._activator.in_force() else 0  # at first no client waits
            what = (judge_fetch_at, (repository.directory, update), NotJudged, "judge", "judged", "what was fetched")
            with run_job(Job(*what), min(polite, DEADLINE), DEADLINE) as made:
                return cast("Excerpt", unpickle(made))


def _move(repository: Repository, ref: str, own: str | None, new: str) -> None:
    if own != new:
        repository.move_ref(ref, new, own or _none(new), LOGGED, PROGRAM)


def _none(commit_id: str) -> str:
    """The id that stands for no commit, as long as this one."""
    return "0" * len(commit_id)


def _note_override(repository: Repository, head: Head, found: Excerpt) -> None:
    """As of a push; that it stands is not hindered by a note that cannot be kept."""
    if not found.excess or found.reason is None:
        return
    try:
        override = joined(found.excess, found.reason, head.commit.author, now(), is_fetched=True)
        record(repository, head.commit.id, override)
    except RepositoryError as error:
        log.warning("not noted why commit=%s exceeds a limit: %s", head.commit.id, error.message)


def _tell_older(commit_id: str, found: Excerpt) -> None:
    """On a forge they are history; none of them is served."""
    if found.older and found.older.invalid:
        before = f"{'last ' * found.older.is_cut}{count(found.older.looked_at, 'commit')}"
        log.warning("commit=%s is valid, and %s of the %s before it not", commit_id, found.older.invalid, before)
