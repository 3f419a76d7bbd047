"""A few followers are on their way at a time."""

from __future__ import annotations

import time

import pytest

from location_policy.fleet.turnstile import LATEST, NAMELESS, ON_THE_WAY, Turnstile


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_who_was_told_takes_a_place_until_it_is_back_or_is_late(clock: list[float]) -> None:
    gate = Turnstile(3)
    for name in ("a", "b", None):
        gate.leave(name)
    assert gate.room() == 0
    gate.come_back("a")
    gate.come_back("unknown")
    assert gate.room() == 1
    clock[0] += NAMELESS
    assert gate.room() == 2
    clock[0] += LATEST
    assert gate.room() == 3


def test_no_more_are_told_than_one_user_may_have_waiting_for_git() -> None:
    assert Turnstile().room() == ON_THE_WAY == 32
