"""What a move of the served branch does to answers, and whether it does more than one push may.

The limits are those of the map before, so that no change can lift the limit that it is held to. A push that goes back
to what was served before is held to none: a roll-back must not wait. What was served is what the branch has named, by
its log, which git alone writes; a commit that only lies behind such a tip was judged by no limit, and is no way back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ..config.commit import Commit
from ..config.files import OWNERS_PATH, is_read
from ..config.location_map import LocationMap
from ..config.validate import Validator
from ..errors import InvalidConfiguration, RepositoryError
from ..plan.affected_owners import AffectedOwner
from ..plan.limits import Excess, exceeded_limits
from ..plan.plan import EMPTY, Plan, make_plan
from ..plan.rule_changes import drops_expectations, same_answers
from ..repository.maps import load_map_at
from ..repository.objects import Entry
from ..repository.repository import Repository
from ..repository.revisions import LOOK_BACK

Tips = Callable[[], Sequence[str]]
"""The ids of the commits that the served branch has named before a move, newest first; asked only where it matters."""


@dataclass(frozen=True, slots=True)
class Base:
    """What a move is compared with: the newest valid commit of the branch; None where there is none."""

    commit: Commit | None
    location_map: LocationMap


@dataclass(frozen=True, slots=True)
class Effect:
    """What a move does; `returns_to` is the tip that it goes back to, `excess` the limits that it exceeds.

    `nearly` is a tip that it would go back to if `[checks]` and `[limits]` were left as they were there.
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
            return Base(commit, found)
    return Base(None, EMPTY)


def effect_of(
    repository: Repository,
    validator: Validator,
    base: Base,
    commit: Commit,
    new: LocationMap,
    served: Tips,
    settings: Mapping[str, str],
) -> Effect:
    """What going from the base to this commit, which has the map `new`, does; `served` are the tips before it, and
    `settings` our section of the git config.
    """
    plan = make_plan(base.location_map, new)
    if base.commit and plan.effect:
        plan = with_remembered_calls(plan, repository.directory, settings)
    if base.commit is None or not (plan.effect or plan.judging or plan.loosened or plan.removed or plan.views):
        return Effect(base, plan)
    tips = list(_commits(repository, dict.fromkeys(served())))
    returns_to = _equal_entries(repository, tips, commit)
    excess = () if returns_to else exceeded_limits(plan)
    nearly = None
    if excess or (asks_owners(base.location_map) and plan.touched and not returns_to):
        returns_to, nearly = _equal_meaning(repository, validator, tips, new)
        if all(one.loosens for one in excess):  # it moves too little to be on its way back
            nearly = None
    return Effect(base, plan, returns_to, () if returns_to else excess, nearly)


def with_remembered_calls(plan: Plan, directory: Path, settings: Mapping[str, str]) -> Plan:
    """The plan with the calls that it moves, where the service beside remembers calls, and this user may read them.

    Where it does not, as beside most repositories, nothing is loaded for it.
    """
    places = (directory / "location-policy", directory.parent)
    if "statedirectory" not in settings and not any(map(_has_history, places)):
        return plan
    from ..calls.history_file import UnusableHistory
    from ..calls.moved import with_calls
    from ..calls.remembered import calls_beside

    known = calls_beside(directory, settings, holds_limit="changed-calls" in plan.old.rules.limits)
    try:
        return with_calls(plan, known) if known else plan
    except UnusableHistory:
        return plan


def _has_history(place: Path) -> bool:
    try:
        return (place / "calls.sqlite").exists()
    except OSError:
        return False


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


def _commits(repository: Repository, commit_ids: Iterable[str]) -> Iterator[Commit]:
    """Those that are there: what is gone from a damaged repository is no way back."""
    for commit_id in commit_ids:
        with suppress(RepositoryError):
            yield repository.commit(commit_id)


def _equal_entries(repository: Repository, tips: Iterable[Commit], commit: Commit) -> Commit | None:
    """The newest tip with the same rows, rules and expectations, byte for byte: what git revert makes."""
    wanted = _serving(repository.entries(commit))
    return next((one for one in tips if _serving(repository.entries(one)) == wanted), None)


def _equal_meaning(
    repository: Repository, validator: Validator, tips: Iterable[Commit], new: LocationMap
) -> tuple[Commit | None, Commit | None]:
    """The newest tip with the same rows and rules, however they are written down, and no expectation that is gone;
    without one, the newest that differs in nothing but how pushes are judged.
    """
    nearly = None
    for commit in tips:
        old = _load(repository, validator, commit)
        if not old or not same_answers(old, new):
            continue
        if not drops_expectations(old, new):
            if old.rules == replace(new.rules, overflow_table=old.rules.overflow_table):
                return commit, None
            nearly = nearly or commit
    return None, nearly


def _serving(entries: tuple[Entry, ...]) -> list[Entry]:
    return [entry for entry in entries if is_read(entry.path) and entry.path != OWNERS_PATH]
