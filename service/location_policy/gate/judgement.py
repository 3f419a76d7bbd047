"""Judge a move of the served branch: what it gains, and what that does.

What counts is what the branch gains: every commit of `OLD..NEW` must be valid, and the tip's whole tree always, so
that a commit pushed to a side branch first is no way round. A branch that is new brings its history with it: its tip
must be valid, older commits are only counted. What the move does to answers is found out too, and held to the limits
of the map before it. No tree is built, and the map of a configuration is made once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from ..config.commit import Commit
from ..config.files import RULES_PATH, holds_rows
from ..config.lint import all_warnings
from ..config.location_map import LocationMap
from ..config.validate import Validator
from ..errors import InvalidConfiguration
from ..plan.affected_owners import AffectedOwner
from ..plan.plan import EMPTY
from ..problems import GATHERED, NO_PROBLEMS, Problems, errors_in
from ..repository.objects import Entry
from ..repository.repository import Repository
from ..repository.revisions import LOOK_BACK
from ..repository.signing_policy import signature_rule
from .effect import Base, Effect, Tips, asks_owners, effect_of, find_base
from .overrides import asked_reason
from .ref_updates import Update
from .verdict import Dropped, Extra, InvalidCommit, Move, OlderCommits

OLDER_COMMITS = 1_000
"""Commits below the tip of a new branch that are looked at for the warning."""
REMEMBERED = 100_000
"""Files of configurations of which it is remembered what is wrong with them."""
NAMED = 10
"""Commits that are named when a push drops history; the rest is counted."""


class Judge:
    """Judges one update of the served branch, the ref `branch`; equal configurations are judged once."""

    def __init__(
        self,
        repository: Repository,
        options: Sequence[str],
        is_late: Callable[[], bool],
        settings: Mapping[str, str],
        *,
        branch: str,
        pusher: str,
        allows_rewind: bool,
        is_fetch: bool = False,
        spares_memory: bool = False,
    ) -> None:
        """`settings` are our section of the git config.

        With `is_fetch` the branch stands there already, on a remote: the tip must be valid, and what is not valid
        before it is only counted, since it cannot be mended any more; no pusher is told what could be better. With
        `spares_memory` what is compared with keeps its rows and not its bytes: those that the tip does
        not have are read again where its warnings are asked for.
        """
        self._repository = repository
        self._options = options
        self._is_late = is_late
        self._signatures = signature_rule(settings, repository.directory)
        self._settings = settings
        self._branch = branch
        self._pusher = pusher
        self._allows_rewind = allows_rewind
        self._is_fetch = is_fetch
        self._spares_memory = spares_memory
        self._validator = Validator()
        self._problems: dict[tuple[Entry, ...], Problems] = {}
        self._remembered = 0
        """How many files those configurations have."""
        self._told = Counter[tuple[str, str, str]]()  # as `take_fresh` counts
        self._tip: tuple[Entry, ...] = ()
        self._map: LocationMap | None = None
        """That of the tip, if it is valid."""
        self._rules_text = b""
        """The policy.toml of the tip."""

    def judge(self, update: Update) -> Move:
        """Whether the served branch may move so, and what that does."""
        if update.deletes:
            return Move(update, forbidden="deletion")
        if update.creates:
            move = self._judge_gained(update, Base(None, EMPTY), [update.new])
            if self._is_fetch or not move.accepted:
                return move
            return replace(move, older=self._older(self._repository.ancestors(update.new, OLDER_COMMITS + 1)[1:]))
        rewinds = not self._repository.is_ancestor(update.old, update.new)
        if rewinds and not self._allows_rewind:
            return Move(update, forbidden="rewind")
        dropped = self._dropped(update) if rewinds else None
        gained = self._repository.gained(update.old, update.new) or [update.new]
        base = find_base(self._repository, self._validator, update.old)
        if self._spares_memory:
            base = replace(base, location_map=base.location_map.without_contents())
        move = replace(self._judge_gained(update, base, gained), dropped=dropped)
        if self._is_fetch and move.accepted and len(gained) > 1:
            return replace(move, older=self._older(gained[-2::-1][:OLDER_COMMITS]))
        return move

    def _judge_gained(self, update: Update, base: Base, commit_ids: Sequence[str]) -> Move:
        """The verdict on going from the base to the last of these commits, which are in order, oldest first."""
        tip = self._commit(commit_ids[-1])
        self._tip = self._repository.entries(tip)
        invalid = tuple(self._invalid(commit_ids[-1:] if self._is_fetch else commit_ids))
        effect, skipped = self._effect(base, tip, partial(self._repository.tips, self._branch, update.old, LOOK_BACK))
        move = Move(update, gained=tuple(commit_ids), invalid=invalid, effect=effect, skipped=skipped)
        if not invalid:
            move = self._judge_valid(move, tip, base)
        if not self._signatures.judged(commit_ids):
            return move
        from .signature_check import check_signatures  # most repositories ask for none

        return replace(move, signatures=check_signatures(self._signatures, self._repository, commit_ids))

    def _judge_valid(self, move: Move, tip: Commit, base: Base) -> Move:
        """The same with what could be better, and who has agreed: of commits that can all be served."""
        skipped: tuple[Extra, ...] = ("warnings",) if self._is_fetch or self._is_late() else ()
        warnings, old_warnings = self._warnings(base, gathers_all=not skipped)
        return replace(
            move,
            warnings=warnings,
            old_warnings=old_warnings,
            reason=asked_reason(self._repository, tip.id, self._options)
            if move.effect and move.effect.excess
            else None,
            unapproved=self._unapproved(tip, move.effect) if move.effect else (),
            needs_approval=asks_owners(base.location_map),
            skipped=(*move.skipped, *skipped),
        )

    def _older(self, older: Sequence[str]) -> OlderCommits:
        """The commits below a tip, newest first."""
        invalid, left = 0, len(older)
        for commit_id in reversed(older):
            if self._is_late():
                break
            invalid += bool(errors_in(self._judge_commit(self._commit(commit_id))))
            left -= 1
        return OlderCommits(len(older) - left, invalid, left, is_cut=len(older) == OLDER_COMMITS)

    def _effect(self, base: Base, tip: Commit, served: Tips) -> tuple[Effect | None, tuple[Extra, ...]]:
        """What going from the base to the tip does; limits and owners are never let go for want of time."""
        if self._map is None:
            return None, ()
        held = base.location_map.rules.limits or asks_owners(base.location_map)
        if not held and (self._is_fetch or self._is_late()):
            return None, ("plan",)
        return effect_of(self._repository, self._validator, base, tip, self._map, served, self._settings), ()

    def _unapproved(self, tip: Commit, effect: Effect) -> tuple[AffectedOwner, ...]:
        """The owners who have not given their word, where the rules ask for it; owners and rules are as before."""
        if not effect.touched or effect.base.location_map.rules.severity("owner-approval") == "off":
            return ()
        from ..plan.approvals import APPROVAL, unapproved  # most pushes touch no owner

        return unapproved(effect.touched, self._pusher, self._repository.trailers(tip.id, APPROVAL))

    def _invalid(self, commit_ids: Sequence[str]) -> Iterator[InvalidCommit]:
        for commit_id in commit_ids:
            commit = self._commit(commit_id)
            if errors := errors_in(self._judge_commit(commit)):
                yield InvalidCommit(commit, self._fresh(errors))

    def _fresh(self, errors: Problems) -> Problems:
        """Those that no earlier commit has; once the commits have enough of them, none is looked at."""
        if self._told.total() >= GATHERED:
            return Problems(cut=("error",))
        from ..plan.new_problems import take_fresh  # most pushes have no problem

        return Problems(take_fresh(errors, self._told), cut=errors.cut).first()

    def _judge_commit(self, commit: Commit) -> Problems:
        """What is wrong with a commit, without the warnings that cost: no others are told than the tip's.

        All that is gathered is given once, to who looks at it first: a push may have very many commits.
        """
        entries = self._repository.entries(commit)
        if entries in self._problems:
            return self._problems[entries]
        self._remember(len(entries))
        try:
            files = self._repository.files(entries, self._validator.knows)
            found = self._validator.load_map(files, errors_only=True)
            problems = found.warnings
        except InvalidConfiguration as error:
            problems = error.problems
        else:
            if entries == self._tip:
                self._map = found
                self._rules_text = next((file.content or b"" for file in files if file.path == RULES_PATH), b"")
        self._problems[entries] = problems.first()
        return problems

    def _remember(self, files: int) -> None:
        """Make room for the problems of so many files; those of the tip stay."""
        self._remembered += files
        if self._remembered > REMEMBERED:
            self._problems = {one: found for one, found in self._problems.items() if one == self._tip}
            self._remembered = files

    def _warnings(self, base: Base, *, gathers_all: bool) -> tuple[Problems, Problems]:
        """What could be better in the tip, which is valid: what was not so before, and what was."""
        found = self._map
        assert found is not None
        warnings = _all_warnings(found, self._rules_text) if gathers_all else found.warnings
        if base.commit is None or not warnings:
            return warnings, NO_PROBLEMS
        before = self._warnings_before(base.commit, base.location_map) if gathers_all else base.location_map.warnings
        from ..plan.new_problems import split_by_age  # as above

        return split_by_age(warnings, before)

    def _warnings_before(self, commit: Commit, before: LocationMap) -> Problems:
        """What could be better in the map that the tip is compared with."""
        assert self._map is not None
        if self._spares_memory:
            here, held = set(self._tip), {file.path: file.content for file in self._map.all_files}
            entries = [entry for entry in self._repository.entries(commit) if holds_rows(entry.path)]
            read = self._repository.files(entry for entry in entries if entry not in here)
            before = before.with_contents({**held, **{file.path: file.content or b"" for file in read}})
        return _all_warnings(before, self._repository.content_at(commit.tree, RULES_PATH))

    def _commit(self, commit_id: str) -> Commit:
        return self._repository.commit(commit_id)

    def _dropped(self, update: Update) -> Dropped:
        dropped = self._repository.gained(update.new, update.old)
        return Dropped(len(dropped), tuple(self._commit(commit_id) for commit_id in dropped[: -NAMED - 1 : -1]))


def _all_warnings(found: LocationMap, rules_text: bytes) -> Problems:
    return all_warnings([one.files for one in found.maps], found.rules, rules_text, found.warnings)
