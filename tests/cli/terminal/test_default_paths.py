"""Where `serve` keeps what it is told nothing about, and what other commands then ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from location_policy.cli.terminal.default_paths import asked_place, own_place
from tests.support.program import run_program
from tests.support.repositories import GOOD, git, make_repository


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is no clone of the project, and a home."""
    for name in ("STATE_DIRECTORY", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def test_it_is_the_state_directory_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert own_place().repository == tmp_path / "home/.local/state/location-policy/locations.git"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")  # which is to be passed over
    assert own_place().state == tmp_path / "home/.local/state/location-policy/state"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert own_place().state == tmp_path / "location-policy/state"


def test_it_is_the_first_state_directory_of_a_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/location-policy:/var/lib/other")
    assert own_place() == (Path("/var/lib/location-policy/locations.git"), Path("/var/lib/location-policy/state"))


@pytest.mark.parametrize("there", ["data/locations.git", "data/state", "service/location_policy"])
def test_it_stays_here_in_a_clone_of_the_project_and_where_it_was(there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/location-policy")
    Path("data").mkdir()  # of another program
    assert own_place().state == Path("/var/lib/location-policy/state")
    Path(there).mkdir(parents=True)
    assert own_place() == (Path("data/locations.git"), Path("data/state"))


def test_the_folder_that_one_is_in_is_asked_before_what_is_kept_elsewhere(tmp_path: Path) -> None:
    make_repository(own_place().repository, GOOD)
    assert asked_place(None) == own_place()
    git("init", "--quiet", cwd=tmp_path / "here")
    assert asked_place(None).repository.resolve() == (tmp_path / "here/.git").resolve()


def test_where_neither_can_be_written_serve_says_which(tmp_path: Path) -> None:
    done = run_program("serve", "--port", "0", cwd=tmp_path, environment={"STATE_DIRECTORY": "/dev/null/x"})
    assert (done.returncode, "/dev/null/x" in done.stderr) == (3, True)
