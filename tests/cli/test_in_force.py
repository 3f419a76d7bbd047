"""Commands that ask a map while the newest commit is not valid: what is in force answers, and both are named."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.program import run_program
from tests.support.repositories import BAD, GOOD, force_commit, git, make_repository, tip


def test_what_is_in_force_answers_while_the_newest_commit_is_not_valid(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "x.git", GOOD)
    good = tip(repository)
    force_commit(repository, {"locations.csv": "Oslo,10.61.2.0/24\n"})
    git("update-ref", "refs/location-policy/last-good", good, cwd=repository)
    bad = force_commit(repository, BAD, message="Break it")
    done = run_program("lookup", "10.61.2.7", "--repo", repository)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "Sydney, overflow Melbourne, Singapore")
    assert done.stderr == (
        f"location-policy: {bad[:10]} Break it (Alice) is rejected: 1 error\n"
        f"location-policy: answered from {good[:10]} Force it in (Alice), which is active\n"
    )
    body = json.loads(run_program("lookup", "10.61.2.7", "--repo", repository, "--format", "json").stdout)
    assert body["policy.commit"] == good
    assert body["head"] == {"commit": bad, "subject": "Break it", "errors": 1}


def test_without_a_service_the_newest_valid_commit_answers(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "x.git", GOOD)
    good = tip(repository)
    force_commit(repository, BAD)
    for asked in ("10.61.2.0/25", "10.61.2.7", "Sydney"):
        done = run_program("lookup", asked, "--repo", repository)
        assert done.returncode == 0
        assert done.stderr.endswith(f"answered from {good[:10]} Force it in (Alice), the latest valid one before it\n")


def test_a_commit_that_is_named_is_asked_and_no_other(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "x.git", GOOD)
    force_commit(repository, BAD)
    assert run_program("lookup", "10.61.2.7", "--repo", repository, "--rev", "main").returncode == 2


def test_what_was_served_before_a_rule_came_is_in_force(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "x.git", BAD)
    git("update-ref", "refs/location-policy/last-good", "main", cwd=repository)
    done = run_program("lookup", "10.61.3.7", "--repo", repository)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "Melbourne, overflow Sydney, Singapore")
    assert done.stderr.endswith("location-policy: it was served before these were errors, and is active\n")


def test_errors_are_told_before_warnings(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "x.git", {"a.csv": "x\n", "locations.csv": "Sydney\n"})
    lines = run_program("lookup", "10.61.2.7", "--repo", repository).stderr.splitlines()
    assert [": error: " in line for line in lines if line[:1] not in " l" or ":1:" in line] == [True, False]


def test_blame_asks_what_is_in_force(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "x.git", GOOD)
    good = tip(repository)
    bad = force_commit(repository, BAD, message="Break it")
    done = run_program("blame", "10.61.2.7", "--repo", repository)
    assert done.returncode == 0
    assert f"{good[:10]} " in done.stdout
    assert done.stderr.startswith(f"location-policy: {bad[:10]} Break it (Alice) is rejected: 1 error\n")
    found = json.loads(run_program("blame", "10.61.2.7", "--repo", repository, "--format", "json").stdout)
    assert (found["commit"], found["head"]["commit"]) == (good, bad)


def test_history_says_what_is_in_force_and_asks_it(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "x.git", {"locations.csv": "Oslo,10.61.2.0/24\n"})
    good = force_commit(repository, GOOD, message="Move to Sydney")
    bad = force_commit(repository, BAD, message="Break it")
    refused = f"location-policy: {bad[:10]} Break it (Alice) is rejected: 1 error\n"
    both = f"{refused}location-policy: answered from {good[:10]} "
    for asked in ((), ("10.61.2.7",), ("10.61.2.0/25",), ("Sydney",)):
        done = run_program("history", *asked, "--repo", repository)
        assert done.returncode == 0
        assert both in done.stderr
        assert "Move to Sydney" in done.stdout
        found = json.loads(run_program("history", *asked, "--repo", repository, "--format", "json").stdout)
        assert found["head"] == {"commit": bad, "subject": "Break it", "errors": 1}


def test_history_of_an_answer_is_that_of_what_is_in_force_where_a_forced_push_left_it(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "x.git", {"locations.csv": "Oslo,10.61.2.0/24\n"})
    first = tip(repository)
    good = force_commit(repository, GOOD, message="Move to Sydney")
    git("update-ref", "refs/location-policy/last-good", good, cwd=repository)
    git("update-ref", "refs/heads/main", first, cwd=repository)
    force_commit(repository, BAD, message="Break it")
    done = run_program("history", "10.61.2.7", "--repo", repository)
    assert "Move to Sydney" in done.stdout
    assert f"answered from {good[:10]} Move to Sydney (Alice), which is active" in done.stderr


def test_history_of_nothing_valid_is_told_as_before(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "x.git", BAD)
    for asked, told in (
        ("10.61.2.7", "10.61.2.7 gets no answer"),
        ("Perth", "Perth has 0 location rows and 0 overflow rows"),
    ):
        done = run_program("history", asked, "--repo", repository)
        assert (done.returncode, done.stdout) == (1, f"no change: {told}\n")
        assert done.stderr.endswith("location-policy: 1 commit with errors, skipped\n")
