"""The page that asks, where views answer: which one takes the call, and why those before it do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.support.app import client_of_repository
from tests.support.maps import view_rules
from tests.support.repositories import make_repository

FILES = {
    "policy.toml": '[match]\nwebrtc = "remote_address"\n'
    + view_rules("streams", protocol="rtmp", call_direction="dial_out", answer=["DMZ", "Oslo"])
    + view_rules("edge", location=["DMZ", "Edge <Oslo>"], default="DMZ"),
    "locations.csv": "Oslo,10.1.0.0/16\n",
    "views/edge/locations.csv": "Lima,DMZ,10.1.2.0/24\n",
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return client_of_repository(make_repository(tmp_path_factory.mktemp("views") / "locations.git", FILES))


def test_the_view_that_takes_the_call_answers_and_those_before_it_say_why_not(client: TestClient) -> None:
    told = client.get("/api/v1/lookup?address=10.1.2.7&location=dmz").json()
    assert told["view"] == told["answer"]["body"]["policy.view"] == "edge"
    assert told["request"].endswith("?protocol=mssip&ms-subnet=10.1.2.7&location=dmz")
    apps = client.get("/api/v1/lookup?address=10.1.2.7&protocol=webrtc").json()
    assert apps["request"].endswith("?protocol=webrtc&remote_address=10.1.2.7"), "as a node sends it"
    assert [row["path"] for row in told["rows"]] == ["views/edge/locations.csv"]
    assert [one["text"] for one in told["passed"]] == ["not view streams: call_direction is not given, not dial_out"]


def test_the_page_says_so_in_the_words_of_the_command(client: TestClient) -> None:
    page = client.get("/lookup?address=10.1.2.7&location=DMZ").text
    assert "view edge takes the call" in page
    assert "not view streams: call_direction is not given, not dial_out" in page
    assert "/lookup/origin?address=10.1.2.7&amp;location=DMZ" in page


def test_a_call_of_no_view_is_told_to_be_that_of_the_map_at_the_top(client: TestClient) -> None:
    told = client.get("/api/v1/lookup?address=10.1.2.7").json()
    assert told["view"] is None
    assert [one["view"] for one in told["passed"]] == ["streams", "edge"]
    assert "the map at the top takes the call" in client.get("/lookup?address=10.1.2.7").text


def test_the_form_asks_for_what_views_ask_for_and_keeps_what_was_typed(client: TestClient) -> None:
    page = client.get("/lookup?address=10.1.2.7&location=DMZ").text
    form = page[page.index("<form") : page.index("</form>")]
    assert 'name="location" value="DMZ"' in form
    assert '<option value="Edge &lt;Oslo&gt;">' in form
    assert 'name="call_direction"' in form
    assert 'name="proxy_node_location"' not in form


def test_the_form_asks_again_where_something_was_wrong(client: TestClient) -> None:
    page = client.get("/lookup?address=10.1.2.7&at=nothing&location=DMZ")
    assert page.status_code == 404
    assert 'name="location" value="DMZ"' in page.text


def test_a_view_with_one_answer_gives_it_whatever_the_address(client: TestClient) -> None:
    told = client.get("/api/v1/lookup?address=10.1.2.7&protocol=rtmp&call_direction=dial_out").json()
    assert (told["view"], told["answer"]["outcome"], told["address"]) == ("streams", "answer", "10.1.2.7")
    assert told["passed"] == []
    wrong = client.get("/api/v1/lookup?address=10.1.2.300&protocol=rtmp&call_direction=dial_out").json()
    assert (wrong["answer"]["outcome"], wrong["address"]) == ("answer", None)


def test_the_host_of_a_stream_is_asked_as_a_node_sends_it(client: TestClient) -> None:
    query = "address=live.example.com&protocol=rtmp"
    told = client.get(f"/api/v1/lookup?{query}&call_direction=dial_out").json()
    assert (told["view"], told["answer"]["outcome"], told["address"]) == ("streams", "answer", None)
    assert told["request"].endswith("?protocol=rtmp&remote_address=live.example.com&call_direction=dial_out")
    top = client.get(f"/api/v1/lookup?{query}").json()
    assert (top["view"], top["answer"]["http_status"], top["answer"]["outcome"]) == (None, 200, "no-opinion")
    assert "Not providing policy for rtmp calls" in client.get(f"/lookup?{query}").text
    assert client.get("/lookup?address=live.example.com&protocol=webrtc").status_code == 400


def test_a_composed_request_meets_the_view_too(client: TestClient) -> None:
    told = client.get("/api/v1/lookup?protocol=teams&location=DMZ").json()
    assert (told["view"], told["answer"]["outcome"]) == ("edge", "no-opinion")
    assert client.get("/api/v1/lookup?proxy_node_location=DMZ").json()["view"] is None


def test_the_parts_of_a_subnet_are_those_of_the_view(client: TestClient) -> None:
    told = client.get("/api/v1/lookup?address=10.1.0.0/16&location=DMZ").json()
    assert told["view"] == "edge"
    assert {part["answer"]["location"] for part in told["subnet"]["parts"]} == {"Lima", "DMZ"}
    page = client.get("/lookup?address=10.1.0.0/16&location=DMZ").text
    assert "view edge takes the call" in page
    assert "address=10.1.2.0&amp;location=DMZ" in page


def test_a_subnet_of_a_view_with_one_answer_gets_that(client: TestClient) -> None:
    told = client.get("/api/v1/lookup?address=10.1.0.0/16&protocol=rtmp&call_direction=dial_out").json()
    assert told["subnet"]["has_opinion"]
    assert [part["answer"]["location"] for part in told["subnet"]["parts"]] == ["DMZ"]


def test_a_location_is_found_in_views_too(client: TestClient) -> None:
    told = client.get("/api/v1/lookup?address=DMZ").json()["location"]
    assert told["as_location"] == []
    assert [(name, one["is_answer"], one["is_default"]) for name, one in told["views"].items()] == [
        ("streams", True, True),
        ("edge", False, True),
    ]
    page = client.get("/lookup?address=DMZ").text
    assert "<h2>In view edge</h2>" in page
    assert "The answer of the view" in page


def test_who_wrote_it_is_asked_of_the_view(client: TestClient) -> None:
    told = client.get("/api/v1/origin?address=10.1.2.7&location=DMZ").json()
    assert (told["view"], told["source"]) == ("edge", "views/edge/locations.csv:1")
    assert [change["view"] for change in told["changes"]] == ["edge"]
    answer = client.get("/api/v1/origin?address=10.1.2.7&protocol=rtmp&call_direction=dial_out").json()
    assert (answer["view"], answer["source"]) == ("streams", "policy.toml:8")
    page = client.get("/lookup/origin?address=10.1.2.7&protocol=rtmp&call_direction=dial_out").text
    assert "view streams" in page


def test_where_there_are_no_views_nothing_is_said_of_them(tmp_path: Path) -> None:
    client = client_of_repository(make_repository(tmp_path / "plain.git", {"locations.csv": "Oslo,10.1.0.0/16\n"}))
    page = client.get("/lookup?address=10.1.2.7").text
    assert "takes the call" not in page
    assert "Location of the node" not in page


def test_overflow_that_is_said_once_leads_to_the_line_that_says_it(tmp_path: Path) -> None:
    files = {"policy.toml": '[overflow]\nOslo = "Lima"\n', "locations.csv": "Oslo,10.1.0.0/16\nOslo,Rome,10.2.0.0/16\n"}
    client = client_of_repository(make_repository(tmp_path / "locations.git", files))
    page = client.get("/lookup?address=10.1.2.7").text
    place = page.partition("overflow: Lima")[2].partition("says of Oslo")[0]
    assert 'href="/source/policy.toml?' in place
    assert "line=2" in place
    assert "says of" not in client.get("/lookup?address=10.2.2.7").text
    (row,) = client.get("/api/v1/lookup?address=10.1.2.7").json()["rows"]
    assert row["overflow_source"] == "policy.toml:2"
