"""Look at the source once: what is HEAD, is it newer, load it, put it in force.

A commit that is not valid, or not signed as it must be, changes nothing but the reason that is told. When there is
nothing in force yet, the first of these that can be served is: HEAD, the commit that was good last, its content on
disk, the newest valid ancestor of HEAD. What was served before needs no signature: it was judged when it came.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

from .active import Active, Failure, Head, now
from .errors import BuildFailed, InvalidConfiguration, NotSigned, RepositoryError
from .git_hooks import hook_state
from .keeper import PIN, Keeper
from .last_good import Identity, LastGood
from .loading import Loader
from .location_map import Gate
from .mirror import Mirror
from .overrides import NOTES, override_of
from .problems import count, errors_in
from .repository import Commit, Repository, open_repository
from .signatures import SignatureRule, signature_rule
from .snapshot import Snapshot

ANCESTORS = 100
"""First-parent commits among which the newest valid one is looked for."""
HOOK_INTERVAL = 10.0
"""Seconds between two looks at the hook."""

log = logging.getLogger(__name__)


class Refresher:
    """Keeps `active` in step with one repository; for one thread."""

    def __init__(self, place: Path, active: Active, state_directory: Path, mirror: Mirror | None = None) -> None:
        self._place = place
        self._mirror = mirror
        self._active = active
        self._loader = Loader()
        self._state_directory = state_directory
        self._identity = Identity("", str(place.absolute()))
        self._keeper = Keeper(state_directory, active)
        self._stored = self._keeper.read()
        self._hook_due = 0.0
        self._noted: tuple[str | None, str | None] = (None, None)
        """The commit and the state of the notes for which an override was looked for."""
        self._rule = SignatureRule()
        self._refused_under: object = None

    def refresh(self) -> None:
        """Look once; every failure becomes part of the state."""
        try:
            if self._mirror:
                self._mirror.update()
            with open_repository(self._place) as repository:
                self._look(repository)
        except (BuildFailed, RepositoryError) as error:
            self._note_outage(error.message)
        except Exception as error:  # noqa: BLE001  the rim: to end here would be to serve old answers for ever
            self._note_outage(f"{type(error).__name__}: {error}".partition("\n")[0], error)
        else:
            self._note_success()
        if self._active.state.outage and self._active.state.snapshot is None:
            self._serve_stored()

    # --- what is there ---

    def _look(self, repository: Repository) -> None:
        settings = repository.settings()
        self._identity = Identity(settings.get("id", ""), self._identity.place)
        self._look_at_hook(repository)
        self._look_at_rule(signature_rule(settings, repository.directory))
        try:
            self._follow(repository, repository.served_ref(settings))
        except RepositoryError:  # what HEAD names cannot be read: the commit that was good last may be whole
            self._fall_back(repository, self._served_before(repository))
            raise
        self._look_at_notes(repository)
        self._keeper.try_again(repository, self._identity)

    def _follow(self, repository: Repository, ref: str) -> None:
        tip = repository.tip(ref)
        name = ref.removeprefix("refs/heads/")
        self._active.change(branch=name, last_checked_at=self._mirror.fetched_at if self._mirror else now())
        if tip is None:
            self._note_no_commit(repository, name)
            return
        state = self._active.state
        head = state.head if state.head and state.head.commit.id == tip else None
        if head is None or self._refused_under not in (None, self._rule.stamp()):
            (commit,) = self._rule.with_signers(repository, [repository.commit(tip)])
            head = Head(commit, head.seen_at if head else now())
            self._active.change(head=head, last_changed_at=head.seen_at, is_settled=False, outage=None)
            self._roll_out(repository, commit)
        elif not state.is_settled:
            self._roll_out(repository, head.commit)

    def _note_no_commit(self, repository: Repository, name: str) -> None:
        """An empty repository is waited for; a branch that is missing among others is a mistake of somebody."""
        self._fall_back(repository, self._served_before(repository))
        state = self._active.state
        branches = repository.branches()
        rejection = None
        if branches or state.snapshot:
            there = f"; branches here: {', '.join(branches)}" if branches else ""
            rejection = Failure(now(), f"branch {name} has no commit{there}")
            if state.rejection and state.rejection.message == rejection.message:
                rejection = state.rejection
            else:
                log.error("nothing to follow: %s", rejection.message)
        was_read = state.was_read or state.snapshot is None
        self._active.change(was_read=was_read, head=None, rejection=rejection)

    def _look_at_hook(self, repository: Repository) -> None:
        if self._mirror or time.monotonic() < self._hook_due:
            return
        self._hook_due = time.monotonic() + HOOK_INTERVAL
        hook = hook_state(repository)
        if hook != self._active.state.hook and hook.state not in ("ok", "none"):
            effect = f"is of version {hook.version}" if hook.state == "other-version" else "does not check pushes"
            mend = f"location-policy init {self._place}"
            log.warning("hook %s: it %s; mend it with: %s", hook.state, effect, mend)
        self._active.change(hook=hook)

    def _look_at_notes(self, repository: Repository) -> None:
        """Was a limit overridden by the push of what is in force? That is noted a moment after the push."""
        snapshot = self._active.state.snapshot
        commit_id = snapshot.commit.id if snapshot and snapshot.commit else None
        noted = commit_id, repository.tip(NOTES)
        if noted != self._noted:
            override = override_of(repository, commit_id) if commit_id and noted[1] else None
            self._active.change(override=override)
            self._noted = noted

    def _look_at_rule(self, rule: SignatureRule) -> None:
        problem = "; ".join(filter(None, (rule.problem.message, rule.problem.hint))) if rule.problem else None
        if problem and problem != self._active.state.signatures_problem:
            effect = "nobody's signature is told" if rule.scope == "off" else "no commit is taken"
            log.error("%s, as signatures cannot be judged: %s", effect, problem)
        self._rule = rule
        self._active.change(signatures=rule.scope, signatures_problem=problem)

    def _note_outage(self, message: str, cause: Exception | None = None) -> None:
        outage = self._active.state.outage
        if outage is None:
            self._active.count("unreadable")
        if outage is None or outage.message != message:
            log.error("unreachable repository=%s: %s", self._place, message, exc_info=cause)
            self._active.change(outage=Failure(now(), message))

    def _note_success(self) -> None:
        if self._active.state.outage:
            log.info("reachable repository=%s branch=%s", self._place, self._active.state.branch)
            self._active.change(outage=None)

    # --- what is put in force ---

    def _roll_out(self, repository: Repository, head: Commit) -> None:
        """Put HEAD in force, or else say why not; what is in force already is not loaded again."""
        snapshot = self._active.state.snapshot
        served = self._served_before(repository)
        rejection = self._refused_under = None
        try:
            if not (snapshot and snapshot.commit and snapshot.commit.id == head.id):
                if head.id not in served:
                    self._rule.require(repository, self._gained(repository, served, head))
                self._put_in_force(repository, head, Gate(), was_served=head.id in served)
        except InvalidConfiguration as error:
            rejection = Failure(now(), error.message, head.id, error.problems)
            log.error("refused commit=%s %s", head.id, count(len(errors_in(error.problems)), "error"))
        except NotSigned as error:
            rejection = Failure(now(), error.message, head.id)
            log.error("refused commit=%s %s", head.id, error.message)
            self._refused_under = self._rule.stamp()
        if rejection:
            self._active.count("refused")
            self._keeper.note("refused", head.id)
            self._fall_back(repository, served, head)
        self._active.change(rejection=rejection, is_settled=True, was_read=True)

    def _gained(self, repository: Repository, served: list[str], head: Commit) -> list[str]:
        """The commits that the branch gains since what was in force last, oldest first; HEAD alone if nothing was."""
        snapshot = self._active.state.snapshot
        last = [snapshot.commit.id] if snapshot and snapshot.commit else served
        base = next((one for one in last if self._rule.scope == "all" and repository.tip(one)), None)
        return (repository.gained(base, head.id) if base else []) or [head.id]

    def _served_before(self, repository: Repository) -> list[str]:
        """While nothing is in force: the commits that this or an earlier version has served, the newest first."""
        if self._active.state.snapshot is not None:
            return []
        stored = self._stored_here()
        return list(dict.fromkeys(filter(None, (stored.commit.id if stored else None, repository.tip(PIN)))))

    def _fall_back(self, repository: Repository, served: list[str], head: Commit | None = None) -> None:
        """While nothing is in force: put in force the best there is instead of HEAD."""
        if self._active.state.snapshot is not None:
            return
        gate = Gate()
        if any(self._try(repository, one, gate, was_served=True) for one in served) or self._serve_stored():
            return
        ancestors = repository.ancestors(head.id, ANCESTORS, first_parent=True)[1:] if head else []
        any(self._try(repository, one, gate) for one in ancestors)

    def _try(self, repository: Repository, commit_id: str, gate: Gate, *, was_served: bool = False) -> bool:
        try:
            if not was_served:
                self._rule.require(repository, [commit_id])
            (commit,) = self._rule.with_signers(repository, [repository.commit(commit_id)])
            self._put_in_force(repository, commit, gate, was_served=was_served)
        except (BuildFailed, InvalidConfiguration, NotSigned, RepositoryError):
            return False
        return True

    def _put_in_force(self, repository: Repository, commit: Commit, gate: Gate, *, was_served: bool) -> None:
        started = time.monotonic()
        files = repository.files(repository.entries(commit))
        self._publish(self._loader.load(gate, files, commit, was_served=was_served), started)
        self._keeper.keep(repository, self._identity, commit, files)
        self._keeper.note("active", commit.id)

    def _serve_stored(self) -> bool:
        stored = self._stored_here()
        if stored is None:
            return False
        started = time.monotonic()
        try:
            self._publish(self._loader.load(Gate(), stored.files, stored.commit, was_served=True), started)
        except BuildFailed:  # it is tried again, and the outage of the source is told
            return False
        except InvalidConfiguration as error:
            log.warning("the content kept in %s cannot be used: %s", self._state_directory, error.message)
            self._stored = None
            return False
        self._keeper.note("active", stored.commit.id)
        return True

    def _publish(self, snapshot: Snapshot, started: float) -> None:
        self._active.change(snapshot=snapshot, override=None)
        self._stored = None  # it has done its work, and may be large
        commit = snapshot.commit
        self._active.count("active")
        signer = [commit.signer.name] if commit and commit.signer else []
        told = f"active commit=%s subnets=%d took=%.2fs{' signer=%s' * len(signer)}"
        log.info(told, commit and commit.id, snapshot.size, time.monotonic() - started, *signer)

    def _stored_here(self) -> LastGood | None:
        """The content on disk, if it is of this repository."""
        return self._stored if self._stored and self._stored.identity.is_same(self._identity) else None
