"""What going from one commit to another does, as a page tells it; without an old one, what a commit does."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ..config.commit import Commit
from ..config.location_map import LocationMap
from ..config.validate import Validator
from ..errors import InvalidConfiguration
from ..gate.effect import with_remembered_calls
from ..plan.as_json import Fields, Wanted, plan_excerpt
from ..plan.plan import make_plan
from ..repository.maps import load_map_at
from ..repository.repository import Repository, open_repository
from ..repository.revisions import LOOK_BACK


class Comparison(NamedTuple):
    """A commit, what it is compared with, and the plan of going from there to it."""

    old: Commit | None
    new: Commit
    plan: Fields


def compare(
    repository: Repository, old: Commit | None, new: Commit, served: Collection[str], wanted: Wanted | None = None
) -> Comparison:
    """The comparison with an old commit, or else with the newest valid one before; raises InvalidConfiguration.

    `served` are the ids of commits that were in force, `wanted` the changes that are listed.
    """
    validator = Validator()
    base, before = (
        (old, load_served(repository, old, validator, served)) if old else _before(repository, new, validator, served)
    )
    plan = make_plan(before, load_served(repository, new, validator, served))
    if old:
        plan = with_remembered_calls(plan, repository.directory, repository.settings())
    return Comparison(base, new, plan_excerpt(plan, wanted))


def compare_at(
    place: Path, old: Commit | None, new: Commit, served: Collection[str], wanted: Wanted | None = None
) -> Comparison:
    """The same for the repository at a place: for another process."""
    with open_repository(place) as repository:
        return compare(repository, old, new, served, wanted)


def load_served(repository: Repository, commit: Commit, validator: Validator, served: Collection[str]) -> LocationMap:
    """A commit by its own rules; one that was served and is not valid by them, as it was served."""
    try:
        return load_map_at(repository, validator, commit, errors_only=True)
    except InvalidConfiguration:
        if commit.id not in served:
            raise
        return load_map_at(repository, validator, commit, was_served=True, errors_only=True)


def _before(
    repository: Repository, commit: Commit, validator: Validator, served: Collection[str]
) -> tuple[Commit | None, LocationMap | None]:
    """What was there before a commit: an invalid one was never served."""
    for commit_id in repository.ancestors(commit.id, 1 + LOOK_BACK, first_parent=True)[1:]:
        with suppress(InvalidConfiguration):
            before = repository.commit(commit_id)
            return before, load_served(repository, before, validator, served)
    return None, None
