"""The page on calls, and its answer for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from location_policy.calls.aggregate import read_aggregate
from location_policy.calls.history import CallHistory
from location_policy.calls.recent import today
from location_policy.web.app import make_app
from tests.calls.situations import situation
from tests.support.app import served
from tests.support.repositories import GOOD, make_repository, tip

ROWLESS = {"outcome": "no-match", "location": None, "overflow": ()}


@pytest.fixture
def history(tmp_path: Path) -> Iterator[CallHistory]:
    with closing(CallHistory(tmp_path, 30)) as one:
        one.take(today().toordinal(), {situation(): 300, situation(ms_subnet="10.9.1.0", **ROWLESS): 12})
        one.take(today().toordinal() - 3, {situation(node_location="<b>", **ROWLESS | {"outcome": "no-opinion"}): 7})
        yield one


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", GOOD)


def client_of(repository: Path, history: CallHistory | None) -> TestClient:
    return TestClient(make_app(*served(repository), calls=history), base_url="http://127.0.0.1")


def test_the_page_tells_who_called_and_leads_to_the_form_of_a_row(repository: Path, history: CallHistory) -> None:
    page = client_of(repository, history).get("/calls", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert "319 calls since" in page.text
    assert 'value="300"' in page.text
    assert "/edit?subnet=10.9.1.0%2F24" in page.text
    assert "&lt;b&gt;" in page.text
    assert '<a href="/calls" aria-current="page">Calls</a>' in page.text


def test_the_form_is_that_of_the_view_in_which_a_row_is_missing(tmp_path: Path, history: CallHistory) -> None:
    rules = '[[view]]\nname = "edge"\nlocation = "London"\n'
    rows = {"locations.csv": "Oslo,10.9.1.0/24\n", "views/edge/locations.csv": "Oslo,10.0.0.0/16\n"}
    repository = make_repository(tmp_path / "views.git", {"policy.toml": rules, **rows})
    client = client_of(repository, history)
    page = client.get("/calls", headers={"accept": "text/html"})
    assert "/edit?subnet=10.9.1.0%2F24&amp;view=edge" in page.text
    assert "/map?q=10.9.1.0%2F24&amp;view=edge" in page.text
    form = client.get("/edit?subnet=10.9.1.0/24&view=edge", headers={"accept": "text/html"})
    assert 'name="view" value="edge"' in form.text
    assert 'href="/edit?subnet=10.9.1.0%2F24">the map at the top' in form.text


def test_the_api_tells_the_same_and_each_situation_where_asked_for(repository: Path, history: CallHistory) -> None:
    client = client_of(repository, history)
    told = client.get("/api/v1/calls?days=1").json()
    assert (told["calls"], told["days"], told["commit"]) == (312, 1, tip(repository))
    assert told["without_row"] == [
        {"subnet": "10.9.1.0/24", "calls": 12, "last": today().isoformat(), "row": ",10.9.1.0/24", "view": None}
    ]
    assert told["situations"] is None
    whole = client.get("/api/v1/calls?situations=yes")
    found = read_aggregate(whole.content, "the service")
    assert found == read_aggregate(json.dumps(whole.json()["situations"]).encode(), "the service")
    assert found.calls == 319
    assert (situation(), 300, today().toordinal()) in found.found


def test_what_is_asked_for_is_bounded_by_what_is_remembered(repository: Path, history: CallHistory) -> None:
    told = client_of(repository, history).get("/api/v1/calls?days=9999").json()
    assert (told["days"], told["since"]) == (30, str(today() - timedelta(days=3)))
    assert client_of(repository, history).get("/api/v1/calls?days=2").json()["since"] == str(
        today() - timedelta(days=1)
    )


def test_where_no_calls_are_remembered_this_is_said_and_no_link_leads_there(repository: Path) -> None:
    client = client_of(repository, None)
    told = client.get("/api/v1/calls").json()
    assert (told["days"], told["calls"]) == (0, 0)
    assert "--call-history 0" in client.get("/calls", headers={"accept": "text/html"}).text
    assert 'href="/calls"' not in client.get("/", headers={"accept": "text/html"}).text
