"""The names of the states, in the order in which they apply."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest

from location_policy.gate.pin import Pin
from location_policy.rollout.state import ActiveState, Failure, Head, State, now
from tests.support.maps import COMMIT, MOMENT, snapshot_of

SNAPSHOT = snapshot_of()
HOUR = timedelta(hours=1)
HEAD = Head(COMMIT, MOMENT)
OUTAGE = Failure(MOMENT, "/srv/locations.git does not exist")
REJECTION = Failure(MOMENT, "the configuration has 1 error", COMMIT.id)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("stale", {"was_read": True, "head": HEAD, "is_settled": True, "last_checked_at": MOMENT, "max_stale": HOUR}),
        ("stale", {"snapshot": SNAPSHOT, "outage": OUTAGE, "began_at": MOMENT, "max_stale": HOUR}),
        ("last-good", {"snapshot": SNAPSHOT, "last_checked_at": MOMENT}),
        ("last-good", {"snapshot": SNAPSHOT, "began_at": MOMENT, "last_checked_at": now(), "max_stale": HOUR}),
        ("last-good", {"snapshot": SNAPSHOT}),
        ("last-good", {"snapshot": SNAPSHOT, "outage": OUTAGE, "head": HEAD, "rejection": REJECTION}),
        ("starting", {}),
        ("starting", {"head": HEAD}),
        ("starting", {"outage": OUTAGE}),
        ("unreachable", {"was_read": True, "snapshot": SNAPSHOT, "head": HEAD, "is_settled": True, "outage": OUTAGE}),
        ("unreachable", {"was_read": True, "head": HEAD, "outage": OUTAGE, "rejection": REJECTION}),
        ("unreachable", {"was_read": True, "outage": OUTAGE}),
        ("unreachable", {"was_read": True, "snapshot": SNAPSHOT, "rejection": REJECTION}),
        ("starting", {"was_read": True}),
        ("starting", {"was_read": True, "rejection": REJECTION}),
        ("behind", {"was_read": True, "head": HEAD, "snapshot": SNAPSHOT}),
        ("behind", {"was_read": True, "head": HEAD, "snapshot": SNAPSHOT, "rejection": REJECTION}),
        ("rejected", {"was_read": True, "head": HEAD, "is_settled": True, "rejection": REJECTION}),
        ("in-sync", {"was_read": True, "head": HEAD, "is_settled": True, "snapshot": SNAPSHOT}),
    ],
)
def test_the_first_state_that_applies_is_the_name(name: str, fields: dict[str, Any]) -> None:
    assert State(**fields).name == name


def test_an_outage_is_told_before_a_rejection() -> None:
    assert State(outage=OUTAGE, rejection=REJECTION).failure == OUTAGE
    assert State(rejection=REJECTION).failure == REJECTION
    assert State().failure is None


def test_a_state_that_a_reader_holds_does_not_change() -> None:
    active = ActiveState()
    held = active.state
    assert active.change(branch="main") is active.state
    assert (held.branch, active.state.branch) == (None, "main")


def test_others_are_told_of_what_is_in_force_held_or_refused_and_of_nothing_else() -> None:
    active, told = ActiveState(), list[str | None]()
    active.changed = lambda: told.append(active.commit)
    pin = Pin("t", COMMIT.id, "alice", MOMENT, MOMENT + HOUR, "it works")
    for fields in ({"snapshot": SNAPSHOT}, {"pin": pin}, {"pin": None}, {"rejection": REJECTION}):
        before = len(told)
        active.change(**fields)
        active.change(**fields, last_checked_at=now(), head=HEAD, outage=OUTAGE)
        assert len(told) == before + 1
    assert told == [COMMIT.id] * 4


def test_now_is_in_utc() -> None:
    assert now().tzinfo is UTC
