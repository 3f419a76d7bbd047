"""What a move of the served branch does to answers, and whether it does more than one push may.

The limits are those of the map before, so that no change can lift the limit that it is held to. A push that goes
back to what was served before is held to none: a roll-back must not wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..config.commit import Commit
from ..config.files import RULES_PATH, is_rows
from ..config.location_map import LocationMap
from ..config.validate import Validator
from ..errors import InvalidConfiguration
from ..plan.affected_owners import AffectedOwner
from ..plan.answer_changes import row_changes
from ..plan.limits import Excess, exceeded_limits
from ..plan.plan import EMPTY, Plan, make_plan
from ..plan.rule_changes import answering_changes
from ..repository.maps import load_map_at
from ..repository.objects import Entry
from ..repository.repository import Repository
from ..repository.revisions import LOOK_BACK


@dataclass(frozen=True, slots=True)
class Base:
    """What a move is compared with: the newest valid commit of the branch; None where there is none."""

    commit: Commit | None
    location_map: LocationMap


@dataclass(frozen=True, slots=True)
class Effect:
    """What a move does; `returns_to` is the commit that it goes back to, `excess` the limits that it exceeds.

    `nearly` is a commit that it would go back to if `[checks]` and `[limits]` were left as they were there.
    """

    base: Base
    plan: Plan
    returns_to: Commit | None = None
    excess: tuple[Excess, ...] = ()
    nearly: Commit | None = None

    @property
    def touched(self) -> tuple[AffectedOwner, ...]:
        """The owners who are asked; none is about a return to what was there, unless owners change with it."""
        return () if self.returns_to and not self.plan.owners else self.plan.touched


def find_base(repository: Repository, validator: Validator, old: str) -> Base:
    """The old tip; where it is not valid, the newest of its first-parent ancestors that is."""
    for commit_id in repository.ancestors(old, LOOK_BACK, first_parent=True):
        commit = repository.commit(commit_id)
        if found := _load(repository, validator, commit, was_served=commit_id == old):
            return Base(commit, found.without_contents())
    return Base(None, EMPTY)


def effect_of(repository: Repository, validator: Validator, base: Base, commit: Commit, new: LocationMap) -> Effect:
    """What going from the base to this commit, which has the map `new`, does."""
    plan = make_plan(base.location_map, new)
    if base.commit is None or not (plan.effect or plan.judging):
        return Effect(base, plan)
    returns_to = _equal_entries(repository, base.commit, commit)
    excess = () if returns_to else exceeded_limits(plan)
    nearly = None
    if excess or (asks_owners(base.location_map) and plan.touched and not returns_to):
        returns_to, nearly = _equal_meaning(repository, validator, base.commit, new)
    return Effect(base, plan, returns_to, () if returns_to else excess, nearly)


def asks_owners(location_map: LocationMap) -> bool:
    """Is the word of owners needed for what comes after this map?"""
    return bool(location_map.owned) and location_map.rules.severity("owner-approval") == "error"


def _load(
    repository: Repository, validator: Validator, commit: Commit, *, was_served: bool = False
) -> LocationMap | None:
    try:
        return load_map_at(repository, validator, commit, was_served=was_served, errors_only=True)
    except InvalidConfiguration:
        return None


def _equal_entries(repository: Repository, base: Commit, commit: Commit) -> Commit | None:
    """The newest commit with the same files of rows and the same rules, byte for byte: what git revert makes."""
    wanted = _serving(repository.entries(commit))
    return next((one for one in _older(repository, base) if _serving(repository.entries(one)) == wanted), None)


def _equal_meaning(
    repository: Repository, validator: Validator, base: Commit, new: LocationMap
) -> tuple[Commit | None, Commit | None]:
    """The newest commit with the same rows and rules, however they are written down; without one, the newest that
    differs in nothing but how pushes are judged.
    """
    nearly = None
    for commit in _older(repository, base):
        old = _load(repository, validator, commit)
        if old and not answering_changes(old.rules, new.rules) and not row_changes(old, new):
            if old.rules == new.rules:
                return commit, None
            nearly = nearly or commit
    return None, nearly


def _older(repository: Repository, base: Commit) -> Iterator[Commit]:
    ids = repository.ancestors(base.id, LOOK_BACK, first_parent=True)
    return (repository.commit(commit_id) for commit_id in ids)


def _serving(entries: tuple[Entry, ...]) -> list[Entry]:
    return [entry for entry in entries if is_rows(entry.path) or entry.path == RULES_PATH]
