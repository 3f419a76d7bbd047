"""Questions of pages to the repository: old commits, plans, authors. All take time, and belong in the `ThreadPool`.

Each question opens the repository for itself and closes it again. A revision comes from outside: only an id, or the
beginning of one, is taken, and only of a commit that the served branch has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple, cast

from ...config.commit import Commit
from ...config.files import is_read
from ...config.location_map import LocationMap
from ...config.validate import Validator
from ...edits.change_request import REVIEW
from ...errors import BuildFailed, InvalidConfiguration, UnknownRevision
from ...gate.overrides import Override, overrides
from ...gate.push_log import Push, read_log
from ...gate.push_notes import with_pushers
from ...history import blame as blaming
from ...history.blame import Blame
from ...history.branch import Answered, Branch
from ...history.comparison import Comparison, compare, compare_at, load_served
from ...lookup.query_string import Parameters, value_in
from ...lookup.snapshot import Snapshot, build_snapshot
from ...net.addresses import Address
from ...plan.as_json import Wanted
from ...repository.maps import weight_of
from ...repository.repository import Repository, open_repository
from ...repository.signing_policy import signature_rule
from ...rollout import journal
from ...rollout.journal import Event
from ...rollout.snapshot_builder import LARGE
from ...rollout.state import ActiveState
from ...runtime.subprocess_job import Job, find_apart
from ...text import quote
from ..edge.faults import Fault, NotLoaded
from .lru_cache import LruCache

SNAPSHOTS = 2
"""Old commits that are kept as they would be served."""
WRITERS = 1_000
"""Lines of which it is kept who wrote them."""
COMPARING = 100.0
"""Seconds in which two commits must be compared."""


class Commits(NamedTuple):
    """Some commits of the served branch, newest first, from place `start` of `total`."""

    commits: Sequence[Commit]
    start: int
    total: int
    is_shallow: bool


class RepositoryQueries:
    """Asks the repository at `place`; None: there is none."""

    def __init__(self, place: Path | None, state_directory: Path, active: ActiveState, large: int = LARGE) -> None:
        self._place = place
        self._large = large
        self._state_directory = state_directory
        self._active = active
        self._ids: LruCache[tuple[Sequence[str], bool]] = LruCache(1)
        self._snapshots: LruCache[Snapshot] = LruCache(SNAPSHOTS)
        self._writers: LruCache[Commit] = LruCache(WRITERS)

    def tip(self) -> str:
        """The newest commit of the served branch, also one not seen by the service yet; raises Fault where none is."""
        if known := self._known():
            return known
        newest = None
        if self._place:
            with self._opened() as repository:
                newest = _newest(repository)
        if newest is None:
            raise NotLoaded("no commit is known yet")
        return newest

    def _known(self) -> str | None:
        """The newest commit that the service has seen."""
        state = self._active.state
        commit = state.head.commit if state.head else state.snapshot.commit if state.snapshot else None
        return commit.id if commit else None

    def events(self) -> list[Event]:
        """What the service has written down, oldest first."""
        try:
            return journal.read(self._state_directory)
        except OSError:
            return []

    def find(self, revision: str) -> Commit:
        """The commit of this id; raises UnknownRevision where the served branch has no such commit."""
        with self._opened() as repository:
            return self._find(repository, revision)

    def commits(self, start: int, number: int) -> Commits:
        """Some commits of the served branch, newest first."""
        with self._opened() as repository:
            ids, is_shallow = self._all(repository)
            shown = _signed(repository, [repository.commit(commit_id) for commit_id in ids[start : start + number]])
        return Commits(shown, start, len(ids), is_shallow)

    def newest_served(self, number: int) -> list[Commit]:
        """So many commits of the served branch that the service has put in force, newest first."""
        served = self.served()
        with self._opened() as repository:
            ids, _ = self._all(repository)
            return [*map(repository.commit, islice(filter(served.__contains__, ids), number))]

    def overrides(self, commits: Sequence[Commit]) -> Mapping[str, Override]:
        """The limits that the pushes of these commits have overridden, by commit."""
        with self._opened() as repository:
            return overrides(repository, (one.id for one in commits))

    def pushes_not_taken(self) -> Sequence[Push]:
        """The last pushes that the hook has not taken, oldest first."""
        with self._opened() as repository:
            return read_log(repository.directory).pushes

    def waiting_at(self, commit: Commit) -> Sequence[str]:
        """The branches on which this commit waits for a review; none once it is on the served branch."""
        with self._opened() as repository:
            return [] if _is_on_branch(repository, commit.id) else repository.branches_at(commit.id, REVIEW)

    def is_newest(self, commit: Commit) -> bool:
        """Is this what the served branch is at now, also where the service has not seen it yet?"""
        with self._opened() as repository:
            return _newest(repository) == commit.id

    def is_cut_before(self, commit: Commit) -> bool:
        """Does a shallow clone not have all that came before this commit?"""
        with self._opened() as repository:
            return repository.is_cut(repository.first_parents(commit.id)[-1])

    def signed(self, commit: Commit) -> Commit:
        """The same commit, and who has signed it, where that is known."""
        with self._opened() as repository:
            return _signed(repository, [commit])[0]

    def message(self, commit: Commit) -> str:
        """The whole message of a commit."""
        with self._opened() as repository:
            return repository.message(commit.id)

    def change(self, old: str | None, new: str, wanted: Wanted | None = None) -> Comparison:
        """What going from one commit to another does; without an old one, from the newest valid one before it.

        Raises InvalidConfiguration.
        """
        with self._opened() as repository:
            commit = self._find(repository, new)
            before = self._find(repository, old) if old else None
            below = [before.id] if before else repository.parents(commit.id)[:1]
            weight = sum(weight_of(repository, one) for one in (commit, *map(repository.commit, below)))
            asked = before, commit, self.served(), wanted
            if weight < self._large:
                return compare(repository, *asked)
            work = Job(compare_at, (repository.directory, *asked), BuildFailed, "compare", "compared", "the commits")
            return cast("Comparison", find_apart(work, weight, COMPARING))

    def is_valid(self, revision: str) -> bool:
        """Can a commit be served?"""
        try:
            self.snapshot(revision)
        except InvalidConfiguration:
            return False
        return True

    def snapshot(self, revision: str) -> Snapshot:
        """A commit as it would be served; raises InvalidConfiguration."""
        active = self._active.state.snapshot
        if active and active.commit and active.commit.id == revision:
            return active
        with self._opened() as repository:
            commit = self._find(repository, revision)
            return self._snapshots.get(commit.id, lambda: build_snapshot(self._load(repository, commit), commit))

    def blame(self, revision: str, address: Address, call: Parameters) -> Blame:
        """Who wrote the row that answers an address in a call with these parameters."""
        with self._opened() as repository:
            commit = self._find(repository, revision)
            found = self._load(repository, commit).answering(value_in(call))
            return blaming.blame(repository, commit, found, address)

    def writer(self, commit: Commit, path: str, line: int) -> Commit:
        """Who wrote a line of a file; git goes back through its history, which takes seconds in a long one."""

        def ask() -> Commit:
            with self._opened() as repository:
                return blaming.writer(repository, commit, path, line).commit

        return self._writers.get((commit.id, path, line), ask)

    def answers(self, revision: str, address: Address, number: int, call: Parameters) -> list[Answered]:
        """What an address got in a call with these parameters at each of the last commits, oldest first."""
        with self._opened() as repository:
            tip = self._find(repository, revision)
            return list(Branch(repository, tip.id, number, self.served(), value_in(call)).answers(address))

    def content(self, revision: str, path: str) -> tuple[Commit, bytes]:
        """A file of the configuration, as committed."""
        with self._opened() as repository:
            commit = self._find(repository, revision)
            entries = [entry for entry in repository.entries(commit) if entry.path == path and is_read(path)]
            files = repository.files(entries)
        content = files[0].content if files else None
        if content is None:
            raise Fault(404, f"commit {commit.id[:10]} has no file {quote(path)} in its configuration")
        return commit, content

    @contextmanager
    def _opened(self) -> Iterator[Repository]:
        if self._place is None:
            raise Fault(503, "there is no repository to read")
        with open_repository(self._place) as repository:
            yield repository

    def _all(self, repository: Repository) -> tuple[Sequence[str], bool]:
        tip = self.tip()
        return self._ids.get(tip, lambda: (repository.first_parents(tip), repository.is_shallow()))

    def _find(self, repository: Repository, revision: str) -> Commit:
        found = repository.find_id(revision, lambda one: self._is_served(repository, one))
        if found is None:
            hint = "name it by its id, as /history shows it"
            raise UnknownRevision(f"the served branch has no commit {quote(revision)}", hint)
        return repository.commit(found)

    def _is_served(self, repository: Repository, commit_id: str) -> bool:
        """Is this a commit of the served branch, the one in force, which may have left it, or one to be reviewed?"""
        known = self._known()
        if commit_id == self._active.commit or (known and repository.is_ancestor(commit_id, known)):
            return True
        return _is_on_branch(repository, commit_id) or bool(repository.branches_at(commit_id, REVIEW))

    def _load(self, repository: Repository, commit: Commit) -> LocationMap:
        return load_served(repository, commit, Validator(), self.served())

    def served(self) -> set[str]:
        """The commits that the service has put in force, as far as it was written down."""
        return {event.commit for event in self.events() if event.kind == "active"}

    def refused(self) -> set[str]:
        """Those that it has refused, and never put in force."""
        return journal.only_refused(self.events())


def _newest(repository: Repository) -> str | None:
    """What the served branch is at now; the service may not have seen it yet."""
    return repository.tip(repository.served_ref(repository.settings()))


def _is_on_branch(repository: Repository, commit_id: str) -> bool:
    newest = _newest(repository)
    return newest is not None and repository.is_ancestor(commit_id, newest)


def _signed(repository: Repository, commits: list[Commit]) -> list[Commit]:
    """The same commits, and who has signed each, where that is known."""
    rule = signature_rule(repository.settings(), repository.directory)
    return with_pushers(repository, rule.with_signers(repository, commits))
