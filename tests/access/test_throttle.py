"""Wrong credentials: how many, from where, and how long their answer waits."""

from __future__ import annotations

import pytest

from location_policy.access import throttle as failures
from location_policy.access.throttle import FORGOTTEN, LONGEST, Throttle


class Clock:
    """A clock that stands still until it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_first_cost_nothing_and_then_each_twice_as_long_up_to_a_bound() -> None:
    found = Throttle()
    delays = [found.add("192.0.2.1", "node") for _ in range(40)]
    assert delays[:7] == [0.0, 0.0, 0.0, 0.25, 0.5, 1.0, 2.0]
    assert set(delays[7:]) == {LONGEST}


def test_another_address_and_another_user_are_counted_apart() -> None:
    found = Throttle()
    for _ in range(10):
        found.add("192.0.2.1", "node")
    assert found.add("192.0.2.2", "node") == found.add("192.0.2.1", "ana") == 0.0
    assert (found.of("192.0.2.1"), found.of("192.0.2.1", "node"), found.of("192.0.2.3")) == (11, 10, 0)


def test_who_succeeds_is_forgiven_and_time_forgives_too() -> None:
    clock = Clock()
    found = Throttle(clock)
    found.add("192.0.2.1", "node")
    found.forgive("192.0.2.1", "node")
    found.forgive("192.0.2.1", "nobody")
    assert found.of("192.0.2.1", "node") == 0
    found.add("192.0.2.1", "node")
    clock.now = FORGOTTEN
    assert found.of("192.0.2.1", "node") == 0


def test_the_addresses_of_one_ipv6_network_are_one() -> None:
    found = Throttle()
    found.add("2001:db8::1", "node")
    found.add("local", "node")
    assert found.of("2001:db8::2", "node") == 1
    assert found.of("2001:db8:0:1::2", "node") == 0


def test_those_around_an_address_are_counted_beside_it() -> None:
    found = Throttle()
    for address in ("2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:7::1", "192.0.2.1", "192.0.3.1"):
        found.add(address, "node")
    assert found.around("2001:db8:0:1::2") == (1, 2, 3)
    assert found.around("2001:db8:0:3::1") == (0, 2, 3)
    assert found.around("2001:db8:8::1") == (0, 0, 3)
    assert found.around("2001:db9::") == (0, 0, 0)
    assert found.around("192.0.2.1") == (1, 1, 2)
    assert found.around("192.0.2.2") == (0, 1, 2)
    assert found.around("192.0.4.1") == (0, 0, 2)
    assert found.around("local") == (0,)


def test_turns_of_an_address_that_has_failed_come_one_after_the_other() -> None:
    clock = Clock()
    found = Throttle(clock)
    assert [found.turn("192.0.2.1") for _ in range(9)] == [0.0] * 9
    for number in range(20):
        found.add("192.0.2.1", f"user{number}")
    waits = [found.turn("192.0.2.1") for _ in range(24)]
    assert waits[:2] == [0.0, LONGEST]
    assert all(wait > LONGEST for wait in waits[2:])
    assert found.turn("192.0.2.2") == 0.0
    clock.now = 2 * LONGEST
    assert found.turn("192.0.2.1") == 0.0


def test_the_memory_of_turns_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "REMEMBERED", 4)
    found = Throttle(Clock())
    for number in range(10):
        found.turn(f"192.0.2.{number}")
    assert len(found._turns) == 4


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "REMEMBERED", 6)
    found = Throttle()
    for number in range(10):
        found.add(f"192.0.2.{number}", "x" * 1_000_000)
    assert [found.of(f"192.0.2.{number}", "x" * 100) for number in (0, 7, 8, 9)] == [0, 0, 1, 1]


def test_it_is_logged_at_each_doubling_without_the_rest_of_a_long_name(caplog: pytest.LogCaptureFixture) -> None:
    found = Throttle()
    for _ in range(9):
        found.add("192.0.2.1", "n" * 200)
    told = f"wrong credentials user={'n' * 100} address=192.0.2.1 failures="
    assert caplog.messages == [f"{told}{number}" for number in (1, 2, 4, 8)]
