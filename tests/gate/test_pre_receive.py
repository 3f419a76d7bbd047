"""Judging a push, apart from how it arrives; pushes themselves are in tests/system/hook."""

from __future__ import annotations

from pathlib import Path

import pytest

from location_policy.errors import RepositoryError
from location_policy.gate import judgement
from location_policy.gate.messages import verdict_lines
from location_policy.gate.pre_receive import judge
from location_policy.gate.ref_updates import Update
from location_policy.gate.verdict import Verdict
from location_policy.repository.repository import open_pushed_repository
from tests.support.maps import count_loads
from tests.support.repositories import BAD, GOOD, force_commit, git, make_repository, tip

ZEROS = "0" * 40


def lines(verdict: Verdict) -> tuple[str, ...]:
    """What the pusher is told."""
    return tuple(verdict_lines(verdict))


def test_only_the_newest_of_a_long_history_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judgement, "OLDER_COMMITS", 3)
    repository = make_repository(tmp_path / "map.git", BAD)
    for number in range(4):
        force_commit(repository, BAD, message=str(number))
    new = force_commit(repository, GOOD)
    with open_pushed_repository(repository) as opened:
        verdict = judge([Update(ZEROS, new, "refs/heads/main")], opened)
    assert verdict.accepted
    assert lines(verdict)[-3] == "warning: 3 of the last 3 commits before it have errors"


def test_equal_configurations_are_judged_once_besides_the_one_that_they_are_compared_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = count_loads(monkeypatch)
    repository = make_repository(tmp_path / "map.git", GOOD)
    old = force_commit(repository, GOOD)
    new = [force_commit(repository, {**GOOD, "README": str(number)}) for number in range(5)][-1]
    with open_pushed_repository(repository) as opened:
        assert judge([Update(old, new, "refs/heads/main")], opened).accepted
    assert loads() == 2  # the old one, and the new ones


def test_an_update_to_a_commit_that_is_not_there_raises(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "map.git", GOOD)
    with open_pushed_repository(repository) as opened, pytest.raises(RepositoryError):
        judge([Update("1" * 40, "2" * 40, "refs/heads/main")], opened)


def test_late_only_what_could_be_left_out_is_and_that_is_said(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "map.git", BAD)
    force_commit(repository, BAD)
    files = {"locations/emea.csv": "Sydney,::/0\n", "sites.csv": "x\n"}
    new = force_commit(repository, files)
    with open_pushed_repository(repository) as opened:
        verdict = judge([Update(ZEROS, new, "refs/heads/main")], opened, is_late=lambda: True)
    assert verdict.accepted
    assert "[catch-all]" not in "".join(lines(verdict))
    assert "[stray-csv]" in "".join(lines(verdict))
    assert lines(verdict)[0] == "out of time, so what changes is not told: location-policy diff"
    assert "out of time, so not all warnings are here: location-policy check" in lines(verdict)
    assert lines(verdict)[-2] == "out of time: 2 commits before it are not looked at"


def test_late_what_is_not_valid_is_refused_all_the_same(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "map.git", GOOD)
    old, new = (force_commit(repository, files) for files in (GOOD, BAD))
    with open_pushed_repository(repository) as opened:
        verdict = judge([Update(old, new, "refs/heads/main")], opened, is_late=lambda: True)
    assert not verdict.accepted
    assert "[host-bits]" in "".join(lines(verdict))


def test_time_that_runs_out_while_older_commits_are_looked_at_leaves_the_rest(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "map.git", BAD)
    force_commit(repository, {**BAD, "README.md": "x\n"})
    new = force_commit(repository, GOOD)
    times = iter([False, False, False, True])  # the plan, the warnings of the tip, the oldest commit, the one above it
    with open_pushed_repository(repository) as opened:
        verdict = judge([Update(ZEROS, new, "refs/heads/main")], opened, is_late=lambda: next(times))
    assert lines(verdict)[-4:-1] == (
        "out of time: 1 commit before it is not looked at",
        "warning: 1 of the 1 commit before it has errors",
        "a commit with errors cannot be served",
    )


def test_late_a_push_is_held_to_its_limits_all_the_same(tmp_path: Path) -> None:
    rows = "".join(f"Sydney,10.70.{number}.0/24\n" for number in range(100))
    files = {"locations.csv": rows, "policy.toml": '[limits]\nchanged-addresses = "10%"\n'}
    repository = make_repository(tmp_path / "map.git", files)
    old = force_commit(repository, files)
    new = force_commit(repository, {**files, "locations.csv": rows.replace("Sydney", "Perth")})
    with open_pushed_repository(repository) as opened:
        verdict = judge([Update(old, new, "refs/heads/main")], opened, is_late=lambda: True)
    assert not verdict.accepted
    assert "main is rejected: change limit exceeded" in lines(verdict)


# --- updates that end a push without a look, and those that only ask ---


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A repository that takes dry runs."""
    place = make_repository(tmp_path / "map.git", GOOD)
    git("config", "receive.procReceiveRefs", "refs/for", cwd=place)
    return place


@pytest.mark.parametrize(
    ("ref", "new", "why"),
    [
        ("refs/location-policy/last-good", "tip", "reserved"),
        ("refs/notes/location-policy", "tip", "reserved"),
        ("refs/for/side", "tip", "not-served"),
        ("refs/for/main", ZEROS, "not-there"),
    ],
)
def test_why_a_push_ends_without_a_look_is_there_with_what_was_judged_before(
    place: Path, ref: str, new: str, why: str
) -> None:
    old, good = tip(place), force_commit(place, {"locations.csv": "Sydney,10.0.0.0/8\n"})
    updates = [Update(old, good, "refs/heads/main"), Update(ZEROS, good if new == "tip" else new, ref)]
    with open_pushed_repository(place) as opened:
        verdict = judge(updates, opened)
    assert verdict.unjudged
    assert (verdict.accepted, verdict.unjudged.why, verdict.unjudged.update) == (False, why, updates[1])
    assert [move.accepted for move in verdict.moves] == [True]


def test_a_repository_that_does_not_take_dry_runs_says_so(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "map.git", GOOD)
    with open_pushed_repository(place) as opened:
        verdict = judge([Update(ZEROS, tip(place), "refs/for/main")], opened)
    assert verdict.unjudged
    assert (verdict.accepted, verdict.unjudged.why) == (False, "no-dry-runs")


def test_a_dry_run_is_judged_as_the_push_that_it_asks_about_and_both_are_judged_once(place: Path) -> None:
    old, new = tip(place), force_commit(place, {"locations.csv": "Sydney,10.0.0.0/8\n"})
    git("update-ref", "refs/heads/main", old, cwd=place)
    asked, pushed = Update(ZEROS, new, "refs/for/main"), Update(old, new, "refs/heads/main")
    with open_pushed_repository(place) as opened:
        verdict = judge([asked, pushed], opened)
    assert (verdict.accepted, verdict.dry_runs, [move.update for move in verdict.moves]) == (True, (asked,), [pushed])


def test_other_branches_are_not_judged_and_a_push_ends_with_the_first_move_that_is_refused(place: Path) -> None:
    old, bad = tip(place), force_commit(place, BAD)
    git("update-ref", "refs/heads/main", old, cwd=place)
    with open_pushed_repository(place) as opened:
        assert judge([Update(ZEROS, bad, "refs/heads/side")], opened).moves == ()
        git("symbolic-ref", "refs/heads/alias", "refs/heads/main", cwd=place)
        updates = [Update(old, bad, "refs/heads/alias"), Update(old, old, "refs/heads/main")]
        verdict = judge(updates, opened)
    assert ([move.update for move in verdict.moves], verdict.accepted) == (updates[:1], False)


def test_a_push_that_names_no_ref_is_refused(place: Path) -> None:
    with open_pushed_repository(place) as opened:
        assert judge([], opened) == Verdict(())


# --- aliases of a branch that is not born ---


@pytest.mark.parametrize(("served", "pushed"), [("main", "production"), ("production", "main")])
def test_the_first_push_of_a_branch_is_judged_by_whichever_of_its_names(
    tmp_path: Path, served: str, pushed: str
) -> None:
    place = make_repository(tmp_path / "map.git", BAD)
    new = tip(place)
    git("update-ref", "-d", "refs/heads/main", cwd=place)
    git("symbolic-ref", "refs/heads/production", "refs/heads/main", cwd=place)
    git("config", "location-policy.branch", served, cwd=place)
    with open_pushed_repository(place) as opened:
        assert not judge([Update(ZEROS, new, f"refs/heads/{pushed}")], opened).accepted
