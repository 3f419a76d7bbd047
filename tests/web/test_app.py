"""The routes beside the policy API."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from location_policy.problems import Problem, Problems
from location_policy.rollout.state import ActiveState, Failure
from tests.support.app import client_of
from tests.support.maps import COMMIT, MOMENT, snapshot_of


@pytest.fixture
def active() -> ActiveState:
    return ActiveState()


@pytest.fixture
def client(active: ActiveState) -> TestClient:
    return client_of(active)


def test_the_process_is_healthy_as_long_as_it_lives(client: TestClient) -> None:
    assert client.get("/healthz").status_code == 200


def test_it_is_ready_once_a_snapshot_is_in_force(active: ActiveState, client: TestClient) -> None:
    assert client.get("/readyz").status_code == 503
    active.change(snapshot=snapshot_of())
    assert client.get("/readyz").status_code == 200


def test_one_that_drains_is_not_ready_and_says_since_when_and_is_in_the_state_that_it_was(
    active: ActiveState, client: TestClient
) -> None:
    active.change(snapshot=snapshot_of())
    before = client.get("/status").json()
    active.draining_since = MOMENT
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (503, {"status": "draining"})
    service = before["service"] | {"draining_since": "2026-03-01T12:30:00.000Z"}
    assert client.get("/status").json() == before | {"service": service}
    assert "<dt>Stopping</dt>" in client.get("/", headers={"accept": "text/html"}).text


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz"])
def test_a_load_balancer_that_asks_what_may_be_asked_is_told(client: TestClient, path: str) -> None:
    response = client.options(path)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["allow"] == client.post(path).headers["allow"] == "GET, HEAD, OPTIONS"
    assert client.options("/status").status_code == 405


def test_a_refused_newer_commit_is_not_unready(active: ActiveState, client: TestClient) -> None:
    active.change(snapshot=snapshot_of(), rejection=Failure(MOMENT, "no", "d" * 40), is_settled=True, was_read=True)
    assert client.get("/readyz").status_code == 200


def test_status_is_always_200_and_names_the_commit_once_there_is_one(active: ActiveState, client: TestClient) -> None:
    assert "x-location-policy-commit" not in client.get("/status").headers
    active.change(snapshot=snapshot_of())
    response = client.get("/status")
    assert (response.status_code, response.headers["x-location-policy-commit"]) == (200, COMMIT.id)
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"] == "application/json"


def test_status_tells_a_path_that_is_not_utf8(active: ActiveState, client: TestClient) -> None:
    path = b"locations/\xff.csv".decode(errors="surrogateescape")
    problem = Problem(path, 1, 1, "no-rows", "the map has no row")
    active.change(rejection=Failure(MOMENT, "no", "d" * 40, Problems((problem,))), branch="\udcfe")
    body = client.get("/status").json()
    assert body["failure"]["problems"][0]["path"] == "locations/?.csv"
    assert body["source"]["branch"] == "?"


@pytest.mark.parametrize("path", ["/status/", "/docs", "/policies", "/map/"])
def test_what_is_not_there_is_404_without_a_redirect(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_status_cannot_be_changed(client: TestClient) -> None:
    assert client.post("/status").status_code == 405


def test_the_metrics_are_told_in_the_form_that_is_asked_for(client: TestClient) -> None:
    response = client.get("/metrics")
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "location_policy_active_subnets 0.0\n" in response.text
    response = client.get("/metrics", headers={"accept": "application/openmetrics-text;version=1.0.0"})
    assert response.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")


def test_head_of_the_metrics_has_no_body_and_nothing_else_is_taken(client: TestClient) -> None:
    head = client.head("/metrics")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 1000
    assert client.post("/metrics").status_code == 405


def test_every_answer_below_policy_is_counted(client: TestClient) -> None:
    client.get("/policy/v1/participant/location?protocol=Sip")
    client.get("/policy/v1/x")
    client.get("/status")
    told = client.get("/metrics").text
    assert 'location_policy_requests_total{outcome="not-ready",protocol="sip"} 1.0\n' in told
    assert 'location_policy_requests_total{outcome="not-provided",protocol="none"} 1.0\n' in told
    assert "location_policy_request_duration_seconds_count 2.0\n" in told


def test_what_is_not_there_says_where_to_look_whatever_the_query_holds(client: TestClient) -> None:
    response = client.get("/nowhere?%80=\x80")
    assert (response.status_code, "see /" in response.json()["hint"]) == (404, True)
