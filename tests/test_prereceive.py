"""Judging a push, apart from how it arrives; pushes themselves are in tests/hook."""

from __future__ import annotations

from pathlib import Path

import pytest

from location_policy import judgement
from location_policy.errors import RepositoryError
from location_policy.location_map import Gate, LocationMap
from location_policy.prereceive import judge
from location_policy.repository import open_pushed_repository
from location_policy.sources import File
from location_policy.updates import Update
from tests.support.repositories import BAD, GOOD, force_commit, make_repository

ZEROS = "0" * 40


def test_only_the_newest_of_a_long_history_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judgement, "OLDER_COMMITS", 3)
    repository = make_repository(tmp_path / "map.git", BAD)
    for number in range(4):
        force_commit(repository, BAD, message=str(number))
    new = force_commit(repository, GOOD)
    with open_pushed_repository(repository) as opened:
        verdict = judge([Update(ZEROS, new, "refs/heads/main")], opened)
    assert verdict.accepted
    assert verdict.lines[-3] == "warning: 3 of the last 3 commits before it are not valid"


def test_equal_configurations_are_judged_once_besides_the_one_that_they_are_compared_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = []
    load = Gate.load_map

    def count(gate: Gate, files: list[File], *, was_served: bool = False, errors_only: bool) -> LocationMap:
        judged.append(files)
        return load(gate, files, was_served=was_served, errors_only=errors_only)

    monkeypatch.setattr(Gate, "load_map", count)
    repository = make_repository(tmp_path / "map.git", GOOD)
    old = force_commit(repository, GOOD)
    new = [force_commit(repository, {**GOOD, "README": str(number)}) for number in range(5)][-1]
    with open_pushed_repository(repository) as opened:
        assert judge([Update(old, new, "refs/heads/main")], opened).accepted
    assert len(judged) == 2


def test_an_update_to_a_commit_that_is_not_there_raises(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "map.git", GOOD)
    with open_pushed_repository(repository) as opened, pytest.raises(RepositoryError):
        judge([Update("1" * 40, "2" * 40, "refs/heads/main")], opened)
