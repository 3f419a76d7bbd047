"""`/status?wait=`: held until a commit is everywhere, or one refuses it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from location_policy.config.commit import Commit
from location_policy.fleet.fleet import Fleet
from location_policy.fleet.report import Refusal, Report
from location_policy.problems import Problem, Problems
from location_policy.rollout.state import ActiveState, Failure
from location_policy.web.app import make_app
from tests.support.app import SETTINGS
from tests.support.maps import COMMIT, MOMENT, snapshot_of

NEXT = Commit("d" * 40, "7" * 40, "Change the map again", "Alice", MOMENT)


class Upstream:
    """A service with one follower that is at the commit before."""

    def __init__(self) -> None:
        self.active, self.fleet = ActiveState(), Fleet()
        self.active.changed = lambda: self.fleet.move(self.active.commit)
        self.client = TestClient(make_app(self.active, SETTINGS, fleet=self.fleet), base_url="http://127.0.0.1")
        self.take(COMMIT)
        self.hear("web-1", COMMIT.id)

    def take(self, commit: Commit) -> None:
        """Put it in force."""
        self.active.change(snapshot=snapshot_of(commit=commit))

    def hear(self, name: str, commit: str, refusal: Refusal | None = None) -> None:
        """What a follower says."""
        self.fleet.followers.note(Report(name, "1.0", "in-sync", commit, refusal, None, ()), "192.0.2.1")

    def wait(self, query: str, *acts: Callable[[], object]) -> tuple[dict[str, Any], float]:
        """What is told, and after how many seconds; meanwhile something happens."""
        later = threading.Timer(0.2, lambda: [act() for act in acts])
        later.start()
        began = time.monotonic()
        told = self.client.get(f"/status?{query}").json()["wait"]
        later.join()
        return told, time.monotonic() - began


def test_it_is_held_until_the_commit_is_everywhere() -> None:
    upstream = Upstream()
    told, took = upstream.wait(
        f"wait={NEXT.id[:7]}", lambda: upstream.take(NEXT), lambda: upstream.hear("web-1", NEXT.id)
    )
    assert told == {
        "commit": NEXT.id,
        "is_everywhere": True,
        "is_here": True,
        "at": 1,
        "total": 1,
        "refused": [],
        "missing": [],
        "more_missing": 0,
    }
    assert 0.1 < took < 10


def test_what_is_so_is_told_at_once() -> None:
    told, took = Upstream().wait(f"wait={COMMIT.id}")
    assert told["is_everywhere"]
    assert took < 5


def test_after_the_time_it_is_told_who_is_missing() -> None:
    upstream = Upstream()
    told, took = upstream.wait(f"wait={NEXT.id}&seconds=1", lambda: upstream.take(NEXT))
    assert not told["is_everywhere"]
    assert told["missing"] == [{"name": "web-1", "commit": COMMIT.id, "state": "in-sync", "number": 1, "late": []}]
    assert 0.9 < took < 10


def test_so_many_followers_are_waited_for() -> None:
    upstream = Upstream()
    told, _ = upstream.wait(f"wait={COMMIT.id}&followers=2", lambda: upstream.hear("web-2", COMMIT.id))
    assert (told["is_everywhere"], told["total"]) == (True, 2)
    for number in (3, 99_999):  # those behind mirrors count too
        assert not upstream.wait(f"wait={COMMIT.id}&followers={number}&seconds=0")[0]["is_everywhere"]


def test_a_refusal_is_told_at_once_with_its_problem() -> None:
    upstream = Upstream()
    why = Refusal(NEXT.id, "10.0.0.1/8 has host bits set")
    told, took = upstream.wait(f"wait={NEXT.id}", lambda: upstream.hear("web-1", COMMIT.id, why))
    assert told["refused"] == [{"name": "web-1", "problem": "10.0.0.1/8 has host bits set"}]
    assert took < 10
    problems = Problems([Problem("locations.csv", 2, 28, "host-bits", "it has host bits set", "write another")])
    upstream.active.change(rejection=Failure(MOMENT, "it is not valid", NEXT.id, problems))
    told, _ = upstream.wait(f"wait={NEXT.id}")
    assert [one["name"] for one in told["refused"]] == ["this service", "web-1"]
    assert told["refused"][0]["problem"] == "locations.csv:2:28: error: it has host bits set [host-bits]"


@pytest.mark.parametrize(
    "query",
    ["wait=", "wait=HEAD", "wait=abcdef", "wait=" + "a" * 65, "wait=ABCDEF1"]
    + [f"wait={COMMIT.id}&{more}" for more in ("seconds=61", "seconds=-1", "seconds=9e9", "followers=x", "seconds=")],
)
def test_what_cannot_be_waited_for_is_told(query: str) -> None:
    answer = Upstream().client.get(f"/status?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_no_more_are_waited_for_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    upstream = Upstream()
    monkeypatch.setattr(upstream.fleet.watches, "_most", 0)
    assert upstream.client.get(f"/status?wait={COMMIT.id}").status_code == 200
    answer = upstream.client.get(f"/status?wait={NEXT.id}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_at_the_end_nothing_is_waited_for() -> None:
    upstream = Upstream()
    upstream.fleet.end()
    told, took = upstream.wait(f"wait={NEXT.id}")
    assert not told["is_everywhere"]
    assert took < 10
