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
        f"location-policy: {bad[:10]} Break it (Alice) is not valid: 1 error\n"
        f"location-policy: answered from {good[:10]} Force it in (Alice), which is in force\n"
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
        assert done.stderr.endswith(
            f"answered from {good[:10]} Force it in (Alice), the newest before it that is valid\n"
        )


def test_a_commit_that_is_named_is_asked_and_no_other(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "x.git", GOOD)
    force_commit(repository, BAD)
    assert run_program("lookup", "10.61.2.7", "--repo", repository, "--rev", "main").returncode == 2


def test_what_was_served_before_a_rule_came_is_in_force(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "x.git", BAD)
    git("update-ref", "refs/location-policy/last-good", "main", cwd=repository)
    done = run_program("lookup", "10.61.3.7", "--repo", repository)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "Melbourne, overflow Sydney, Singapore")
    assert done.stderr.endswith("location-policy: it was served before these were errors, and is in force\n")


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
    assert done.stderr.startswith(f"location-policy: {bad[:10]} Break it (Alice) is not valid: 1 error\n")
    found = json.loads(run_program("blame", "10.61.2.7", "--repo", repository, "--format", "json").stdout)
    assert (found["commit"], found["head"]["commit"]) == (good, bad)
