"""When a remote is looked at, with a clock that is set and chance that is chosen."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from location_policy.repository.remote.schedule import LONGEST_WAIT, Schedule


@dataclass
class World:
    """The time, and where between its two bounds chance falls."""

    now: float = 1_000.0
    chance: float = 1.0

    def schedule(self, interval: float = 30.0) -> Schedule:
        return Schedule(interval, lambda low, high: low + (high - low) * self.chance, lambda: self.now)


def test_the_first_look_is_due_at_once() -> None:
    assert World().schedule().seconds_left == 0


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 27.0), (0.5, 30.0), (1.0, 33.0)])
def test_after_a_look_the_next_is_an_interval_away_a_tenth_more_or_less(chance: float, seconds: float) -> None:
    schedule = World(chance=chance).schedule()
    schedule.succeed()
    assert schedule.seconds_left == pytest.approx(seconds)


def test_after_failures_the_longest_wait_doubles_up_to_ten_minutes() -> None:
    schedule, waits = World().schedule(), []
    for _ in range(40):
        schedule.fail()
        waits.append(schedule.seconds_left)
    assert waits == [60, 120, 240, 480, *[LONGEST_WAIT] * 36]


def test_what_was_told_and_could_not_be_fetched_is_tried_again_soon_and_then_each_interval() -> None:
    world = World()
    schedule, waits = world.schedule(), []
    for _ in range(6):
        schedule.fail_soon()
        waits.append(schedule.seconds_left)
    assert waits == [2, 4, 8, 16, 30, 30]
    schedule.succeed()
    schedule.fail_soon(retry_after=5.0)
    assert schedule.seconds_left == 5


def test_chance_may_let_the_next_look_be_at_once() -> None:
    schedule = World(chance=0.0).schedule()
    schedule.fail()
    assert schedule.seconds_left == 0


def test_an_interval_that_is_longer_than_the_longest_wait_stays() -> None:
    schedule = World().schedule(interval=3_600)
    schedule.fail()
    assert schedule.seconds_left == 3_600


def test_a_success_starts_it_over() -> None:
    schedule = World().schedule()
    for _ in range(5):
        schedule.fail()
    schedule.succeed()
    schedule.fail()
    assert schedule.seconds_left == 60


def test_hurry_is_at_once_and_starts_it_over() -> None:
    schedule = World().schedule()
    for _ in range(5):
        schedule.fail()
    schedule.hurry()
    assert schedule.seconds_left == 0
    schedule.begin()
    schedule.fail()
    assert schedule.seconds_left == 60


def test_a_hurry_while_a_look_is_under_way_asks_for_another() -> None:
    schedule = World().schedule()
    schedule.begin()
    schedule.hurry()
    schedule.succeed()
    assert schedule.seconds_left == 0


def test_what_the_remote_asks_for_is_kept_also_in_a_hurry() -> None:
    world = World(chance=0.0)
    schedule = world.schedule()
    schedule.fail(retry_after=90)
    schedule.hurry()
    assert schedule.seconds_left == 90
    world.now += 90
    assert schedule.seconds_left == 0
