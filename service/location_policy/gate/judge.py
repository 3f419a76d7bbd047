"""The verdict on a move of the served branch.

What counts is what the branch gains: every commit of `OLD..NEW` must be valid, and the tip's whole tree always, so
that a commit pushed to a side branch first is no way round. A branch that is new brings its history with it: its tip
must be valid, older commits are only counted. What the move does to answers is told before the verdict, and held to
the limits of the map before it. No tree is built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..config.commit import Commit
from ..config.location_map import Gate, LocationMap
from ..errors import InvalidConfiguration
from ..plan.approvals import APPROVAL, unapproved
from ..plan.plan import EMPTY
from ..problems import Problem, errors_in, escape
from ..repository.objects import Entry
from ..repository.repository import Repository
from ..repository.signing_policy import SignatureRule
from . import messages as text
from .effect import Base, Effect, asks_owners, effect_of, find_base
from .overrides import asked_reason
from .ref_updates import Update
from .signature_check import judge_signatures

OLDER_COMMITS = 1_000
"""Commits below the tip of a new branch that are looked at for the warning."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a push is taken, and what its pusher is told."""

    accepted: bool
    lines: tuple[str, ...] = ()


class Judge:
    """Judges one update of the served branch; equal configurations are judged once."""

    def __init__(
        self,
        repository: Repository,
        options: Sequence[str],
        is_late: Callable[[], bool],
        signatures: SignatureRule,
        *,
        pusher: str,
        allows_rewind: bool,
        override: str | None,
        gate: Gate | None = None,
    ) -> None:
        """`override`: the command that overrides a limit for who makes a commit here; None: this is a push."""
        self._repository = repository
        self._options = options
        self._is_late = is_late
        self._signatures = signatures
        self._pusher = pusher
        self._allows_rewind = allows_rewind
        self._override = override
        self._gate = gate or Gate()
        self._problems: dict[tuple[Entry, ...], tuple[Problem, ...]] = {}
        self._tip: tuple[Entry, ...] = ()
        self._map: LocationMap | None = None
        """That of the tip, if it is valid."""

    def judge(self, update: Update) -> Verdict:
        """Whether the served branch may move so."""
        name = escape(update.ref.removeprefix("refs/heads/"))
        if update.deletes:
            return Verdict(False, (f"{name} is the served branch and cannot be deleted",))
        if update.creates:
            return self._judge_new(name, update.new)
        rewinds = not self._repository.is_ancestor(update.old, update.new)
        if rewinds and not self._allows_rewind:
            return Verdict(False, tuple(text.refuse_rewind(name)))
        told = [*self._tell_dropped(name, update)] if rewinds else []
        gained = self._repository.gained(update.old, update.new) or [update.new]
        base = find_base(self._repository, self._gate, update.old)
        verdict = self._judge_gained(name, base, gained, f"{gained[0][:10]}~" if rewinds else update.old[:10])
        return Verdict(verdict.accepted, (*told, *verdict.lines))

    def _judge_new(self, name: str, tip: str) -> Verdict:
        verdict = self._judge_gained(name, Base(None, EMPTY), [tip], "--root")
        if not verdict.accepted:
            return verdict
        *told, last = verdict.lines
        return Verdict(True, (*told, *self._tell_older(tip), last))

    def _tell_older(self, tip: str) -> Iterator[str]:
        """How many commits below the tip of a new branch are not valid."""
        older = self._repository.ancestors(tip, OLDER_COMMITS + 1)[1:]
        invalid, left = 0, len(older)
        for commit_id in reversed(older):
            if self._is_late():
                yield text.skip_older(left)
                break
            invalid += bool(errors_in(self._judge_commit(self._commit(commit_id))))
            left -= 1
        if invalid:
            yield from text.tell_older(invalid, len(older) - left, is_cut=len(older) == OLDER_COMMITS)

    def _judge_gained(self, name: str, base: Base, commit_ids: Sequence[str], rebase_from: str) -> Verdict:
        """The verdict on content and signatures: the pusher is told of both."""
        content = self._judge_move(name, base, commit_ids, rebase_from)
        signed = judge_signatures(self._signatures, self._repository, name, commit_ids, rebase_from)
        told, last = (content.lines[:-1], content.lines[-1:]) if content.accepted else (content.lines, ())
        if not signed.accepted:
            gap = ("",) if told and told[-1] else ()
            return Verdict(False, (*told, *gap, *signed.lines))
        return Verdict(content.accepted, (*told, *(signed.lines if content.accepted else ()), *last))

    def _judge_move(self, name: str, base: Base, commit_ids: Sequence[str], rebase_from: str) -> Verdict:
        """The verdict on going from the base to the last of these commits, which are in order, oldest first."""
        tip = self._commit(commit_ids[-1])
        self._tip = self._repository.entries(tip)
        refused = [*self._invalid(commit_ids)]
        plan, effect = self._plan(name, base, tip)
        if refused:
            tip_only = refused[0][0].id == tip.id
            head = text.refuse_commits(name, len(refused), len(commit_ids))
            mend = text.how_to_mend(rebase_from, tip_only=tip_only)
            return Verdict(
                False, (*plan, *head, *text.tell_problems(refused), *(mend if self._override is None else ()))
            )
        warnings = [*self._warnings()]
        verdict = self._judge_effect(name, tip, effect) if effect else Verdict(True)
        told = (*plan, *warnings, *verdict.lines)
        return Verdict(verdict.accepted, told if not verdict.accepted else (*told, text.accept(name, len(commit_ids))))

    def _plan(self, name: str, base: Base, tip: Commit) -> tuple[Sequence[str], Effect | None]:
        """What going from the base to the tip does, told and as it is; limits are never let go for want of time."""
        if self._map is None:
            return (), None
        held = base.location_map.rules.limits or asks_owners(base.location_map)
        if not held and self._is_late():
            return (text.SKIP_PLAN, ""), None
        effect = effect_of(self._repository, self._gate, base, tip, self._map)
        return [*text.tell_effect(name, tip, effect)], effect

    def _judge_effect(self, name: str, tip: Commit, effect: Effect) -> Verdict:
        """May the change be as large as it is, and are those asked whose address space it touches?"""
        size, owners = self._judge_size(name, tip, effect), self._judge_owners(name, tip, effect)
        gap = ("",) * (not size.accepted and not owners.accepted)
        return Verdict(size.accepted and owners.accepted, (*size.lines, *gap, *owners.lines))

    def _judge_owners(self, name: str, tip: Commit, effect: Effect) -> Verdict:
        """Has everybody given their word whose it is? Who that is, and how much it weighs, is as it was before."""
        before = effect.base.location_map
        if not effect.touched or before.rules.severity("owner-approval") == "off":
            return Verdict(True)
        missing = unapproved(effect.touched, self._pusher, self._repository.trailers(tip.id, APPROVAL))
        if not missing:
            return Verdict(True)
        if asks_owners(before):
            return Verdict(False, tuple(text.refuse_unapproved(name, missing)))
        return Verdict(True, tuple(text.tell_unapproved(missing)))

    def _judge_size(self, name: str, tip: Commit, effect: Effect) -> Verdict:
        """May the change be as large as it is?"""
        excess = effect.excess
        if not excess:
            return Verdict(True)
        reason = asked_reason(self._repository, tip.id, self._options)
        if reason is None:
            nearly = text.tell_nearly(effect.nearly) if effect.nearly else ()
            return Verdict(False, (*text.refuse_size(name, excess), *nearly, *text.how_to_override(self._override)))
        return Verdict(True, tuple(text.tell_override(excess, reason)))

    def _invalid(self, commit_ids: Sequence[str]) -> Iterator[tuple[Commit, tuple[Problem, ...]]]:
        for commit_id in commit_ids:
            commit = self._commit(commit_id)
            if errors := errors_in(self._judge_commit(commit)):
                yield commit, errors

    def _judge_commit(self, commit: Commit) -> tuple[Problem, ...]:
        """What is wrong with a commit, without the warnings that cost: no others are told than the tip's."""
        entries = self._repository.entries(commit)
        if entries not in self._problems:
            try:
                files = self._repository.files(entries, self._gate.knows)
                found = self._gate.load_map(files, errors_only=True)
                self._map = found if entries == self._tip else self._map
                self._problems[entries] = found.warnings
            except InvalidConfiguration as error:
                self._problems[entries] = error.problems
        return self._problems[entries]

    def _warnings(self) -> Iterator[str]:
        """What could be better in the tip, which is valid."""
        warnings = self._problems[self._tip]
        if self._is_late():
            yield text.SKIP_WARNINGS
        else:
            files = self._repository.files(self._tip, self._gate.knows)
            warnings = self._gate.load_map(files).warnings
        yield from text.shown([str(problem) for problem in warnings])

    def _commit(self, commit_id: str) -> Commit:
        return self._repository.commit(commit_id)

    def _tell_dropped(self, name: str, update: Update) -> Iterator[str]:
        dropped = self._repository.gained(update.new, update.old)
        newest = dropped[: -text.SHOWN_DROPPED - 1 : -1]
        return text.tell_dropped(name, len(dropped), [self._commit(commit_id) for commit_id in newest])
