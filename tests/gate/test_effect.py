"""What a push is told of the calls that it moves, where a service beside the repository remembers them."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from location_policy.calls import history_file, remembered
from location_policy.calls.history_file import HistoryFile
from location_policy.gate.effect import Effect
from location_policy.gate.messages import verdict_lines
from location_policy.gate.pre_receive import judge
from location_policy.gate.ref_updates import Update
from location_policy.gate.verdict import Verdict
from location_policy.repository.repository import open_pushed_repository
from tests.calls.situations import situation
from tests.support.maps import many_rows
from tests.support.repositories import Files, clone, force_commit, git, init_with, make_repository, said

OLD = {"locations.csv": "Sydney,10.61.2.0/24\nPerth,10.61.3.0/24\nOslo,10.61.4.0/24\n"}
NEW = {"locations.csv": "Melbourne,10.61.2.0/24\nOslo,10.61.4.0/24\n"}
LIMITED = {
    "locations.csv": OLD["locations.csv"] + many_rows(100, "Oslo"),
    "policy.toml": '[limits]\nchanged-calls = "5%"\n',
}


def remember(state: Path) -> None:
    """92 calls of today: 30 of Sydney, two of Perth, 60 of Oslo."""
    state.mkdir(exist_ok=True)
    counts = {situation(ms_subnet=f"10.61.{place}.9"): calls for place, calls in ((2, 30), (3, 2), (4, 60))}
    with closing(HistoryFile(state / "calls.sqlite")) as file:
        file.add(datetime.now(UTC).toordinal(), counts)


def verdict_of(repository: Path, new: Files) -> Verdict:
    """The verdict on a push of these files."""
    old = git("rev-parse", "refs/heads/main", cwd=repository)
    made = force_commit(repository, new)
    git("update-ref", "refs/heads/main", old, cwd=repository)
    with open_pushed_repository(repository) as opened:
        return judge([Update(old, made, "refs/heads/main")], opened)


def effect(verdict: Verdict) -> Effect:
    """What it does."""
    found = verdict.moves[0].effect
    assert found
    return found


def test_a_push_is_told_whose_calls_it_moves_those_first_that_lose_their_answer(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "map.git", OLD)
    force_commit(repository, OLD)
    remember(repository / "location-policy")
    lines = list(verdict_lines(verdict_of(repository, NEW)))
    today = datetime.now(UTC).date()
    assert "2 calls had an answer and lose it" in lines
    assert "32 of 92 calls of the last day get another answer (34.79%)" in lines
    sydney = next(line for line in lines if line.startswith("10.61.2.0/24"))
    assert f"256 addresses, 30 calls, last {today}" in sydney


def test_more_calls_than_a_push_may_move_are_over_the_limit(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "map.git", LIMITED)
    force_commit(repository, LIMITED)
    moved = {**LIMITED, "locations.csv": NEW["locations.csv"] + many_rows(100, "Oslo")}
    assert effect(verdict_of(repository, moved)).excess == ()  # nothing is remembered
    remember(repository / "location-policy")
    refused = verdict_of(repository, moved)
    assert not refused.accepted
    (excess,) = effect(refused).excess
    assert excess == ("changed-calls", "5%", "34.79% of calls of the last day")
    few = {**LIMITED, "locations.csv": LIMITED["locations.csv"].replace("Perth", "Melbourne")}
    assert verdict_of(repository, few).accepted


def test_taking_out_the_limit_is_over_it_though_nothing_is_remembered(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "map.git", LIMITED)
    force_commit(repository, LIMITED)
    (excess,) = effect(verdict_of(repository, {**LIMITED, "policy.toml": ""})).excess
    assert excess == ("limits.changed-calls", "5%", "none")


def test_where_the_history_cannot_be_read_in_time_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = make_repository(tmp_path / "map.git", OLD)
    force_commit(repository, OLD)
    remember(repository / "location-policy")
    monkeypatch.setattr(remembered, "PATIENCE", -1.0)
    monkeypatch.setattr(history_file, "STEPS", 1)
    verdict = verdict_of(repository, NEW)
    assert verdict.accepted
    assert effect(verdict).plan.calls is None


def test_the_hook_says_it_to_a_real_push(tmp_path: Path) -> None:
    site = init_with(tmp_path, OLD)
    remember(site / "location-policy")
    work = clone(site, tmp_path / "work")
    work.commit(NEW)
    assert "32 of 92 calls of the last day get another answer (34.79%)" in said(work.push())
