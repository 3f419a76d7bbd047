"""`location-policy calls`: from decision logs, and from what a service remembers."""

from __future__ import annotations

import json
import random
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from location_policy.calls.history_file import HistoryFile
from location_policy.calls.recent import today
from tests.calls.logs import random_lines
from tests.calls.situations import situation
from tests.support.maps import snapshot_of
from tests.support.program import run_program
from tests.support.repositories import GOOD, make_repository

LINES = random_lines(random.Random(1), snapshot_of(), 100)
ROWLESS = situation(ms_subnet="10.9.1.0", outcome="no-match", location=None, overflow=())


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One of which a service remembers calls."""
    path = make_repository(tmp_path / "locations.git", GOOD)
    (path / "location-policy").mkdir()
    with closing(HistoryFile(path / "location-policy" / "calls.sqlite")) as file:
        file.add(today().toordinal(), {situation(): 300, ROWLESS: 12})
        file.add(today().toordinal() - 9, {situation(): 7})
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "decisions.log"
    path.write_bytes(b"".join(LINES) + b"what is this?\n")
    return path


def test_what_a_service_remembers_is_held_against_the_map_in_force(repository: Path) -> None:
    done = run_program("calls", "--repo", repository)
    assert done.returncode == 0
    assert done.stdout.startswith("312 calls since ")
    assert ",10.9.1.0/24\n" in done.stdout
    assert "that no call since" in done.stdout
    assert "held against" in done.stderr


def test_since_says_how_far_back_it_goes_and_calls_are_told_since_the_first_that_is_known(repository: Path) -> None:
    for since, calls, days in (("30d", 319, 9), ("5d", 312, 5)):
        fields = json.loads(run_program("calls", "--repo", repository, "--since", since, "--format", "json").stdout)
        assert (fields["calls"], fields["since"]) == (calls, str(today() - timedelta(days=days)))


def test_logs_are_read_without_a_map_where_there_is_none(log: Path, tmp_path: Path) -> None:
    done = run_program("calls", log, "--format", "json", cwd=tmp_path)
    assert done.returncode == 0
    fields = json.loads(done.stdout)
    assert (fields["calls"], fields["unused_rows"]) == (100, None)
    assert "1 line of 101 are none of a decision log" in done.stderr
    assert "no map is known here" in done.stderr


def test_files_that_are_no_logs_are_no_reason_to_call_rows_unneeded(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "backup.tar").write_bytes(bytes(9000) + b"\n")
    done = run_program("calls", tmp_path / "backup.tar", "--repo", repository)
    assert (done.returncode, done.stdout) == (2, "")
    assert "backup.tar: no line is one of a decision log" in done.stderr


def test_standard_input_is_a_log(log: Path, tmp_path: Path) -> None:
    done = run_program("calls", "-", "--format", "csv", cwd=tmp_path, stdin=log.read_bytes())
    assert done.stdout.startswith("kind,value,detail,calls,last,view\n")


def test_everything_is_told_where_that_is_asked_for(repository: Path) -> None:
    some, whole = (run_program("calls", "--repo", repository, *more) for more in ((), ("--all",)))
    assert len(whole.stdout) >= len(some.stdout)
    assert "--all" not in whole.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--since", "2999-01-01"), "is in the future"),
        (("--at-least", "0"), "--at-least"),
        (("nowhere.log",), "nowhere.log cannot be read: No such file or directory"),
        (("--repo", "nowhere.git"), "nowhere.git"),
        (("--rev", "nothing"), "nothing"),
    ],
)
def test_what_cannot_be_asked_is_said(repository: Path, arguments: tuple[str, ...], told: str) -> None:
    done = run_program("calls", *arguments, cwd=repository)
    assert done.returncode == 2
    assert told in done.stderr


def test_where_no_calls_are_remembered_this_is_said(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "locations.git", GOOD)
    done = run_program("calls", "--repo", repository)
    assert done.returncode == 2
    assert "no calls are remembered in" in done.stderr


def test_a_history_that_is_damaged_is_named(repository: Path) -> None:
    (repository / "location-policy" / "calls.sqlite").write_bytes(b"x" * 9000)
    done = run_program("calls", "--repo", repository)
    assert done.returncode == 2
    assert "calls.sqlite cannot be read" in done.stderr
