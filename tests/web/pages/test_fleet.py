"""The page of the fleet: who follows, what each answers from, and nothing of what a name may hide."""

from __future__ import annotations

from starlette.testclient import TestClient

from location_policy.fleet.fleet import Fleet
from location_policy.fleet.report import Behind, Late, Refusal, Report
from location_policy.rollout.state import ActiveState
from location_policy.web.app import make_app
from tests.support.app import SETTINGS
from tests.support.maps import COMMIT, snapshot_of

OLD = "e" * 40


def client_of(fleet: Fleet) -> TestClient:
    active = ActiveState()
    active.change(snapshot=snapshot_of())
    fleet.move(active.commit)
    return TestClient(make_app(active, SETTINGS, fleet=fleet), base_url="http://127.0.0.1")


def test_it_is_in_the_navigation_once_there_is_a_follower() -> None:
    fleet = Fleet()
    client = client_of(fleet)
    assert 'href="/fleet"' not in client.get("/").text
    assert "serve --repo http://127.0.0.1/locations.git" in client.get("/fleet").text
    fleet.followers.note(Report("web-1", "1.0", "in-sync", COMMIT.id, None, None, ()), "192.0.2.1")
    page = client.get("/").text
    assert '<a href="/fleet">Fleet</a>' in page
    assert '<a href="/fleet">1 of 1</a> answer from this commit' in page
    assert 'href="/fleet" aria-current="page"' in client.get("/fleet").text


def test_the_worst_stand_first_with_why_and_who_is_behind_them() -> None:
    fleet = Fleet()
    behind = Behind(2, 1, {"in-sync": 1, "unreachable": 1}, [Late("<i>", OLD, "unreachable")])
    fleet.followers.note(Report("well", "1.0", "in-sync", COMMIT.id, None, None, ()), "192.0.2.1")
    fleet.followers.note(Report("mirror", "1.0", "in-sync", COMMIT.id, None, behind, ()), "192.0.2.2")
    refusal = Refusal(COMMIT.id, "10.0.0.1/8 <b>has</b> host bits set")
    fleet.followers.note(Report("<script>", "9.0", "rejected", OLD, refusal, None, ()), "192.0.2.3")
    fleet.followers.note(Report("newer", "9.0", "of-a-new-kind", COMMIT.id, None, None, ()), "192.0.2.4")
    client = client_of(fleet)
    page = client.get("/fleet").text
    assert "4 of 6 followers answer from" in page
    assert page.index("&lt;script&gt;") < page.index("mirror") < page.index("well")
    assert "rejects cccccccccc: 10.0.0.1/8 &lt;b&gt;has&lt;/b&gt; host bits set" in page
    assert "1 of 2 answer from the same" in page
    assert "&lt;i&gt;: unreachable" in page
    assert "<script>" not in page.partition('<div id="live"')[2]
    told = client.get("/api/v1/fleet").json()
    assert (told["commit"], told["total"], told["at_tip"], told["lost"]) == (COMMIT.id, 6, 4, 0)
    assert client.get("/status").json()["followers"] == {
        name: told[name] for name in ("total", "at_tip", "lost", "list")
    }


def test_who_follows_is_counted_by_state() -> None:
    fleet = Fleet()
    client = client_of(fleet)
    text = client.get("/metrics").text
    assert 'location_policy_followers{state="in-sync"} 0.0' in text
    assert "location_policy_follower_delay_seconds 0.0" in text
    for name, state in (("a", "in-sync"), ("b", "in-sync"), ("c", "of-a-new-kind")):
        fleet.followers.note(Report(name, "1.0", state, COMMIT.id, None, None, ()), "192.0.2.1")
    text = client.get("/metrics").text
    assert 'location_policy_followers{state="in-sync"} 2.0' in text
    assert 'location_policy_followers{state="other"} 1.0' in text
