"""What hooks have logged is counted, told and written down: of a flood only a few."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from location_policy.gate.push_log import Push, log_push
from location_policy.rollout import push_follower
from location_policy.rollout.push_follower import TOLD, TOLD_OF_ONE, PushFollower
from location_policy.rollout.state import ActiveState

MOMENT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
LINE = "refused push by=bob branch=main commit=%040d author=Mallory times=1: no (and 1 more)"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "refs").mkdir()
    return tmp_path


def push(number: int, by: str = "bob") -> Push:
    at = MOMENT + timedelta(seconds=number)
    return Push(at, "refused", by, "refs/heads/main", f"{number:040}", "Mallory", "Open Perth", ("no", "nor this"))


def follow(repository: Path, until: datetime | None = None) -> tuple[PushFollower, ActiveState, list[Push]]:
    """A service that begins to follow, what it counts and what it has noted."""
    active, noted = ActiveState(), list[Push]()
    follower = PushFollower(active, noted.append, lambda: until)
    follower.look(repository)
    return follower, active, noted


def test_what_is_logged_is_counted_told_once_and_noted(repository: Path, caplog: pytest.LogCaptureFixture) -> None:
    log_push(repository, push(1))
    follower, active, noted = follow(repository)
    log_push(repository, push(2))
    log_push(repository, push(3)._replace(result="accepted"))
    follower.look(repository)
    follower.look(repository)
    assert active.pushes == {"accepted": 1, "refused": 2, "failed": 0, "dry-run": 0}
    assert [one.message for one in caplog.records] == [LINE % 1, LINE % 2]
    assert noted == [push(1), push(2)]


def test_after_a_restart_only_what_came_meanwhile_is_told(repository: Path) -> None:
    log_push(repository, push(1))
    log_push(repository, push(2))
    _, active, noted = follow(repository, push(1).at)
    assert noted == [push(2)]
    assert active.pushes["refused"] == 2


def test_of_a_flood_a_few_are_told_in_a_minute_and_then_how_many_more(
    repository: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        log_push(repository, push(number))
    log_push(repository, push(30, "carol"))
    follower, _, noted = follow(repository)
    assert [one.by for one in noted] == ["bob"] * TOLD_OF_ONE + ["carol"]
    monkeypatch.setattr(push_follower, "MINUTE", 0.0)
    follower.look(repository)
    follower.look(repository)
    assert [one.message for one in caplog.records if "more=" in one.message] == ["refused pushes more=25"]


def test_of_many_pushers_no_more_are_told(repository: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for number in range(TOLD + 9):
            log_push(repository, push(number, f"user {number}"))
        _, _, noted = follow(repository)
    assert len(noted) == len(caplog.records) == TOLD


def test_where_nothing_was_logged_nothing_is_told(repository: Path) -> None:
    _, active, noted = follow(repository)
    assert set(active.pushes.values()) == {0}
    assert noted == []
