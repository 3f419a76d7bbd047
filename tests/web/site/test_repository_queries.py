"""Large maps are compared in another process, with the same outcome."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from location_policy.errors import BuildFailed, LocationPolicyError
from location_policy.web.edge.faults import fault_of
from location_policy.web.site.repository_queries import RepositoryQueries
from tests.support.app import served
from tests.support.repositories import force_commit, make_repository, tip
from tests.web.history import FIRST, INVALID, SECOND, THIRD


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", FIRST)


def queries(place: Path, **large: int) -> RepositoryQueries:
    active, settings = served(place)
    return RepositoryQueries(place, settings.state_directory, active, **large)


def outcome(queries: RepositoryQueries, old: str | None, new: str) -> object:
    try:
        return queries.change(old, new)
    except LocationPolicyError as error:
        return type(error), vars(error)


def test_commits_are_compared_alike_wherever_that_is_done(place: Path) -> None:
    first, second = tip(place), force_commit(place, SECOND)
    invalid, third = force_commit(place, INVALID), force_commit(place, THIRD)
    apart, here = queries(place, large=0), queries(place)
    for old, new in ((first, third), (None, second), (None, third), (None, first), (first, invalid), (invalid, third)):
        assert outcome(apart, old, new) == outcome(here, old, new)


def test_commits_that_cannot_be_compared_are_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    with pytest.raises(BuildFailed) as raised:
        queries(place, large=0).change(None, tip(place))
    fault = fault_of(raised.value)
    assert (fault.status, fault.message.partition(":")[0]) == (503, "the repository cannot be read")
    assert "no process can be started to compare the commits" in fault.message


def test_a_commit_that_empties_a_large_map_is_large(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    force_commit(place, {"locations.csv": "# many\n" * 200 + "Oslo,10.0.0.0/8\n"})
    small = force_commit(place, FIRST)
    next_one = force_commit(place, SECOND)
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    limited = queries(place, large=1_000)
    assert limited.change(small, next_one).plan["effect"]
    with pytest.raises(BuildFailed):
        limited.change(None, small)
