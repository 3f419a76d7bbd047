"""The policy API over HTTP, without a socket: paths, methods and headers, sentence by sentence of the contract."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from location_policy.gate.pin import Pin
from location_policy.rollout.state import ActiveState, Failure, Head
from location_policy.web.edge.policy_api import PLAIN_TARGET, PolicyApi
from tests.support.app import client_of
from tests.support.maps import COMMIT, MOMENT, snapshot_of

PATH = "/policy/v1/participant/location"
QUERY = "protocol=mssip&ms-subnet=10.61.2.0"


@pytest.fixture
def client() -> TestClient:
    active = ActiveState()
    active.change(snapshot=snapshot_of())
    return client_of(active)


EVERY_KIND = [
    ("GET", f"{PATH}?{QUERY}", 200),
    ("GET", PATH, 200),
    ("GET", f"{PATH}?protocol=mssip&ms-subnet=x", 400),
    ("GET", "/policy/v1/service/configuration", 404),
    ("GET", "/policy", 404),
    ("GET", "/policy/", 404),
    ("DELETE", PATH, 405),
]


@pytest.mark.parametrize(("method", "target", "status"), EVERY_KIND)
def test_every_answer_is_json_with_a_status_a_length_and_the_commit(
    client: TestClient, method: str, target: str, status: int
) -> None:
    response = client.request(method, target)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert response.headers["content-length"] == str(len(response.content))
    assert response.headers["x-location-policy-commit"] == COMMIT.id
    assert response.json()["status"]


@pytest.mark.parametrize(("method", "target", "status"), EVERY_KIND)
def test_before_a_first_snapshot_no_answer_names_a_commit(method: str, target: str, status: int) -> None:
    response = client_of(ActiveState()).request(method, target)
    assert response.status_code == (status if status in (404, 405) else 503)
    assert "x-location-policy-commit" not in response.headers
    assert response.json()["status"]


READ: dict[str, Any] = {"snapshot": snapshot_of(), "was_read": True, "is_settled": True, "head": Head(COMMIT, MOMENT)}
STATES: dict[str, dict[str, Any]] = {
    "in-sync": READ,
    "pinned": {**READ, "pin": Pin("7" * 40, COMMIT.id, "Alice", MOMENT, MOMENT + timedelta(hours=2), "why")},
    "stale": {**READ, "last_checked_at": MOMENT, "max_stale": timedelta(hours=2)},
    "last-good": {"snapshot": READ["snapshot"]},
    "unreachable": {**READ, "outage": Failure(MOMENT, "it is gone")},
    "behind": {**READ, "is_settled": False},
    "rejected": {**READ, "rejection": Failure(MOMENT, "it is not valid", COMMIT.id)},
    "starting": {},
}


@pytest.mark.parametrize("name", STATES)
def test_every_answer_tells_the_state_unless_the_newest_commit_answers(name: str) -> None:
    active = ActiveState()
    active.change(**STATES[name])
    told = None if name == "in-sync" else name
    for method, target, _ in EVERY_KIND:
        assert client_of(active).request(method, target).headers.get("x-location-policy-state") == told
    plain = PolicyApi(active, client_of(active).app).at_once(PLAIN_TARGET + QUERY.encode())
    if name != "starting":
        lines = (plain or b"").partition(b"\r\n\r\n")[0].decode().split("\r\n")
        assert [line for line in lines if "state" in line] == [f"x-location-policy-state: {told}"] * bool(told)


def test_before_a_first_snapshot_the_asker_is_told_when_to_come_back() -> None:
    response = client_of(ActiveState()).get(f"{PATH}?{QUERY}")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    assert response.json()["status"].startswith("policy.reason.not.ready - ")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_methods_that_do_not_ask_are_refused_with_those_that_do(client: TestClient, method: str) -> None:
    response = client.request(method, f"{PATH}?{QUERY}")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(("method", "target", "status"), EVERY_KIND[:5])
def test_head_has_the_status_and_headers_of_get_and_no_body(
    client: TestClient, method: str, target: str, status: int
) -> None:
    head, get = client.head(target), client.request(method, target)
    assert (head.status_code, head.content) == (status, b"")
    assert dict(head.headers) == dict(get.headers)


@pytest.mark.parametrize("path", [f"{PATH}/", f"/{PATH}", f"//{PATH}/", f"{PATH}//"])
def test_a_slash_too_many_at_either_end_is_answered(client: TestClient, path: str) -> None:
    response = client.get(f"http://127.0.0.1{path}?{QUERY}")
    assert (response.status_code, response.json()["status"]) == (200, "success")


@pytest.mark.parametrize(
    "path",
    [
        "/policy",
        "/policy/",
        "/policy/v1",
        "//policy/v1/",
        "/policy/v1/participant/location/x",
        "/policy/v2/x/",
        "/policyx",
    ],
)
def test_there_is_never_a_redirect(client: TestClient, path: str) -> None:
    response = client.get(f"http://127.0.0.1{path}")
    assert response.status_code == 404
    assert "location" not in response.headers


@pytest.mark.parametrize("kind", ["service/configuration", "participant/avatar/a%40b", "registrations", "edge"])
def test_other_request_types_are_told_to_continue(client: TestClient, kind: str) -> None:
    body = client.get(f"/policy/v1/{kind}").json()
    assert body["status"].startswith("policy.reason.not.provided - ")
    assert body["action"] == "continue"


def test_a_doubled_policy_path_gets_the_hint(client: TestClient) -> None:
    body = client.get(f"/policy/v1{PATH}?{QUERY}").json()
    assert "base URL" in body["status"]


def test_the_commit_in_the_header_is_the_one_in_the_body(client: TestClient) -> None:
    response = client.get(f"{PATH}?{QUERY}")
    assert response.json()["policy.commit"] == response.headers["x-location-policy-commit"]
