"""`/status` from a state: every key of the contract."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest

from location_policy import __version__
from location_policy.gate.hooks import Hook
from location_policy.gate.pin import Pin
from location_policy.problems import Problem, Problems
from location_policy.repository.remote.looks import LookError, Looks
from location_policy.rollout.relation import Relation
from location_policy.rollout.state import Failure, Head, State
from location_policy.web.ops.status import status
from tests.support.app import SETTINGS
from tests.support.maps import COMMIT, EDGE, MOMENT, snapshot_of
from tests.support.repositories import GOOD, SYDNEY

PROBLEM = Problem("locations.csv", 2, 28, "host-bits", "10.61.3.0/23 has host bits set", "write 10.61.2.0/23")
TOLD_COMMIT = {
    "commit": COMMIT.id,
    "subject": "Change the map",
    "author": "Alice",
    "committed_at": "2026-03-01T12:30:00.000Z",
    "signer": None,
    "signing_key": None,
    "pusher": None,
}
TIME = "2026-03-01T12:30:00.000Z"


def tell(**fields: Any) -> dict[str, Any]:  # noqa: ANN401  the fields of State
    return status(State(**fields), SETTINGS, MOMENT)


def test_the_looks_at_a_remote_are_told() -> None:
    error = LookError(MOMENT, "the connection was cut", None, "network")
    source = tell(looks=Looks(MOMENT, error, MOMENT, MOMENT, ok=7, failed=2, remade=1))["source"]
    assert source["last_error"] == {"at": TIME, "message": "the connection was cut", "hint": None, "kind": "network"}
    assert {source[name] for name in ("last_succeeded_at", "unreachable_since", "next_look_at")} == {TIME}
    assert source["fetches"] == {"ok": 7, "failed": 2, "made_anew": 1}


def test_what_was_not_read_for_too_long_is_told() -> None:
    told = tell(last_checked_at=MOMENT, max_stale=timedelta(hours=1))
    assert (told["state"], told["source"]["is_stale"]) == ("stale", True)


def test_before_anything_was_read_there_is_nothing_but_the_service() -> None:
    assert tell() == {
        "state": "starting",
        "active": None,
        "pin": None,
        "pin_problem": None,
        "head": None,
        "failure": None,
        "source": {
            "repository": "/srv/locations.git",
            "branch": None,
            "last_checked_at": None,
            "last_changed_at": None,
            "last_succeeded_at": None,
            "last_error": None,
            "unreachable_since": None,
            "next_look_at": None,
            "fetches": None,
            "is_stale": False,
            "state_directory": "/srv/state",
            "state_directory_problem": None,
            "signatures": "off",
            "signatures_problem": None,
        },
        "hook": {"state": "none", "version": None},
        "service": {
            "version": __version__,
            "started_at": TIME,
            "pid": os.getpid(),
            "draining_since": None,
        },
        "followers": {"total": 0, "at_tip": 0, "lost": 0, "list": []},
        "notifications": {},
    }


def test_what_is_active_is_told_with_its_counts() -> None:
    snapshot = snapshot_of()
    found = tell(snapshot=snapshot)
    loaded_at = found["active"].pop("loaded_at")
    counts = {"subnets": 2, "locations": {"Melbourne": 1, "Sydney": 1}, "more_locations": 0, "views": {}}
    assert found["active"] == {**TOLD_COMMIT, "override": None, **counts}
    assert loaded_at == snapshot.loaded_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_what_is_active_is_told_with_the_counts_of_its_views() -> None:
    rules = EDGE.replace('answer = ["DMZ", "Oslo"]\n', "")
    found = tell(snapshot=snapshot_of({**GOOD, "policy.toml": rules, "views/edge/locations.csv": SYDNEY}))["active"]
    assert found["views"] == {"edge": {"subnets": 1, "locations": {"Sydney": 1}, "more_locations": 0}}
    assert found["subnets"] == 2


def test_head_is_told_with_when_it_was_seen() -> None:
    unknown: dict[str, Any] = {"relation": None, "relation_to": None, "gained": 0, "dropped": 0, "dropped_commits": []}
    assert tell(head=Head(COMMIT, MOMENT))["head"] == {**TOLD_COMMIT, "seen_at": TIME, **unknown}


@pytest.mark.parametrize(
    ("gained", "dropped", "kind"), [(0, 0, "equal"), (2, 0, "ahead"), (0, 3, "behind"), (2, 3, "diverged")]
)
def test_head_is_told_with_how_it_lies_to_what_was_in_force(gained: int, dropped: int, kind: str) -> None:
    found = tell(head=Head(COMMIT, MOMENT, Relation("b" * 40, gained, dropped, (COMMIT,))))["head"]
    (one,) = found.pop("dropped_commits")
    assert one["commit"] == COMMIT.id
    assert {key: found[key] for key in ("relation", "relation_to", "gained", "dropped")} == {
        "relation": kind,
        "relation_to": "b" * 40,
        "gained": gained,
        "dropped": dropped,
    }


def test_a_failure_has_every_problem_with_every_key() -> None:
    failure = Failure(MOMENT, "the configuration has 1 error", COMMIT.id, Problems((PROBLEM, PROBLEM)))
    assert tell(rejection=failure)["failure"] == {
        "commit": COMMIT.id,
        "failed_at": TIME,
        "message": "the configuration has 1 error",
        "hint": None,
        "problems": [asdict(PROBLEM), asdict(PROBLEM)],
        "total": 2,
        "counts": {PROBLEM.code: 2},
        "is_cut": False,
        "served": None,
    }


def test_the_source_and_the_hook_are_told() -> None:
    found = tell(branch="main", last_checked_at=MOMENT, last_changed_at=MOMENT, hook=Hook("other-version", "0.0.1"))
    assert (found["source"]["branch"], found["source"]["last_checked_at"]) == ("main", TIME)
    assert found["source"]["last_changed_at"] == TIME
    assert found["hook"] == {"state": "other-version", "version": "0.0.1"}


def test_a_state_directory_that_cannot_be_written_is_none() -> None:
    source = tell(not_kept="/srv/state cannot be written: Permission denied")["source"]
    assert source["state_directory"] is None
    assert source["state_directory_problem"] == "/srv/state cannot be written: Permission denied"


def test_a_snapshot_of_a_working_copy_is_no_commit() -> None:
    assert tell(snapshot=snapshot_of(commit=None))["active"] is None


def test_a_pin_says_which_commit_until_when_by_whom_and_why() -> None:
    pin = Pin("7" * 40, COMMIT.id, "Alice", MOMENT, MOMENT + timedelta(hours=2), "APAC is down")
    told = tell(pin=pin, was_read=True)
    assert (told["state"], told["pin"]) == (
        "pinned",
        {
            "commit": COMMIT.id,
            "by": "Alice",
            "at": TIME,
            "until": "2026-03-01T14:30:00.000Z",
            "reason": "APAC is down",
        },
    )
