"""The rows, the picture and the file of a view."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from tests.support.app import client_of_repository
from tests.support.maps import view_rules
from tests.support.repositories import Files, make_repository

FILES: Files = {
    "policy.toml": view_rules("streams", protocol="rtmp", answer=["DMZ", "Oslo"])
    + view_rules("edge", location=["DMZ", "Edge Oslo"]),
    "locations.csv": "Oslo,10.1.0.0/16\nOslo,10.2.0.0/16\n",
    "views/edge/locations.csv": "Lima,DMZ,10.1.2.0/24\n",
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return client_of_repository(make_repository(tmp_path_factory.mktemp("views") / "locations.git", FILES))


def test_the_rows_of_a_view_are_listed_and_searched_by_themselves(client: TestClient) -> None:
    told = client.get("/api/v1/map?view=edge&q=lima").json()
    assert (told["view"], told["size"], told["found"], told["files"]) == ("edge", 1, 1, 1)
    assert [row["path"] for row in told["rows"]] == ["views/edge/locations.csv"]
    assert told["locations"] == {"Lima": 1}
    assert client.get("/api/v1/map?q=lima").json()["found"] == 0


def test_a_search_says_what_the_other_maps_have(client: TestClient) -> None:
    told = client.get("/api/v1/map?q=10.1.2.7").json()
    assert told["maps"] == [
        {"view": None, "subnets": 2, "found": 1},
        {"view": "streams", "subnets": 0, "found": 0},
        {"view": "edge", "subnets": 1, "found": 1},
    ]
    page = client.get("/map?q=10.1.2.7").text
    assert '<a href="/map?q=10.1.2.7&amp;view=edge">view edge <span class="quiet">(1 of 1)' in page


def test_a_row_of_a_view_leads_to_a_call_that_the_view_takes(client: TestClient) -> None:
    page = client.get("/map?view=edge").text
    (link,) = re.findall(r'<a href="(/lookup\?[^"]*)">10.1.2.0/24', page)
    told = client.get(f"/api/v1{link.replace('&amp;', '&')}").json()
    assert (told["view"], told["answer"]["body"]["policy.source"]) == ("edge", "views/edge/locations.csv:1")
    assert 'href="/locations.csv?view=edge" download' in page
    assert 'name="view" value="edge"' in page


def test_a_view_with_one_answer_says_it_in_place_of_rows(client: TestClient) -> None:
    assert client.get("/api/v1/map?view=streams").json()["answer"] == {"location": "DMZ", "overflow": ["Oslo"]}
    page = client.get("/map?view=streams").text
    assert "Every call of the view gets" in page
    for of_rows in ("is empty", "0 subnets", "/picture", "/edit?view=streams", "/locations.csv?view=streams"):
        assert of_rows not in page


def test_the_picture_is_that_of_the_view_and_stays_in_it(client: TestClient) -> None:
    told = client.get("/api/v1/picture?view=edge").json()
    assert (told["view"], told["rows"], told["root"]) == ("edge", 1, "10.1.2.0/24")
    links = re.findall(r'href="(/(?:picture|map)\?[^"]*)"', client.get("/picture?view=edge").text)
    assert links
    assert all("view=edge" in link for link in links)
    assert client.get("/api/v1/picture").json()["rows"] == 2
    assert client.get("/picture?view=streams").status_code == 200


def test_a_view_is_downloaded_as_a_file(client: TestClient) -> None:
    got = client.get("/locations.csv?view=edge")
    assert got.text == "Lima,DMZ,,10.1.2.0/24\n"
    assert got.headers["content-disposition"] == 'attachment; filename="locations-edge.csv"'
    assert client.get("/locations.csv").text == "Oslo,,,10.1.0.0/16\nOslo,,,10.2.0.0/16\n"


@pytest.mark.parametrize("path", ["/api/v1/map", "/api/v1/picture", "/locations.csv", "/map", "/picture"])
@pytest.mark.parametrize("view", ["none", "Edge", "../x", "x" * 900])
def test_a_view_that_is_none_is_told_with_those_that_are(client: TestClient, path: str, view: str) -> None:
    got = client.get(path, params={"view": view})
    assert got.status_code == 404
    assert "its views are: streams, edge" in got.text
    assert len(got.text) < 20_000


def test_home_counts_the_subnets_and_the_requests_of_each_view(client: TestClient) -> None:
    for query in ("protocol=mssip&ms-subnet=10.1.2.7&location=DMZ", "protocol=rtmp", "protocol=mssip"):
        client.get(f"/policy/v1/participant/location?{query}")
    told = client.get("/api/v1/status").json()
    assert told["requests_by_view"] == {"streams": 1, "edge": 1}
    page = client.get("/").text
    assert "3 subnets and 2 views of" in page
    assert re.search(r'href="/map\?view=edge">edge</a></th><td class="number">1</td><td class="number">1</td>', page)
