"""The first map of a repository, uploaded from a browser."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
from starlette.testclient import TestClient

from tests.support.app import client_of_repository
from tests.support.repositories import git, init, tip
from tests.web.test_changes import forms, text

BROWSER = {"accept": "text/html"}
NAMES = ("Brisbane", "Perth", "Hobart", "Darwin", "Cairns")
OWN = "".join(f"{NAMES[at % 5]},Sydney,10.80.{at}.0/24\n" for at in range(200))
CONFUSED = "Sydney,Melbourne,10.90.0.1/24\n"


def send(client: TestClient, rows: str, **fields: str | list[str]) -> httpx2.Response:
    return client.post("/upload", data=fields, files={"file": ("own.csv", rows)}, headers=BROWSER)


def confirm(client: TestClient, shown: httpx2.Response) -> httpx2.Response:
    return client.post("/upload", data={**forms(shown)[-1], "confirm": "1"}, headers=BROWSER)


def test_problems_are_told_by_code_and_value_the_rarer_codes_first(tmp_path: Path) -> None:
    client = client_of_repository(init(tmp_path / "map.git"))
    told = text(send(client, OWN + CONFUSED))
    assert "10.90.0.1/24 has host bits set" in told
    assert told.index("1 × host-bits") < told.index("200 × unknown-location")
    assert "Brisbane is not a known location · 40 times in 40 rows, first at own.csv:1" in told


def test_names_that_pexip_has_are_ticked_and_land_in_the_same_commit(tmp_path: Path) -> None:
    place = init(tmp_path / "map.git")
    client = client_of_repository(place)
    refused = send(client, OWN, path="locations/apac.csv")
    assert refused.status_code == 422
    assert "Pexip has these: add to known in policy.toml" in text(refused)
    offered = re.findall(r'name="known" value="([^"]*)"', refused.text)
    assert sorted(offered) == sorted(NAMES)
    form = {name: value for name, value in forms(refused)[0].items() if name != "file"} | {"path": "locations/apac.csv"}
    broken = text(client.post("/upload", data={**form, "known": offered}, headers=BROWSER))
    assert "expectations.csv" in broken  # of the sample, which a row of it must keep
    rows = OWN + git("show", "main:locations/apac.csv", cwd=place)
    shown = client.post("/upload", data={**form, "known": offered}, files={"file": ("own.csv", rows)}, headers=BROWSER)
    assert confirm(client, shown).status_code == 303
    assert git("show", "--name-only", "--format=", "main", cwd=place).split() == [
        "locations/apac.csv",
        "policy.toml",
    ]
    assert "Added to known in policy.toml: " in git("log", "-1", "--format=%b", "main", cwd=place)


def test_an_untouched_sample_is_replaced_whole(tmp_path: Path) -> None:
    place = init(tmp_path / "map.git")
    client = client_of_repository(place)
    assert '<input type="checkbox" id="sample" name="sample" value="1" checked>' in client.get("/upload").text
    shown = send(client, OWN, sample="1")
    assert shown.status_code == 200, text(shown)
    assert confirm(client, shown).status_code == 303
    files = git("ls-tree", "-r", "--name-only", "main", cwd=place).splitlines()
    assert "locations.csv" in files
    assert not {"expectations.csv", "locations/apac.csv"} & set(files)
    rules = git("show", "main:policy.toml", cwd=place)
    assert all(f'"{name}"' in rules for name in (*NAMES, "Sydney"))
    assert "Melbourne" not in rules
    assert "Rows: 200 added, 0 changed, 3 removed, 0 unchanged." in git("log", "-1", "--format=%b", "main", cwd=place)
    assert 'name="sample"' not in client.get("/upload").text


def test_a_program_is_told_how_the_sample_is_replaced(tmp_path: Path) -> None:
    client = client_of_repository(init(tmp_path / "map.git"))
    refused = client.post("/api/v1/upload", json={"file": OWN}).json()
    assert "sample=1" in refused["hint"]
    assert client.post("/api/v1/upload", json={"file": OWN, "sample": True}).json()["may_land"]


def test_a_changed_map_is_not_the_sample(tmp_path: Path) -> None:
    client = client_of_repository(init(tmp_path / "map.git"))
    row = {"subnet": "10.99.0.0/24", "location": "Sydney", "overflow": ""}
    shown = client.post("/edit", data=row)
    assert client.post("/edit", data={**forms(shown)[-1], "confirm": "1"}).status_code == 303
    assert 'name="sample"' not in client.get("/upload").text
    assert send(client, OWN, sample="1").status_code == 422


def test_onto_an_empty_branch_an_upload_makes_the_first_commit(tmp_path: Path) -> None:
    place = init(tmp_path / "map.git", "--empty")
    client = client_of_repository(place)
    assert client.get("/upload").status_code == 200
    shown = send(client, OWN)
    assert shown.status_code == 200, text(shown)
    done = confirm(client, shown)
    assert done.status_code == 303, text(done)
    assert git("rev-list", "--count", "main", cwd=place) == "1"
    assert git("show", "main:locations.csv", cwd=place).splitlines()[0] == OWN.splitlines()[0]
    assert '"Hobart"' in git("show", "main:policy.toml", cwd=place)
    assert (
        client_of_repository(place)
        .get("/policy/v1/participant/location?protocol=mssip&ms-subnet=10.80.3.0")
        .json()["result"]["location"]
        == "Darwin"
    )


def test_onto_an_empty_branch_a_first_row_brings_the_rules_that_an_upload_brings(tmp_path: Path) -> None:
    place = init(tmp_path / "map.git", "--empty")
    row = {"subnet": "10.80.3.0/24", "location": "Darwin", "overflow": ["Darwen", "Perth"]}
    client = client_of_repository(place)
    shown = client.post("/edit", data=row)
    assert shown.status_code == 200, text(shown)
    told = text(shown)
    assert "Rules for the next pushes policy.toml: limits.changed-addresses none -> 25%" in told
    assert "Rules for answers policy.toml: locations.known any name -> Darwen, Darwin, Perth" in told
    assert "1 rule and 1 range changed" in told
    assert client.post("/edit", data={**forms(shown)[-1], "confirm": "1"}).status_code == 303
    assert git("ls-tree", "-r", "--name-only", "main", cwd=place).splitlines() == ["locations.csv", "policy.toml"]
    rules = git("show", "main:policy.toml", cwd=place)
    assert 'changed-addresses = "25%"' in rules
    assert "Sydney" not in rules
    later = client_of_repository(place).post("/edit", data={**row, "subnet": "10.80.4.0/24", "location": "Hobart"})
    assert "Hobart is not a known location" in text(later)


def test_a_first_row_that_is_none_is_told_as_that(tmp_path: Path) -> None:
    client = client_of_repository(init(tmp_path / "map.git", "--empty"))
    told = client.post("/edit", data={"subnet": "10.80.3", "location": "Darwin", "overflow": ""})
    assert told.status_code == 422
    assert "10.80.3 is not a subnet" in text(told)


def test_a_first_commit_is_shown_before_the_service_has_seen_it(tmp_path: Path) -> None:
    client = client_of_repository(init(tmp_path / "map.git", "--empty"))
    done = confirm(client, send(client, OWN))
    shown = client.get(done.headers["location"], headers=BROWSER)
    assert shown.status_code == 200, text(shown)
    assert "On the served branch, being loaded." in text(shown)
    assert 'class="state starting"' in shown.text
    assert f'data-live="{done.headers["location"]}"' in shown.text
    assert client.get("/history", headers=BROWSER).status_code == 200
    assert client.get("/recent", headers=BROWSER).status_code == 200


def test_two_first_commits_are_not_both_made(tmp_path: Path) -> None:
    place = init(tmp_path / "map.git", "--empty")
    client = client_of_repository(place)
    one, two = send(client, OWN), send(client, OWN + "Perth,10.99.0.0/24\n")
    assert confirm(client, one).status_code == 303
    first = tip(place)
    assert confirm(client, two).status_code == 409
    assert tip(place) == first


def test_a_row_of_an_unknown_location_is_added_with_its_name(tmp_path: Path) -> None:
    place = init(tmp_path / "map.git")
    client = client_of_repository(place)
    row = {"subnet": "10.99.0.0/24", "location": "Hobart", "overflow": ""}
    refused = client.post("/edit", data=row)
    assert (refused.status_code, "Pexip has these" in text(refused)) == (422, True)
    shown = client.post("/edit", data={**forms(refused)[0], "known": "Hobart"})
    assert client.post("/edit", data={**forms(shown)[-1], "confirm": "1"}).status_code == 303
    assert '"Hobart"' in git("show", "main:policy.toml", cwd=place)
    assert "Added to known in policy.toml: Hobart." in git("log", "-1", "--format=%b", "main", cwd=place)


def test_a_name_that_is_nearly_another_is_made_known_only_where_it_is_ticked(tmp_path: Path) -> None:
    client = client_of_repository(init(tmp_path / "map.git", "--empty"))
    refused = send(client, OWN + "Brisbanne,10.99.0.0/24\n")
    assert "Brisbanne is not a known location" in text(refused)
    assert re.findall(r'name="known" value="([^"]*)"', refused.text) == ["Brisbanne"]
    form = {name: value for name, value in forms(refused)[0].items() if name != "file"}
    assert client.post("/upload", data={**form, "known": "Brisbanne"}, headers=BROWSER).status_code == 200
