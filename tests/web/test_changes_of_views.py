"""Rows of a view, changed and uploaded on pages: the view is chosen, and all goes on as for the map at the top."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.support.app import client_of_repository
from tests.support.repositories import Files, force_commit, git, make_repository, tip

BROWSER = {"accept": "text/html,*/*;q=0.8"}
RULES = '[[view]]\nname = "edge"\nlocation = "DMZ"\n[[view]]\nname = "lab"\nlocation = "Lab"\nanswer = "Lab"\n'
EDGE = "views/edge/locations.csv"
FILES: Files = {
    "policy.toml": RULES,
    "locations.csv": "Sydney,10.61.2.0/24\nSydney,10.61.3.0/24\n",
    EDGE: "DMZ,10.61.2.0/24\n",
    "views/edge/locations/lab.csv": "Oslo,10.70.0.0/16\n",
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", FILES)


@pytest.fixture
def client(place: Path) -> TestClient:
    return client_of_repository(place)


def test_the_forms_lead_to_each_view_and_offer_its_files(client: TestClient) -> None:
    for path in ("/upload", "/edit"):
        top = client.get(path, headers=BROWSER).text
        assert f'<a href="{path}" aria-current="true">the map at the top</a>' in top
        assert f'<a href="{path}?view=edge">view edge</a>' in top
        assert EDGE not in top
        assert "view lab" not in top, "it has one answer, and takes no rows"
        edge = client.get(f"{path}?view=edge", headers=BROWSER).text
        assert f'<a href="{path}?view=edge" aria-current="true">view edge</a>' in edge
        assert '<input type="hidden" name="view" value="edge">' in edge
        assert [one for one in re.findall(r"<option[^>]*>(?:only )?([^<]*)", edge) if one.endswith(".csv")] == [
            EDGE,
            "views/edge/locations/lab.csv",
        ]
    assert "all of view edge (2 rows)" in client.get("/upload?view=edge", headers=BROWSER).text


def test_where_there_are_no_views_none_is_offered(place: Path) -> None:
    force_commit(place, {"locations.csv": "Sydney,10.61.2.0/24\n"})
    client = client_of_repository(place)
    for path in ("/upload", "/edit"):
        assert "the map at the top" not in client.get(path, headers=BROWSER).text


def test_a_row_is_added_to_a_view_with_a_plan_of_its_calls(place: Path, client: TestClient) -> None:
    fields = {"view": "edge", "subnet": "10.61.3.0/24", "location": "DMZ"}
    told = client.post("/api/v1/edit", json=fields).json()
    assert (told["message"], told["may_land"]) == (
        "Add 10.61.3.0/24 to DMZ in view edge\n\nIn views/edge/locations.csv:\n\n    +DMZ,10.61.3.0/24\n",
        True,
    )
    done = client.post("/api/v1/edit", json={**fields, "tip": told["tip"], "confirm": True}).json()
    assert done["commit"] == tip(place)
    assert git("show", f"main:{EDGE}", cwd=place) == "DMZ,10.61.2.0/24\nDMZ,10.61.3.0/24"
    assert git("diff", "--name-only", "main~", "main", cwd=place) == EDGE


def test_a_confirmed_form_carries_the_view_on(place: Path, client: TestClient) -> None:
    shown = client.post(
        "/upload", data={"view": "edge"}, files={"file": ("sites.csv", "DMZ,10.61.2.0/23\n")}, headers=BROWSER
    )
    form = shown.text.rpartition("<form")[2]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
    assert fields["view"] == "edge"
    done = client.post("/upload", data={**fields, "confirm": "1"}, headers=BROWSER)
    assert done.headers["location"] == f"/commit/{tip(place)}"
    assert git("ls-tree", "-r", "--name-only", "main", "views/", cwd=place) == EDGE
    assert git("show", "main:locations.csv", cwd=place) == str(FILES["locations.csv"]).strip()


def test_limits_hold_for_the_calls_of_a_view_by_themselves(place: Path) -> None:
    many = "".join(f"Oslo,10.1.{number}.0/24\n" for number in range(200))
    limited = {"policy.toml": f'[limits]\nremoved-subnets = "10%"\n{RULES}', "locations.csv": many}
    force_commit(place, {**FILES, **limited})
    client = client_of_repository(place)
    told = client.post("/api/v1/upload", json={"file": "DMZ,10.61.2.0/24\n", "view": "edge"}).json()
    assert not told["may_land"]
    assert [one["rule"] for one in told["limits"]] == ["removed-subnets"]


def test_what_is_wrong_is_told_at_its_line_and_the_view_stays_chosen(client: TestClient) -> None:
    page = client.post("/edit", data={"view": "edge", "subnet": "10.9.0.1/16", "location": "Oslo"}, headers=BROWSER)
    assert page.status_code == 422
    assert f"{EDGE}:2" in page.text
    assert 'name="view" value="edge"' in page.text


def test_a_view_that_is_none_is_refused_with_those_that_are(client: TestClient) -> None:
    told = client.post("/api/v1/edit", json={"view": "<x>", "subnet": "10.9.0.0/16", "location": "Oslo"})
    assert (told.status_code, told.json()["detail"]) == (409, "policy.toml names no view <x>")
    assert told.json()["hint"] == "its views are: edge, lab"
    page = client.post("/edit", data={"view": "<x>", "subnet": "10.9.0.0/16", "location": "Oslo"}, headers=BROWSER)
    assert "<x>" not in page.text


def test_a_view_with_one_answer_takes_no_rows(client: TestClient) -> None:
    told = client.post("/api/v1/edit", json={"view": "lab", "subnet": "10.9.0.0/16", "location": "Oslo"})
    assert told.status_code == 422
    assert [one["code"] for one in told.json()["problems"]] == ["view-with-both"]


def test_a_commit_says_what_changes_for_the_calls_of_each_view(place: Path) -> None:
    old = tip(place)
    force_commit(place, {**FILES, EDGE: "Lima,10.61.2.0/24\n"})
    client = client_of_repository(place)
    told = client.get(f"/api/v1/commit/{tip(place)}").json()["plan"]
    assert (told["effect"], told["changes"], told["more_views"]) == (True, [], 0)
    (view,) = told["views"]
    assert (view["text"], view["before"], view["after"]) == ("calls asked for by DMZ: view edge", "edge", "edge")
    assert [(one["subnets"], one["after"]["location"]) for one in view["changes"]] == [("10.61.2.0/24", "Lima")]
    assert view["call"] == {"protocol": "mssip", "location": "DMZ"}
    for path in (f"/commit/{tip(place)}", f"/compare?old={old}&new={tip(place)}"):
        page = client.get(path, headers=BROWSER).text
        assert "calls asked for by DMZ: view edge</h3>" in page
        assert f"address=10.61.2.0&amp;at={tip(place)}&amp;protocol=mssip&amp;location=DMZ" in page
        assert "No matching ranges" not in page
    filtered = client.get(f"/api/v1/commit/{tip(place)}?subnet=10.70.0.0/16").json()["plan"]
    assert [one["changes"] for one in filtered["views"]] == [[]]
