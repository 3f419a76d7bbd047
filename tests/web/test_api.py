"""The API, held to its own description."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.testclient import TestClient

from location_policy import __version__
from location_policy.rollout.state import ActiveState
from location_policy.web.app import make_app
from location_policy.web.forms.action_table import ACTIONS
from location_policy.web.pages.resource_table import RESOURCES
from tests.support.app import client_of, client_of_repository, served
from tests.support.maps import view_rules
from tests.support.repositories import force_commit, git, make_repository, tip
from tests.web.edge.test_guard import routes
from tests.web.history import FIRST, SECOND


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = make_repository(tmp_path_factory.mktemp("api") / "locations.git", FIRST)
    force_commit(repository, SECOND)
    return repository


@pytest.fixture(scope="module")
def client(repository: Path) -> TestClient:
    return client_of_repository(repository)


VIEWS = view_rules("streams", protocol="rtmp", answer=["Sydney", "Oslo"]) + view_rules("edge", location="DMZ")


def test_answers_about_views_are_as_described(tmp_path: Path) -> None:
    edge = {**FIRST, "policy.toml": str(FIRST["policy.toml"]) + VIEWS, "views/edge/locations.csv": "Oslo,10.0.0.0/8\n"}
    repository = make_repository(tmp_path / "locations.git", FIRST)
    force_commit(repository, edge)
    client = client_of_repository(repository)
    described = client.get("/openapi.json").json()["paths"]
    for target in (
        "status",
        "map?view=edge",
        "map?view=streams",
        "picture?view=edge",
        "lookup?address=10.1.2.7&location=DMZ",
        "lookup?address=10.1.0.0/16&location=DMZ",
        "lookup?address=Oslo",
        "lookup?protocol=rtmp",
        "origin?address=10.1.2.7&location=DMZ",
        f"commit/{tip(repository)}",
        f"compare?old={tip(repository)}&new={git('rev-parse', 'main~', cwd=repository)}",
    ):
        path = f"/api/v1/{target.partition('?')[0]}".replace(tip(repository), "{id}")
        schema = described[path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema_rs.validate(schema, client.get(f"/api/v1/{target}").json())
    told = client.post("/api/v1/edit", json={"view": "edge", "subnet": "10.9.0.0/16", "location": "Sydney"}).json()
    schema = described["/api/v1/edit"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema_rs.validate(schema, told)
    assert [view["text"] for view in told["plan"]["views"]] == ["calls asked for by DMZ: view edge"]


CHANGES = [one.api_path for one in ACTIONS]
API_PATHS = [one.api_path.replace(":path}", "}") for one in RESOURCES]


@pytest.mark.parametrize("path", API_PATHS)
def test_every_answer_is_as_described(repository: Path, path: str) -> None:
    operation = schemathesis.openapi.from_asgi("/openapi.json", make_app(*served(repository)))[path]["GET"]

    @settings(max_examples=15, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy())
    def ask(case: schemathesis.Case[Any]) -> None:
        # What an address, a subnet or a commit is, no schema says.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    ask()


@pytest.mark.parametrize("path", CHANGES)
def test_every_change_is_answered_as_described_and_made_only_for_who_has_seen_the_tip(
    tmp_path: Path, path: str
) -> None:
    repository = make_repository(tmp_path / "locations.git", FIRST)
    before = tip(repository)
    operation = schemathesis.openapi.from_asgi("/openapi.json", make_app(*served(repository)))[path]["POST"]

    @settings(max_examples=15, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy())
    def ask(case: schemathesis.Case[Any]) -> None:
        # A client of this kind names no user and this machine; what a row or a tip is, no schema says.
        case.call_and_validate(base_url="http://127.0.0.1", excluded_checks=[positive_data_acceptance])

    ask()
    assert tip(repository) == before


def test_the_description_has_every_route_of_the_api_and_no_other(repository: Path) -> None:
    made = {path.replace(":path}", "}") for path in routes(make_app(*served(repository))) if path.startswith("/api/")}
    described = client_of_repository(repository).get("/openapi.json").json()
    assert set(described["paths"]) == made
    assert described["info"]["version"] == __version__


def test_every_parameter_of_a_path_is_described(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path, operations in paths.items():
        parameters = operations["get"]["parameters"] if "get" in operations else []
        named = {one["name"] for one in parameters if one["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))


def test_every_example_of_the_description_is_taken(client: TestClient, repository: Path) -> None:
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        if "get" not in operations:
            continue
        target, query = path, {}
        for one in operations["get"]["parameters"]:
            example = tip(repository) if one["name"] in ("id", "at", "old", "new") else one.get("example")
            if one["in"] == "path":
                target = target.replace(f"{{{one['name']}}}", str(example))
            elif example is not None:
                query[one["name"]] = str(example)
        response = client.get(target, params=query)
        assert response.status_code == 200, (target, response.text)
        assert response.headers["x-location-policy-commit"] == tip(repository)
        assert response.headers["cache-control"] == "no-store"


def test_what_only_tells_takes_no_change(client: TestClient) -> None:
    response = client.post("/api/v1/map")
    assert (response.status_code, response.headers["content-type"]) == (405, "application/problem+json")
    assert (response.headers["allow"], response.json()["detail"]) == ("GET, HEAD", "POST is not GET or HEAD")


def test_what_is_not_there_is_told_as_problem_details_whatever_is_accepted() -> None:
    response = client_of(ActiveState()).get("/api/v1/nowhere", headers={"accept": "text/html"})
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
