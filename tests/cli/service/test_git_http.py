"""Whether the repository is served over HTTP."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from location_policy.cli.service.git_http import open_git
from location_policy.errors import CannotStart
from location_policy.repository.http_backend import LARGEST_PUSH
from tests.support.repositories import GOOD, clone, git, make_repository


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "map.git", GOOD)


def test_a_repository_of_ones_own_is_served_unless_it_is_not_wanted(repository: Path) -> None:
    for wanted in (None, True):
        assert open_git(repository, copy_of=None, wanted=wanted)
    assert open_git(repository, copy_of=None, wanted=False) is None


@pytest.mark.parametrize(("value", "largest"), [("5m", 5 * 1024 * 1024), ("0", LARGEST_PUSH), (None, LARGEST_PUSH)])
def test_its_packs_may_be_as_large_as_it_says(repository: Path, value: str | None, largest: int) -> None:
    if value:
        git("config", "receive.maxInputSize", value, cwd=repository)
    backend = open_git(repository, copy_of=None, wanted=None)
    assert backend
    assert backend.largest == largest


def test_one_whose_limit_cannot_be_read_has_the_usual_one(repository: Path) -> None:
    git("config", "receive.maxInputSize", "much", cwd=repository)
    backend = open_git(repository, copy_of=None, wanted=None)
    assert backend
    assert backend.largest == LARGEST_PUSH


def test_a_working_copy_is_not_served(repository: Path, tmp_path: Path) -> None:
    copy = clone(repository, tmp_path / "copy").path / ".git"
    assert open_git(copy, copy_of=None, wanted=None) is None
    with pytest.raises(CannotStart, match="is not a bare repository, so no hook judges what is pushed"):
        open_git(copy, copy_of=None, wanted=True)


def test_a_copy_is_served_for_reading(repository: Path) -> None:
    url = "https://forge.example.com/map.git"
    for wanted in (None, True):
        backend = open_git(repository, copy_of=url, wanted=wanted)
        assert backend
        assert backend.copy_of == url
    assert open_git(repository, copy_of=url, wanted=False) is None


def test_one_that_is_not_there_now_is_left_to_git(tmp_path: Path) -> None:
    assert open_git(tmp_path / "gone.git", copy_of=None, wanted=True)


@pytest.mark.parametrize(("user", "name"), [(0, "root"), (4_000_000_001, "4000000001")])
def test_one_of_another_user_is_not_served(
    repository: Path, monkeypatch: pytest.MonkeyPatch, user: int, name: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    os.chown(repository, 65534, -1) if user == 0 else None
    with pytest.raises(CannotStart) as caught:
        open_git(repository, copy_of=None, wanted=True)
    assert caught.value.hint == f"chown -R {name} {repository}"
