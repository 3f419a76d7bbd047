"""The map as a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from location_policy.rollout.state import ActiveState
from tests.support.app import client_of, client_of_repository
from tests.support.repositories import force_commit, git, make_repository, tip
from tests.web.history import FIRST, SECOND


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = make_repository(tmp_path_factory.mktemp("downloads") / "locations.git", FIRST)
    force_commit(repository, SECOND)
    return repository


@pytest.fixture(scope="module")
def client(repository: Path) -> TestClient:
    return client_of_repository(repository)


@pytest.mark.parametrize("path", ["/locations.csv", "/uploads/locations.csv"])
def test_the_active_csv_has_every_row_also_where_it_was_before(client: TestClient, repository: Path, path: str) -> None:
    response = client.get(path)
    rows = "Sydney,Melbourne,,10.61.2.0/24\nSydney,,,10.61.0.0/16\nMelbourne,Sydney,Oslo,10.65.0.0/20\n"
    assert response.text == rows
    assert response.headers["etag"] == f'"{tip(repository)}"'
    assert response.headers["content-disposition"] == 'attachment; filename="locations.csv"'
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert "default-src 'none'" in response.headers["content-security-policy"]


def test_who_has_the_file_of_this_commit_is_told_so(client: TestClient, repository: Path) -> None:
    tag = f'"{tip(repository)}"'
    for path in ("/locations.csv", "/files/locations.csv"):
        for known in (tag, f'"x", W/{tag}'):
            response = client.get(path, headers={"if-none-match": known})
            assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", tag)
        assert client.get(path, headers={"if-none-match": '"x"'}).status_code == 200


def test_the_file_of_another_commit_is_given(client: TestClient, repository: Path) -> None:
    first = git("rev-parse", "main~1", cwd=repository)
    response = client.get(f"/locations.csv?at={first}")
    assert (response.text, response.headers["etag"]) == ("Sydney,Melbourne,,10.61.2.0/24\n", f'"{first}"')
    assert client.get(f"/files/locations/apac.csv?at={first}").status_code == 404
    assert client.get("/locations.csv?at=main").status_code == 404


def test_a_file_is_given_as_committed(client: TestClient) -> None:
    response = client.get("/files/locations/apac.csv")
    assert response.text == SECOND["locations/apac.csv"]
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert client.get("/files/policy.toml").text == SECOND["policy.toml"]
    assert client.get("/files/nowhere.csv").json()["detail"].endswith("has no file nowhere.csv in its configuration")


def test_before_the_first_commit_there_is_no_file() -> None:
    client = client_of(ActiveState())
    assert client.get("/locations.csv").status_code == 503
    assert client.get("/files/locations.csv").status_code == 503


def test_head_has_the_headers_alone(client: TestClient, repository: Path) -> None:
    response = client.head("/locations.csv")
    assert (response.content, response.headers["etag"]) == (b"", f'"{tip(repository)}"')
