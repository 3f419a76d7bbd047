"""Refresh from the source: has HEAD moved, is it to be put in force, what else has changed.

`look` asks the file system first, and git only when a file has changed that decides, or something is wrong that may be
mended without such a change: objects that cannot be read, a commit refused for want of a signature, content that could
not be kept.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ..errors import LocationPolicyError, RepositoryError, TornPin
from ..gate.hooks import deciding_hook_files, hook_in
from ..gate.overrides import NOTES, override_of
from ..gate.pin import is_pin_kept
from ..gate.ref_updates import PIN
from ..repository.fingerprint import deciding_files
from ..repository.git_dir import find_git_directory
from ..repository.git_process import START, deadline
from ..repository.remote.backup import keep_notes, pin_file
from ..repository.remote.mirror import Mirror
from ..repository.remote.naming import fetched_ref
from ..repository.repository import Repository, open_repository
from ..repository.signing_policy import SignatureRule, signature_rule
from ..text import listed
from .activate import Activator
from .change_detector import ChangeDetector
from .fetched import FetchGate
from .journal import last_push
from .last_good import Identity
from .outages import Outages
from .persistence import LAST_GOOD
from .pinned import PinHolder
from .push_follower import PushFollower
from .relation import relation_to
from .same_history import history_rule
from .state import ActiveState, Failure, Head, now

DEFAULT_BRANCH = "main"
"""That which is waited for before it is known which is served."""

log = logging.getLogger(__name__)


class Refresher:
    """Keeps `active` in step with one repository; for one thread."""

    def __init__(
        self,
        place: Path,
        active: ActiveState,
        state_directory: Path,
        mirror: Mirror | None = None,
    ) -> None:
        self._place = place
        self._mirror = mirror
        self._active = active
        self._activator = Activator(active, state_directory, Identity("", str(place.absolute())))
        self._fetch_gate = FetchGate(mirror, active, self._activator) if mirror else None
        self._pin_holder = PinHolder(active, self._activator)
        self._outages = Outages(place, active, mirror)
        self._detector, self._pin_detector = ChangeDetector(), ChangeDetector()
        self._follower = PushFollower(active, self._activator.note_push, lambda: last_push(state_directory))
        self._directory: Path | None = None
        """The git directory that was read last; None for a mirror, to which there are no pushes."""
        self._is_hurried = False
        self._doubt: TornPin | None = None
        """Why HEAD waits: a pin is there of which not all is known."""
        self._noted: tuple[str | None, str | None] = (None, None)
        """The commit and the state of the notes for which an override was looked for."""

    def look(self) -> None:
        """Refresh unless everything is in order and no file has changed that decides what is served."""
        is_due = self._mirror is not None and self._mirror.is_due()
        with self._active.asking(), deadline(0.0 if self._active.state.was_read else START):
            is_asked = self._is_hurried or self._pin_holder.is_over() or not self._is_in_order()
            is_asked = is_asked or self._detector.has_changed()
            if is_asked or is_due:
                self.refresh(only_news=not is_asked)
            else:
                self._note_check()
            if self._directory:
                self._follower.look(self._directory)
            self._outages.tell_stale()

    def hurry(self) -> None:
        """Let the next look ask git, even if the file system shows no change."""
        self._is_hurried = True

    def folders(self) -> tuple[Path, ...]:
        """The folders in which something happens when what is served changes; for any thread."""
        files = self._detector.files
        try:
            files = files or deciding_files(
                find_git_directory(self._place), (f"refs/heads/{DEFAULT_BRANCH}", NOTES, PIN)
            )
        except RepositoryError:
            return ()
        return files.folders()

    def _is_in_order(self) -> bool:
        state = self._active.state
        is_wrong = state.outage or state.head is None or state.signatures_problem
        is_due = self._activator.is_waiting or (self._fetch_gate is not None and self._fetch_gate.is_due())
        return state.is_settled and not is_wrong and not is_due

    def refresh(self, *, only_news: bool = False) -> None:
        """Ask git; every failure becomes part of the state.

        `only_news`: the copy of a remote is read if looking at the remote has changed it.
        """
        self._is_hurried = False
        try:
            if self._active.state.snapshot is None:  # before anything is asked that may not answer
                with self._active.asking(is_asked=False):
                    self._activator.serve_stored()
            if self._mirror:
                self._look_at_mirror(self._mirror, only_news=only_news)
            else:
                with open_repository(self._place) as repository:
                    self._look(repository)
        except Exception as error:  # noqa: BLE001  the top level: to end here would be to serve old answers for ever
            self._outages.note_failed(error)
            self._pin_holder.let_go_if_over()
            self._activator.tell_what_is_gone()
        else:
            self._outages.note_success()
        if self._mirror:
            self._active.change(looks=self._mirror.looks)
        if self._active.state.outage and self._active.state.snapshot is None:
            self._activator.serve_stored()

    def _look_at_mirror(self, mirror: Mirror, *, only_news: bool) -> None:
        """Look at a remote, then at the copy of it; without the remote only where nothing else can be served."""
        if not self._active.state.was_read:
            self._look_at_pin()
        try:
            mirror.update(self._look_at_pin_meanwhile)
        except RepositoryError:
            if self._active.state.snapshot is None:
                with suppress(RepositoryError), open_repository(self._place) as repository:
                    self._serve_what_is_here(repository)
            self._look_at_pin()
            raise
        if only_news and not self._detector.has_changed():
            self._note_check()
            return
        try:
            self._look_at_copy(mirror)
        except RepositoryError as error:
            if not mirror.note_read(error):
                raise
            mirror.update(self._look_at_pin_meanwhile)
            self._look_at_copy(mirror)

    def _look_at_copy(self, mirror: Mirror) -> None:
        with open_repository(self._place) as repository:
            self._look(repository)
        mirror.note_read(None)

    def _look_at_pin(self) -> None:
        """Look at what is held by hand, and at notes, while the remote does not answer, for which it does not wait."""
        if not (self._pin_holder.is_over() or self._pin_detector.has_changed()):
            return
        begun, outage = self._pin_detector.begin(), self._active.state.outage
        with suppress(RepositoryError), open_repository(self._place) as repository:
            if self._active.state.pin or is_pin_kept(repository):
                ref = repository.served_ref(repository.settings())
                if repository.tip(fetched_ref(ref)):
                    self._look(repository)
                else:  # the copy was made anew, and is empty yet
                    self._hold(repository, ref)
            self._look_at_notes(repository)
            beside = (pin_file(repository.directory),)
            self._pin_detector.end(begun, deciding_files(repository.directory, (PIN, NOTES), beside))
        if outage:  # which what is here does not end
            self._active.change(outage=outage)

    def _look_at_pin_meanwhile(self) -> None:
        """An editor does not wait for a remote that hangs; what fails is tried again by a look."""
        with suppress(LocationPolicyError, OSError):
            self._look_at_pin()

    # --- what is there ---

    def _serve_what_is_here(self, repository: Repository) -> None:
        """Put the best in force that a copy has; what its remote says of it is not known."""
        settings = repository.settings()
        self._activator.history = history_rule(settings, self._activator.history.here.place)
        self._look_at_rule(signature_rule(settings, repository.directory))
        self._activator.fall_back(repository, repository.tip(repository.served_ref(settings)))

    def _look(self, repository: Repository) -> None:
        begun = self._detector.begin()
        self._directory = None if self._mirror else repository.directory
        settings = repository.settings()
        self._activator.history = history_rule(settings, self._activator.history.here.place)
        hook_files = self._look_at_hook(repository)
        self._look_at_rule(signature_rule(settings, repository.directory))
        try:
            ref = repository.served_ref(settings)
            self._activator.history = self._activator.history._replace(ref=ref)
            refs = (ref, fetched_ref(ref), NOTES, PIN) if self._mirror else (ref, NOTES, PIN)
            repository.read_ahead(*refs, LAST_GOOD)
            self._follow(repository, ref)
        except RepositoryError:  # what HEAD names cannot be read: the commit that was good last may be whole
            self._activator.fall_back(repository)
            if self._active.state.snapshot is None:  # none was: then what HEAD follows, as far as that can be read
                with suppress(RepositoryError):
                    self._activator.fall_back(repository, repository.tip(repository.served_ref(settings)))
            raise
        self._look_at_notes(repository)
        self._activator.try_again(repository)
        others = (self._place, self._place / ".git", *hook_files, *filter(None, self._activator.rule.keys))
        others += (pin_file(repository.directory),) if self._mirror else ()
        self._detector.end(begun, deciding_files(repository.directory, refs, others))

    def _note_check(self) -> None:
        """The source was looked at: a copy when its remote was, anything else just now."""
        self._active.change(last_checked_at=self._mirror.fetched_at if self._mirror else now())

    def _follow(self, repository: Repository, ref: str) -> None:
        named = fetched_ref(ref) if self._mirror else ref
        tip = repository.tip(named)
        name = ref.removeprefix("refs/heads/")
        is_switched = self._active.state.branch != name
        self._active.change(branch=name)
        self._note_check()
        is_held = self._hold(repository, ref)
        if tip is None:
            repository.require_not_lost(named)
            self._note_no_commit(repository, name)
            return
        if self._doubt:
            self._wait(repository, tip, self._doubt)
            return
        state = self._active.state
        head = state.head if state.head and state.head.commit.id == tip and not is_switched else None
        is_lost = self._fetch_gate is not None and self._fetch_gate.has_lost(repository, ref, tip)
        if head is None or is_lost or self._is_to_be_judged_again():
            commit = self._activator.read(repository, tip)
            if head is None:
                before = self._activator.in_force() or repository.tip(ref)
                head = Head(commit, now(), relation_to(repository, before, tip))
            head = replace(head, commit=commit)  # whose signer may be told otherwise by now
            self._see(head, is_held=is_held)
            if is_held:
                self._pin_holder.tell_waiting(head)
            else:
                self._roll_out(repository, ref, head)
            if self._fetch_gate:
                self._fetch_gate.note_seen(tip)
        elif is_held:
            return
        elif not state.is_settled or self._activator.is_unconfirmed(tip):
            self._roll_out(repository, ref, head)

    def _hold(self, repository: Repository, ref: str) -> bool:
        """Whether what is in force is held by hand; HEAD then waits, and how it lies to that is found out anew."""
        before, doubt, self._doubt = self._active.state.pin, self._doubt, None
        is_held = False
        try:
            is_held = self._pin_holder.holds(repository)
        except TornPin as error:
            self._doubt = error
        if doubt and not self._doubt and not is_held:  # HEAD counts again
            self._active.change(rejection=None, is_settled=False)
        pin, head = self._active.state.pin, self._active.state.head
        held = pin or before
        if held and head and pin != before:
            self._active.change(head=replace(head, relation=relation_to(repository, held.commit, head.commit.id)))
        if pin and self._fetch_gate and repository.has_commit(pin.commit):
            self._fetch_gate.move(repository, ref, pin.commit)
        return is_held

    def _wait(self, repository: Repository, tip: str, doubt: TornPin) -> None:
        """HEAD is seen, and not judged: a pin is there of which not all is known."""
        head = self._active.state.head
        if head is None or head.commit.id != tip:
            relation = relation_to(repository, self._activator.in_force(), tip)
            self._see(Head(self._activator.read(repository, tip), now(), relation), is_held=False)
        self._activator.wait(repository, Failure(now(), doubt.message, tip, hint=doubt.hint))

    def _is_to_be_judged_again(self) -> bool:
        return self._activator.is_to_be_judged_again() or (self._fetch_gate is not None and self._fetch_gate.is_due())

    def _roll_out(self, repository: Repository, ref: str, head: Head) -> None:
        """Put HEAD in force, where it may be; what it drops of what was in force before is told once."""
        before = self._activator.in_force()
        is_told = self._mirror is not None and self._mirror.is_of_service
        if self._fetch_gate and not is_told and not self._fetch_gate.takes(repository, ref, head):
            return
        self._activator.roll_out(repository, head.commit, is_told=is_told)
        if self._fetch_gate and is_told and self._activator.in_force() == head.commit.id:
            self._fetch_gate.move(repository, ref, head.commit.id)
        relation = head.relation
        if relation and relation.dropped and before != self._activator.in_force() == head.commit.id:
            dropped = ", ".join(commit.id for commit in relation.newest)
            told = "dropped commits=%d gained=%d of branch %s, the newest: %s"
            log.warning(told, relation.dropped, relation.gained, self._active.state.branch, dropped)
            self._activator.note_dropped(relation.newest)

    def _see(self, head: Head, *, is_held: bool) -> None:
        """The source names this commit now, which may be in force already, or wait for what is held by hand."""
        state = self._active.state
        served = state.snapshot.commit if state.snapshot else None
        is_in_force = served is not None and served.id == head.commit.id
        self._active.change(
            head=head,
            last_changed_at=head.seen_at,
            is_settled=is_held or (is_in_force and not self._activator.is_unconfirmed(head.commit.id)),
            was_read=state.was_read or is_in_force,
            rejection=None if is_in_force or is_held else state.rejection,
            outage=None,
        )

    def _note_no_commit(self, repository: Repository, name: str) -> None:
        """An empty repository is waited for; a branch that is missing among others is an administrator's mistake."""
        self._activator.fall_back(repository)
        state = self._active.state
        branches = self._branches(repository)
        rejection = None
        if branches or state.snapshot:
            there = f"; branches here: {listed(branches)}" if branches else ""
            rejection = Failure(now(), f"branch {name} has no commit{there}")
            if state.rejection and state.rejection.message == rejection.message:
                rejection = state.rejection
            else:
                log.error("nothing to follow: %s", rejection.message)
        was_read = state.was_read or state.snapshot is None
        self._active.change(was_read=was_read, head=None, rejection=rejection)

    def _branches(self, repository: Repository) -> list[str]:
        """The short names of those that the source has."""
        if self._mirror is None:
            return repository.branches()
        folder = fetched_ref("")
        return [name.removeprefix(folder) for name in repository.refs_below(folder)]

    def _look_at_hook(self, repository: Repository) -> tuple[Path, ...]:
        """Judge it; the files by which it is judged."""
        folder = None if self._mirror else repository.hooks_folder()
        hook = hook_in(folder)
        if hook != self._active.state.hook and hook.state not in ("ok", "none"):
            effect = f"is of version {hook.version}" if hook.state == "other-version" else "does not check pushes"
            mend = f"location-policy init {self._place}"
            log.warning("hook %s: it %s; fix it with: %s", hook.state, effect, mend)
        self._active.change(hook=hook)
        return deciding_hook_files(folder) if folder else ()

    def _look_at_notes(self, repository: Repository) -> None:
        """Was a limit overridden by the push of what is in force? That is noted a moment after the push."""
        snapshot = self._active.state.snapshot
        commit_id = snapshot.commit.id if snapshot and snapshot.commit else None
        noted = commit_id, repository.tip(NOTES)
        if noted != self._noted:
            override = override_of(repository, commit_id) if commit_id and noted[1] else None
            self._active.change(override=override)
            self._noted = noted
            if self._mirror:
                self._keep_notes(repository)

    def _keep_notes(self, repository: Repository) -> None:
        """Keep them beside the copy of a remote, too: the remote does not have them."""
        try:
            keep_notes(repository, NOTES)
        except (OSError, RepositoryError) as error:
            why = error.message if isinstance(error, RepositoryError) else error.strerror
            log.warning("the notes would be lost with the copy, for they cannot be kept beside it: %s", why)

    def _look_at_rule(self, rule: SignatureRule) -> None:
        problem = "; ".join(filter(None, (rule.problem.message, rule.problem.hint))) if rule.problem else None
        if problem and problem != self._active.state.signatures_problem:
            effect = "nobody's signature is told" if rule.scope == "off" else "no commit is taken"
            log.error("%s, as signatures cannot be judged: %s", effect, problem)
        self._activator.rule = rule
        self._active.change(signatures=rule.scope, signatures_problem=problem)
