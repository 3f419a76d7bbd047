"""Pages and API over real repositories: what they say, and what they refuse."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from location_policy.gate.overrides import Override, joined, record
from location_policy.lookup.answers import Outcome
from location_policy.plan.limits import Excess
from location_policy.problems import Problem, Problems
from location_policy.repository.repository import open_repository
from location_policy.rollout.journal import Event, Journal
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.relation import Relation
from location_policy.rollout.state import ActiveState, Failure, Head
from location_policy.web.app import make_app
from location_policy.web.edge.guard import Access
from location_policy.web.ops.metrics import Requests
from location_policy.web.pages.rendering import ASKED, compile_templates, environment
from location_policy.web.pages.router import Pages
from location_policy.web.site.change_service import ChangeService
from location_policy.web.site.pin_service import PinService
from location_policy.web.site.repository_queries import RepositoryQueries
from location_policy.web.site.site import Site
from location_policy.web.site.thread_pool import ThreadPool
from tests.support.app import client_of, client_of_repository, served
from tests.support.maps import COMMIT, MOMENT, many_rows, snapshot_of
from tests.support.repositories import Files, force_commit, git, init, make_repository, run_git, tip
from tests.support.signing import force_signed, make_ssh_key, require
from tests.web.history import FIRST, INVALID, SECOND, THIRD

BROWSER = {"accept": "text/html,*/*;q=0.8"}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three valid commits, and one that is not between them."""
    repository = make_repository(tmp_path_factory.mktemp("pages") / "locations.git", FIRST)
    force_commit(repository, SECOND, message="Open the office\n\nIn Melbourne, from May.")
    force_commit(repository, INVALID, message="Break it")
    force_commit(repository, THIRD, message="Move <b>everyone</b> & all")
    return repository


@pytest.fixture(scope="module")
def client(original: Path) -> TestClient:
    return client_of_repository(original)


@pytest.fixture
def repository(original: Path, tmp_path: Path) -> Path:
    """One to change."""
    return Path(shutil.copytree(original, tmp_path / "locations.git"))


def page(client: TestClient, target: str, status: int = 200) -> str:
    """The text of a page without its marks, white space in one piece."""
    response = client.get(target, headers=BROWSER)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    main = response.text.partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", main.replace("<wbr>", "")))


def facts(client: TestClient, target: str, status: int = 200) -> dict[str, Any]:
    """What the API says."""
    response = client.get(f"/api/v1/{target}")
    assert response.status_code == status, response.text
    body: dict[str, Any] = response.json()
    return body


def test_every_outcome_of_a_request_has_its_words() -> None:
    assert [outcome for outcome in get_args(Outcome) if not ASKED.get(outcome)] == []


# --- home ---


def test_home_says_what_is_in_force(client: TestClient, repository: Path) -> None:
    text = page(client, "/")
    assert "✓ in-sync Serving the latest commit." in text
    assert tip(repository)[:10] in text
    assert "Move &lt;b&gt;everyone&lt;/b&gt; &amp; all" in text
    assert "No requests yet." in text
    assert "missing: pushes are not checked" in text
    assert "Melbourne 2" in text


def test_home_says_since_when_a_commit_is_active_only_where_it_has_seen_that(repository: Path) -> None:
    active, settings = served(repository)
    client = TestClient(make_app(active, settings), base_url="http://127.0.0.1")
    text = page(client, "/")
    assert ", loaded just now" in text  # it may have been active long before this service began
    assert "Active since" not in text
    force_commit(repository, FIRST)
    Refresher(repository, active, settings.state_directory).refresh()
    text = page(client, "/")
    assert ", made active just now" in text
    assert "Active since" in text


def test_home_counts_requests_by_outcome(repository: Path) -> None:
    client = client_of_repository(repository)
    client.get("/policy/v1/participant/location?protocol=mssip&ms-subnet=10.61.2.0")
    client.get("/policy/v1/participant/location?protocol=sip&ms-subnet=10.61.2.0")
    told = facts(client, "status")
    assert told["requests"] == {"match": 1, "no-opinion": 1}
    assert (sum(told["last_hour"]), len(told["last_hour"])) == (2, 60)
    assert told["last_request_at"] is not None
    assert "match a row covers the address 1 no-opinion Pexip chooses by itself 1" in page(client, "/")


def test_home_leads_to_the_last_changes_with_what_each_did(client: TestClient) -> None:
    assert 'data-fill="/recent"' in client.get("/", headers=BROWSER).text
    text = page(client, "/recent")
    assert "Break it" in text
    assert "rejected: 2 errors" in text
    assert text.count("Revert …") == len(facts(client, "recent")["commits"]) - 1 == 3  # not the first


def test_a_search_for_a_subnet_marks_its_row_and_parts_those_that_hold_it(client: TestClient) -> None:
    rows = facts(client, "map?q=10.61.2.0/24")["rows"]
    assert [(row["subnet"], row["relation"]) for row in rows] == [
        ("10.61.2.0/24", "exact"),
        ("10.61.0.0/16", "around"),
    ]
    assert "Contained in 10.61.0.0/16" in page(client, "/map?q=10.61.2.0/24")


def test_home_of_an_empty_repository_says_how_to_begin(tmp_path: Path) -> None:
    (tmp_path / "empty.git").mkdir()
    git("init", "--quiet", "--bare", "--initial-branch=main", cwd=tmp_path / "empty.git")
    text = page(client_of_repository(tmp_path / "empty.git"), "/")
    assert "… starting There is no commit to answer from yet." in text
    assert "Nodes are answered 503" in text
    assert "Upload the first map Or in a clone on the machine of the service: git clone" in text


@pytest.mark.parametrize("path", ["/map", "/lookup", "/lookup?address=10.61.2.1", "/history"])
def test_a_page_of_an_empty_repository_says_that_there_is_no_map_yet(tmp_path: Path, path: str) -> None:
    client = client_of_repository(init(tmp_path / "map.git", "--empty"))
    shown = client.get(path, headers=BROWSER)
    assert (shown.status_code, "<h1>There is no map yet</h1>" in shown.text) == (503, True)
    assert '<a class="button" href="/upload">Upload the first map</a>' in shown.text
    assert "Temporarily unavailable" not in shown.text
    told = client.get(f"/api/v1{path}")
    assert (told.status_code, told.json()["title"]) == (503, "Temporarily unavailable")


def test_the_first_commit_has_no_revert(client: TestClient) -> None:
    assert "Revert …" in page(client, f"/commit/{facts(client, 'history')['commits'][1]['commit']}")
    first = page(client, f"/commit/{facts(client, 'history')['commits'][-1]['commit']}")
    assert ("Revert …" in first, "Undo …" in first, "Restore this version …" in first) == (False, False, True)


def test_home_says_why_head_is_not_active_with_file_and_line(repository: Path) -> None:
    bad = force_commit(repository, INVALID, message="Break it again")
    client = client_of_repository(repository)
    text = page(client, "/")
    assert "✕ rejected" in text
    assert "10.61.2.1/24 has host bits set [host-bits]" in text
    assert "hint: write 10.61.2.0/24" in text
    assert f'href="/source/locations.csv?at={bad}&amp;line=1"' in client.get("/").text
    assert "Latest commit, not active Break it again" in text


@pytest.mark.parametrize(("is_active", "word"), [(True, "Dropped"), (False, "Drops")])
def test_home_names_what_head_drops(*, is_active: bool, word: str) -> None:
    active, commit = ActiveState(), replace(COMMIT, id="d" * 40)
    dropped = Relation("b" * 40, gained=2, dropped=3, newest=(replace(COMMIT, id="a" * 40, subject="A <b>"),))
    active.change(snapshot=snapshot_of(commit=commit if is_active else COMMIT), was_read=True, is_settled=True)
    active.change(head=Head(commit, MOMENT, dropped))
    text = page(client_of(active), "/")
    assert f"{word} 3 commits since bbbbbbbbbb aaaaaaaaaa A &lt;b&gt; (Alice) … and 2 more" in text
    assert ("Adds 2 commits" in text) is not is_active


def test_home_says_that_an_older_commit_waits() -> None:
    active = ActiveState()
    head = Head(replace(COMMIT, id="d" * 40), MOMENT, Relation(COMMIT.id, gained=0, dropped=1, newest=(COMMIT,)))
    active.change(snapshot=snapshot_of(), was_read=True, head=head)
    assert "The source names an older commit. It is taken once a later fetch says the same." in page(
        client_of(active), "/"
    )


def test_home_shows_some_of_many_problems_and_locations() -> None:
    active = ActiveState()
    rows = "".join(f"L{at},10.{at}.0.0/16\n" for at in range(60))
    problems = Problems((Problem("locations.csv", 1, 1, "not-utf8", "no"),) * 70)
    active.change(snapshot=snapshot_of({"locations.csv": rows}), outage=Failure(MOMENT, "gone", None, problems))
    active.change(was_read=True, head=Head(COMMIT, MOMENT), not_kept="/srv/state cannot be written")
    text = page(client_of(active), "/")
    assert "! unreachable" in text
    assert "… and 20 more: location-policy check" in text
    assert "… and 40 more: see the map" in text
    assert "no: /srv/state cannot be written" in text


def test_home_without_a_valid_commit_at_all_says_so(tmp_path: Path) -> None:
    client = client_of_repository(make_repository(tmp_path / "locations.git", INVALID))
    assert "there is none before it to serve: nodes get 503" in page(client, "/")


# --- map and picture ---


def test_the_map_lists_every_row_with_its_place(client: TestClient, repository: Path) -> None:
    text = page(client, "/map")
    assert "3 subnets in 2 files" in text
    assert "10.65.0.0/20 Melbourne overflow: Sydney, Oslo /20 locations/apac.csv:3" in text
    link = f'href="/source/locations/apac.csv?at={tip(repository)}&amp;line=3"'
    assert link in client.get("/map").text


def test_the_map_is_searched_sorted_and_paged(client: TestClient) -> None:
    found = facts(client, "map?q=10.61.2.7")
    assert [row["subnet"] for row in found["rows"]] == ["10.61.2.0/24", "10.61.0.0/16"]
    assert facts(client, "map?location=Sydney")["found"] == 1
    assert facts(client, "map?file=locations.csv")["found"] == 1
    assert facts(client, "map?sort=length&order=desc")["rows"][0]["subnet"] == "10.61.2.0/24"
    third = facts(client, "map?limit=1&page=3")
    assert (third["pages"], third["rows"][0]["subnet"]) == (3, "10.65.0.0/20")
    assert facts(client, "map?limit=1&page=99")["page"] == 3
    assert "No matching rows." in page(client, "/map?q=nowhere")
    assert "Page 2 of 3" in page(client, "/map?limit=1&page=2&sort=length&order=desc")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("map?page=0", "page cannot be 0"),
        ("map?page=٣", "page cannot be ٣"),
        ("map?limit=99999999999999999999", "limit cannot be 99999999999999999999"),
        ("map?sort=size", "sort cannot be size"),
        ("picture?root=10.0.0.0", "10.0.0.0 is not a subnet"),
        ("origin", "address is not given"),
        ("origin?address=10.61", "'10.61' is not an IPv4 or IPv6 address"),
        ("compare?old=abcdef0", "new is not given"),
    ],
)
def test_what_cannot_be_asked_so_is_told_as_problem_details(client: TestClient, target: str, said: str) -> None:
    response = client.get(f"/api/v1/{target}")
    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")
    assert response.json()["title"] == "Bad request"
    assert response.json()["detail"] == said


def test_a_page_that_cannot_be_shown_has_the_form_to_ask_again(client: TestClient) -> None:
    text = page(client, "/map?sort=size", 400)
    assert "sort cannot be size" in text
    assert "hint: it is one of: subnet, location, source, length" in text
    assert "Address, subnet, location or file" in text
    assert "Home" in page(client, "/picture?root=x", 400)


def test_the_picture_says_in_words_what_each_bar_is(client: TestClient) -> None:
    response = client.get("/picture?root=10.61.0.0/16")
    assert (
        'aria-label="Sydney 10.61.0.0/16, 10.61.0.0 to 10.61.255.255 (10.61.0.0/16 in locations/apac.csv:2)'
        in response.text
    )
    bars = facts(client, "picture")["bars"]
    assert (bars[0]["leads_to"], bars[0]["rows"], bars[0]["locations"]) == ("10.0.0.0/9", 0, {})


def test_the_picture_tells_groups_gaps_and_both_families(tmp_path: Path) -> None:
    rows = "".join(f"{'Oslo' if at % 2 else 'Sydney'},10.0.{at}.0/24\n" for at in range(4))
    rows += "Oslo,10.0.9.0/24\nPerth,192.0.2.0/24\nSydney,Oslo,2001:db8::/32\nOslo,128.0.0.0/2\nPerth,160.0.0.0/4\n"
    client = client_of_repository(make_repository(tmp_path / "locations.git", {"locations.csv": rows}))
    roots = facts(client, "picture")
    assert (roots["root"], roots["roots"]) == ("10.0.0.0/20", ["10.0.0.0/20", "192.0.2.0/24", "2001:db8::/32"])
    text = client.get("/picture?root=0.0.0.0/0").text
    assert "5 subnets in 8.0.0.0/6, 8.0.0.0 to 11.255.255.255: Oslo 60%, Sydney 40%" in text
    assert "no row 12.0.0.0 to 127.255.255.255" in text
    assert "Oslo 128.0.0.0/2, 128.0.0.0 to 191.255.255.255 (128.0.0.0/2 in locations.csv:8); 1 inside" in text
    assert '<a href="/picture?root=2001%3Adb8%3A%3A%2F32">2001:db8::/32</a>' in text
    assert ", overflow: Oslo (2001:db8::/32 in locations.csv:7)" in client.get("/picture?root=2001:db8::/32").text
    same = "Oslo,10.0.0.0/24\nOslo,10.0.1.0/24\nPerth,10.255.0.0/24\n"
    client = client_of_repository(make_repository(tmp_path / "same.git", {"locations.csv": same}))
    assert "2 subnets in 10.0.0.0/14, 10.0.0.0 to 10.3.255.255: Oslo" in client.get("/picture").text


def test_a_table_by_location_is_beside_the_picture(tmp_path: Path) -> None:
    rows = "Sydney,10.0.0.0/16\nOslo,10.0.1.0/24\nOslo,10.0.2.0/25\nSydney,Oslo,2001:db8::/32\n"
    client = client_of_repository(make_repository(tmp_path / "locations.git", {"locations.csv": rows}))
    found = facts(client, "picture?root=10.0.0.0/16")
    assert found["by_location"] == [
        {"location": "Sydney", "subnets": 1, "size": "65,152 addresses", "share": "99.42%", "largest": "10.0.0.0/16"},
        {"location": "Oslo", "subnets": 2, "size": "384 addresses", "share": "0.59%", "largest": "10.0.1.0/24"},
    ]
    assert "Oslo 2 384 0.59% 10.0.1.0/24" in page(client, "/picture?root=10.0.0.0/16")
    [wide] = facts(client, "picture?root=2001:db8::/32")["by_location"]
    assert (wide["size"], wide["share"]) == ("4,294,967,296 /64s", "100%")


def test_an_ipv6_map_is_drawn_from_its_own_whole(tmp_path: Path) -> None:
    files: Files = {"locations.csv": "Sydney,2001:db8::/32\nOslo,2001:db8:8000::/33\n"}
    found = facts(client_of_repository(make_repository(tmp_path / "locations.git", files)), "picture")
    assert (found["root"], found["families"]) == ("2001:db8::/32", {"IPv6": "2001:db8::/32"})


# --- lookup ---


def test_the_lookup_shows_the_answer_that_a_node_gets(client: TestClient) -> None:
    asked = client.get("/policy/v1/participant/location?protocol=mssip&ms-subnet=10.61.2.7").json()
    found = facts(client, "lookup?address=10.61.2.7")
    assert found["answer"] == {"http_status": 200, "outcome": "match", "body": asked}
    assert [row["subnet"] for row in found["rows"]] == ["10.61.2.0/24", "10.61.0.0/16"]
    text = page(client, "/lookup?address=10.61.2.7")
    assert "Answered by a row Melbourne no overflow location 10.61.2.0/24 in locations.csv:1" in text
    assert "Less specific matches" in text
    command = "curl &#39;http://127.0.0.1/policy/v1/participant/location?protocol=mssip&amp;ms-subnet=10.61.2.7&#39;"
    assert command in text


def test_a_whole_request_can_be_composed(client: TestClient) -> None:
    found = facts(client, "lookup?protocol=WebRTC&remote_address=10.65.1.1&vendor=a%26b")
    assert found["answer"]["outcome"] == "match"
    assert found["request"].endswith("?protocol=WebRTC&remote_address=10.65.1.1&vendor=a%26b")
    assert 'value="10.65.1.1"' in client.get("/lookup?remote_address=10.65.1.1&protocol=webrtc").text
    assert "overflow: Sydney, Oslo" in page(client, "/lookup?protocol=webrtc&remote_address=10.65.1.1")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("address=192.0.2.1", "Answered by the default: no row covers this address Oslo"),
        ("address=10.61", "Bad request: not an address 10.61 is not an IPv4 or IPv6 address"),
        ("address=10.61.2.1&protocol=sip", "No opinion: Pexip chooses by itself policy.reason.no.match"),
        ("", "An address gives the answer that a conference node gets"),
    ],
)
def test_every_outcome_is_told_in_words(client: TestClient, query: str, said: str) -> None:
    assert said in page(client, f"/lookup?{query}")


def test_a_subnet_is_told_by_its_parts(client: TestClient) -> None:
    found = facts(client, "lookup?address=10.61.0.0/16")["subnet"]
    assert (found["subnet"], found["is_split"], found["more"]) == ("10.61.0.0/16", True, 0)
    assert sum(int(part["size"]) for part in found["parts"]) == 65_536
    text = page(client, "/lookup?address=10.61.0.0/16")
    assert f"Split in {len(found['parts'])} parts" in text
    assert "Its parts, largest first" in text
    assert "No opinion: Pexip chooses by itself" in page(client, "/lookup?address=10.61.0.0/16&protocol=sip")


def test_a_subnet_with_one_answer_is_told_as_one(client: TestClient) -> None:
    found = facts(client, "lookup?address=10.61.2.128/25")["subnet"]
    assert [part["answer"]["location"] for part in found["parts"]] == ["Melbourne"]
    assert "10.61.2.128/25 Melbourne Its rows on the map" in page(client, "/lookup?address=10.61.2.128/25")


def test_a_location_is_told_by_the_rows_that_lead_to_it(client: TestClient) -> None:
    found = facts(client, "lookup?address=Melbourne")
    assert (found["location"]["location"], found["answer"], found["subnet"]) == ("Melbourne", None, None)
    assert all(row["location"] == "Melbourne" for row in found["location"]["as_location"])
    assert all("Melbourne" in row["overflow"] for row in found["location"]["as_overflow"])
    assert f"As location: {len(found['location']['as_location'])} row" in page(client, "/lookup?address=Melbourne")


def test_a_location_that_is_not_there_leads_to_the_one_that_was_meant(client: TestClient) -> None:
    told = facts(client, "lookup?address=melbourn", 400)
    assert told["detail"] == "melbourn is no address, no subnet and no location of this map"
    assert told["hint"] == "write Melbourne"


def test_a_subnet_with_more_rows_than_a_page_looks_through_is_asked_elsewhere(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("location_policy.web.pages.lookup.LARGEST", 1)
    told = facts(client, "lookup?address=10.0.0.0/8", 400)
    assert told["hint"] == "look up a part of it, or at a shell: location-policy lookup 10.0.0.0/8"


def test_no_match_is_told_too_and_lists_of_overflow_locations(tmp_path: Path) -> None:
    files: Files = {"locations.csv": "A,B,C,D,10.0.0.0/8\n", "policy.toml": '[answer]\noverflow = "list"\n'}
    client = client_of_repository(make_repository(tmp_path / "locations.git", files))
    assert "No answer: no row covers this address" in page(client, "/lookup?address=192.0.2.1")
    assert "A overflow: B, C, D" in page(client, "/lookup?address=10.0.0.1")
    assert "No row covers 192.0.2.1." in page(client, "/lookup/origin?address=192.0.2.1")


def test_a_password_that_a_node_needs_is_in_the_command(repository: Path) -> None:
    client = client_of_repository(repository, Access(anonymous=frozenset(("viewer",))))
    assert "curl --user USER &#39;http://" in page(client, "/lookup?address=10.61.2.7")


def test_the_answer_at_another_commit_is_told(client: TestClient, repository: Path) -> None:
    second = git("rev-parse", "main~2", cwd=repository)
    found = facts(client, f"lookup?address=10.61.2.7&at={second}")
    assert found["answer"]["body"]["result"] == {"location": "Sydney", "primary_overflow_location": "Melbourne"}
    assert (found["is_active"], found["commit"]["subject"]) == (False, "Open the office")
    assert "not the active one" in page(client, f"/lookup?address=10.61.2.7&at={second[:7]}")


def test_the_answer_at_a_commit_that_is_not_valid_is_its_problems(client: TestClient, repository: Path) -> None:
    bad = git("rev-parse", "main~1", cwd=repository)
    told = facts(client, f"lookup?address=10.61.2.7&at={bad}", 422)
    assert [problem["code"] for problem in told["problems"]] == ["host-bits", "too-few-columns"]
    assert "10.61.2.1/24 has host bits set" in page(client, f"/lookup?address=10.61.2.7&at={bad}", 422)


def test_who_wrote_the_row_and_since_when(client: TestClient, repository: Path) -> None:
    found = facts(client, "origin?address=10.61.2.7")
    assert found["written"]["commit"] == tip(repository)
    assert [(one["from"], one["to"]["location"]) for one in found["changes"]] == [
        ({"location": "Sydney", "overflow": ["Melbourne"]}, "Melbourne"),
        (None, "Sydney"),
    ]
    text = page(client, "/lookup/origin?address=10.61.2.7")
    assert "locations.csv:1 was written by" in text
    assert "Among the last 4 commits." in text
    assert "look at 1,000" in client.get("/lookup/origin?address=10.61.2.7&number=2").text
    before = git("rev-parse", "main~2", cwd=repository)
    assert facts(client, f"origin?address=10.61.2.7&at={before}")["looked_at"] == 2


# --- history ---


def test_history_lists_the_commits_and_what_became_of_each(repository: Path) -> None:
    _, settings = served(repository)
    first, second = git("rev-parse", "main~3", "main~2", cwd=repository).split()
    journal = Journal(settings.state_directory)
    for at, commit_id in enumerate((first, second)):
        journal.add(Event(MOMENT.replace(minute=at), commit_id, "active"))
    journal.add(Event(MOMENT.replace(minute=5), first, "refused"))
    journal.write()
    with open_repository(repository) as opened:
        override = Override("changed-addresses", "25%", "30%", "the office moves", "bob", MOMENT)
        record(opened, second, override)
    client = client_of_repository(repository)
    found = facts(client, "history")
    assert [one["subject"] for one in found["commits"]][:2] == ["Move <b>everyone</b> & all", "Break it"]
    oldest, office = found["commits"][3], found["commits"][2]
    assert oldest["was_active"][-1] == {"from": "2026-03-01T12:00:00Z", "to": "2026-03-01T12:01:00Z"}
    assert oldest["refused"] == ["2026-03-01T12:05:00Z"]
    assert "was active for 1 minute from 2026-03-01 12:00 UTC" in page(client, "/history")
    assert office["override"]["reason"] == "the office moves"
    assert found["commits"][0]["is_active"]
    text = page(client, "/history")
    assert "limit overridden the office moves (bob) changed-addresses 25%, measured 30%" in text
    assert "4 commits" in text


def test_each_limit_that_was_overridden_stands_by_itself(repository: Path) -> None:
    excess = [Excess("changed-addresses", "25%", "30%"), Excess("limits.removed-subnets", "10%", "none")]
    with open_repository(repository) as opened:
        record(opened, tip(repository), joined(excess, "all moves", "bob", MOMENT))
    told = client_of_repository(repository).get("/history").text
    assert "(bob)</span>" in told
    for limit in ("changed-addresses 25%, measured 30%", "limits.removed-subnets 10% -&gt; none"):
        assert f'<div class="quiet">{limit}</div>' in told


def test_history_is_paged(repository: Path) -> None:
    for at in range(60):
        git("update-ref", "refs/heads/main", _next(repository, at), cwd=repository)
    client = client_of_repository(repository)
    assert facts(client, "history")["pages"] == 2
    assert len(facts(client, "history?page=2")["commits"]) == 14
    assert "Page 2 of 2" in page(client, "/history?page=2")
    assert "No commits here." in page(client, "/history?page=3")


def _next(repository: Path, at: int) -> str:
    return git("commit-tree", "main^{tree}", "-p", "main", "-m", f"Commit {at}", cwd=repository)


def test_a_commit_is_shown_with_what_it_does(client: TestClient, repository: Path) -> None:
    text = page(client, f"/commit/{tip(repository)}")
    assert "moved 10.61.2.0/24" in text
    assert "Compared with" in text
    assert "Open the office" in text
    told = facts(client, f"commit/{tip(repository)}")
    assert (told["plan"]["effect"], told["old"]["subject"]) == (True, "Open the office")
    second = git("rev-parse", "main~2", cwd=repository)
    assert "In Melbourne, from May." in page(client, f"/commit/{second}")
    first = git("rev-parse", "main~3", cwd=repository)
    assert "there was no map before it" in page(client, f"/commit/{first}")
    assert "policy.toml: answer.default" in page(client, f"/commit/{first}")


def test_the_commit_at_which_a_shallow_clone_ends_is_not_said_to_bring_the_map(
    repository: Path, tmp_path: Path
) -> None:
    end = tip(repository)
    last = force_commit(repository, THIRD)
    shallow = tmp_path / "shallow.git"
    git("clone", "--quiet", "--bare", "--depth=2", f"file://{repository}", shallow, cwd=repository)
    client = client_of_repository(shallow)
    assert "Impact not known The clone is shallow" in page(client, f"/commit/{end}")
    told = [client.get(f"/api/v1/commit/{one}").json() for one in (end, last)]
    assert [(one["is_shallow"], one["plan"] is None) for one in told] == [(True, True), (False, False)]


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen, which signs, is not installed")
def test_who_has_signed_a_commit_is_told(repository: Path, tmp_path: Path) -> None:
    key = make_ssh_key(tmp_path, "alice")
    (tmp_path / "allowed").write_text(key.line())
    require(repository, "off", allowedSigners=tmp_path / "allowed")
    signed = force_signed(repository, key)
    client = client_of_repository(repository)
    told = facts(client, f"commit/{signed}")
    assert (told["signer"], told["signing_key"]) == (key.name, key.fingerprint)
    assert f"Signed by {key.name} {key.fingerprint}" in page(client, f"/commit/{signed}")
    assert f"signed by {key.name}" in page(client, "/history")
    assert [one["signer"] for one in facts(client, "history")["commits"][:2]] == [key.name, None]


def test_a_commit_that_is_not_valid_is_shown_with_its_problems(client: TestClient, repository: Path) -> None:
    bad = git("rev-parse", "main~1", cwd=repository)
    text = page(client, f"/commit/{bad}")
    assert "Rejected: 2 errors" in text
    assert "10.61.2.1/24 has host bits set" in text
    assert facts(client, f"commit/{bad}")["plan"] is None


def test_any_two_commits_are_compared(client: TestClient, repository: Path) -> None:
    new, old = git("rev-parse", "main", "main~3", cwd=repository).split()
    assert "moved 10.65.0.0/20 Oslo Melbourne" in page(client, f"/compare?old={old}&new={new}")
    assert "removed 10." not in page(client, f"/compare?old={old}&new={new}")
    assert "no effect" in page(client, f"/compare?old={new}&new={new}")


def test_what_is_to_be_compared_can_be_named_where_it_was_not(client: TestClient, repository: Path) -> None:
    assert "old is not given" in page(client, "/compare", 400)
    known = tip(repository)
    text = client.get(f"/compare?old=0000000&new={known}", headers=BROWSER).text
    assert 'value="0000000"' in text
    assert f'value="{known}"' in text


def test_what_cannot_be_compared_says_which_of_the_two_is_not_valid(client: TestClient, repository: Path) -> None:
    old, bad = git("rev-parse", "main~3", "main~1", cwd=repository).split()
    for target in (f"/compare?old={old}&new={bad}", f"/compare?old={bad}&new={old}"):
        assert f"Nothing to compare: {bad[:10]} is rejected 2 errors" in page(client, target)
        assert f'href="/source/locations.csv?at={bad}&amp;line=2"' in client.get(target, headers=BROWSER).text


def test_a_large_plan_is_shown_in_part(repository: Path) -> None:
    old = tip(repository)
    rows = "".join(f"L{at},10.{at >> 8}.{at & 255}.0/24\n" for at in range(600))
    new = force_commit(repository, {"locations.csv": rows})
    client, target = client_of_repository(repository), f"compare?old={old}&new={new}"
    first = page(client, f"/{target}")
    assert "Page 1 of 13" in first
    assert first.count("256 addresses") < 160
    last = facts(client, f"{target}&page=13")["plan"]
    assert (last["found"], len(last["changes"]), last["more"]) == (603, 3, 0)
    assert [one["subnets"] for one in facts(client, f"{target}&location=L7")["plan"]["changes"]] == ["10.0.7.0/24"]
    inside = facts(client, f"{target}&subnet=10.1.0.0/24&kind=moved")["plan"]
    assert (inside["found"], inside["changes"][0]["after"]["location"]) == (1, "L256")
    assert facts(client, f"{target}&kind=overflow")["plan"]["changes"] == []
    assert "No matching ranges" in page(client, f"/{target}&kind=overflow")
    assert client.get(f"/api/v1/{target}&subnet=x").status_code == 400


def test_a_plan_of_many_ranges_begins_with_the_largest_pairs_of_answers(repository: Path) -> None:
    rows = [f"Tokyo,172.16.{2 * at}.0/24\n" for at in range(30)]
    come = "".join(f"C{at},172.18.{at}.0/24\n" for at in range(22))
    old = force_commit(repository, {"locations.csv": "".join([*rows, "Oslo,172.17.0.0/16\n"])})
    new = force_commit(repository, {"locations.csv": "".join([*rows[:15], "Perth,172.17.0.0/16\n", come])})
    client = client_of_repository(repository)
    told = facts(client, f"compare?old={old}&new={new}")["plan"]
    assert [(pair["kind"], pair["ranges"], pair["size"], pair["share"]) for pair in told["pairs"][:2]] == [
        ("removed", 15, "3,840 addresses", "4.88% of IPv4"),
        ("moved", 1, "65,536 addresses", "83.12% of IPv4"),
    ]
    assert (len(told["pairs"]), told["more_pairs"]) == (24, None)
    (strip,) = told["strips"]
    assert {(one["before"], one["after"]) for one in strip["segments"]} >= {("Oslo", "Perth"), ("Tokyo", None)}
    assert sum(one["width"] for one in strip["segments"]) <= 100
    assert (len(told["changes"]), told["changes"][0]["subnets"]) == (38, "172.17.0.0/16")
    text = page(client, f"/compare?old={old}&new={new}")
    assert "moved Oslo Perth 1 65,536 addresses 83.12% of IPv4" in text
    assert "added no answer C0 1 256 addresses 0.33% of IPv4" in text
    assert text.index("4 more pairs of locations") < text.index("the largest first") < text.index("172.17.0.0/16")


def test_a_commit_that_was_served_and_is_not_valid_by_its_own_rules_is_shown_as_served(tmp_path: Path) -> None:
    old_rules: Files = {"locations.csv": "Sydney,Sydney,10.61.2.0/24\n"}
    repository = make_repository(tmp_path / "locations.git", old_rules)
    journal = Journal(tmp_path / "state")
    (tmp_path / "state").mkdir()
    journal.add(Event(MOMENT, tip(repository), "active"))
    journal.write()
    first = tip(repository)
    force_commit(repository, {"locations.csv": "Sydney,10.61.2.0/24\n"})
    assert facts(client_of_repository(repository), f"commit/{first}")["errors"] == 0


def test_without_a_journal_nothing_is_known_of_what_became_of_a_commit(repository: Path) -> None:
    client = client_of_repository(repository)
    shutil.rmtree(repository.parent / "state")
    assert facts(client, "history")["commits"][0]["was_active"] == []


# --- files ---


def test_a_file_is_shown_around_a_line(client: TestClient) -> None:
    text = page(client, "/source/locations/apac.csv?line=2")
    assert "Blame line 2" in text
    assert "Sydney,10.61.0.0/16" in text
    assert "Blame line" not in page(client, "/source/locations/apac.csv?line=99")
    assert facts(client, "source/locations/apac.csv")["total"] == 3


def test_templates_are_compiled_before_anybody_asks() -> None:
    environment.cache_clear()
    compile_templates()
    cache = environment().cache
    assert cache is not None
    assert len(cache) == len(environment().list_templates())


def test_who_wrote_a_line_is_asked_by_itself(client: TestClient) -> None:
    assert "Line 2 was written by" in page(client, "/written/locations/apac.csv?line=2")
    assert facts(client, "written/locations/apac.csv?line=2")["written"]["subject"] == "Open the office"
    assert "has no line 99" in page(client, "/written/locations/apac.csv?line=99", 404)
    assert "line is not given" in page(client, "/written/locations/apac.csv", 400)


def test_a_long_file_is_shown_in_parts(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "locations.git", {"locations.csv": many_rows(1000).rstrip("\n")})
    client = client_of_repository(repository)
    assert "Further lines" in page(client, "/source/locations.csv")
    lines = facts(client, "source/locations.csv?line=500")["lines"]
    assert (lines[0]["number"], lines[-1]["number"]) == (400, 600)
    assert "Further lines" not in page(client, "/source/locations.csv?line=1000")


def test_only_files_of_the_configuration_are_shown(client: TestClient) -> None:
    for path in ("README.md", "nowhere.csv", "locations/../policy.toml", "HEAD"):
        assert "has no file" in facts(client, f"source/{path.replace('..', '%2e%2e')}", 404)["detail"]


# --- revisions from outside ---


@pytest.mark.parametrize(
    "revision", ["main", "HEAD", "main~1", "--all", "0" * 40, "abc", "A" * 40, ":/Open", "refs/heads/main", "'", "%00"]
)
def test_only_ids_of_commits_of_the_branch_are_taken(client: TestClient, revision: str) -> None:
    told = facts(client, f"lookup?address=10.61.2.7&at={revision}", 404)
    assert told["detail"].startswith("the served branch has no commit")


def test_commits_and_objects_off_the_branch_are_not_shown(repository: Path) -> None:
    side = force_commit(repository, {"locations.csv": "Secret,10.0.0.0/8\n"}, "refs/heads/side")
    tree = git("rev-parse", "main^{tree}", cwd=repository)
    client = client_of_repository(repository)
    for one in (side, tree):
        assert facts(client, f"commit/{one}", 404)["title"] == "Not found"
    git("branch", tree[:10], "main", cwd=repository)
    facts(client, f"commit/{tree[:10]}", 404)


def test_a_branch_that_is_named_like_an_id_hides_no_commit(repository: Path) -> None:
    first = tip(repository, "main~3")
    git("branch", first[:10], "main", cwd=repository)
    assert facts(client_of_repository(repository), f"commit/{first[:10]}")["commit"] == first


def test_the_commit_in_force_is_shown_also_when_it_is_off_the_branch(repository: Path) -> None:
    active, settings = served(repository)
    was = tip(repository)
    git("update-ref", "refs/heads/main", "main~2", cwd=repository)
    with open_repository(repository) as opened:
        active.change(head=Head(opened.commit(tip(repository)), MOMENT))
    client = TestClient(make_app(active, settings), base_url="http://127.0.0.1")
    assert facts(client, f"commit/{was}")["commit"] == was


# --- when there is nothing to say ---


@pytest.mark.parametrize("target", ["map", "picture", "lookup?address=10.0.0.1", "history", "origin?address=10.0.0.1"])
def test_before_the_first_commit_pages_say_so(target: str) -> None:
    client = client_of(ActiveState())
    response = client.get(f"/api/v1/{target}")
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")


def test_without_a_repository_what_needs_one_says_so() -> None:
    active = ActiveState()
    active.change(snapshot=snapshot_of())
    assert facts(client_of(active), "history", 503)["detail"] == "there is no repository to read"
    assert "there is no repository to read" in page(client_of(active), "/history", 503)


def test_a_repository_that_is_gone_leaves_map_and_lookup(repository: Path) -> None:
    client = client_of_repository(repository)
    repository.rename(repository.with_name("away.git"))
    assert facts(client, "map")["found"] == 3
    assert facts(client, "lookup?address=10.61.2.7")["answer"]["outcome"] == "match"
    assert "the repository cannot be read" in facts(client, "history", 503)["detail"]


def test_who_has_waited_too_long_for_a_page_is_told_so(repository: Path) -> None:
    active, settings = served(repository)
    queries = RepositoryQueries(settings.place, settings.state_directory, active)
    change_service = ChangeService(settings.place, settings.changes)
    pins = PinService(settings.place, active)
    site = Site(active, settings, MOMENT, Requests(), queries, change_service, pins, needs_login=False)
    pages = Pages(site, ThreadPool(seconds=0.0))
    told = TestClient(Starlette(routes=pages.routes())).get("/map", headers=BROWSER)
    assert (told.status_code, told.headers["retry-after"]) == (503, "5")
    assert "this takes more than 0 seconds" in told.text


def test_a_snapshot_of_a_working_copy_has_no_commit() -> None:
    active = ActiveState()
    active.change(snapshot=snapshot_of(commit=None))
    client = client_of(active)
    assert facts(client, "map")["commit"] is None
    assert facts(client, "lookup?address=10.61.2.1")["commit"] is None
    assert "Answered by a row" in page(client, "/lookup?address=10.61.2.1")
    assert "etag" not in client.get("/locations.csv").headers
    assert client.get("/files/locations.csv").status_code == 503
    assert facts(client, "origin?address=10.61.2.1", 503)["detail"] == "no commit is known yet"


# --- of every page ---

PAGES = (
    "/",
    "/map",
    "/picture",
    "/lookup?address=10.61.2.7",
    "/lookup/origin?address=10.61.2.7",
    "/history",
    "/nowhere",
)


@pytest.mark.parametrize("target", PAGES)
def test_nothing_from_elsewhere_runs_in_a_page(client: TestClient, target: str) -> None:
    response = client.get(target, headers=BROWSER)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["referrer-policy"] == "same-origin"
    assert not re.search(r"<script(?! type=\"module\" src=)|\sstyle=|\son[a-z]+=|javascript:", response.text)
    assert not re.search(r'(?:src|href|action|data-fill)="(?!/(?!/)|#main")', response.text)


HOSTILE = "<img src=x onerror=alert(1)>\"'&"


def test_every_value_from_outside_is_escaped(tmp_path: Path) -> None:
    name = HOSTILE.replace('"', '""')
    files: Files = {f"locations/{HOSTILE}.csv": f'"{name}",10.0.0.0/8\n'}
    repository = make_repository(tmp_path / "locations.git", FIRST)
    commit = force_commit(repository, files, message=HOSTILE)
    client = client_of_repository(repository)
    query = httpx2.QueryParams({"q": HOSTILE, "address": HOSTILE, "at": HOSTILE, "root": HOSTILE, "location": HOSTILE})
    pages = ["/", "/map", "/picture", "/lookup?address=10.0.0.1", "/lookup/origin?address=10.0.0.1", "/history"]
    for target in [*pages, f"/commit/{commit}", f"/map?{query}", f"/lookup?{query}", f"/picture?{query}"]:
        text = client.get(target, headers=BROWSER).text
        assert "<img" not in text, target
        assert HOSTILE not in text


def test_home_is_small_with_all_that_it_loads(client: TestClient) -> None:
    text = client.get("/").text
    parts = [client.get(url).content for url in re.findall(r'(?:src|href)="(/static/[^"]*)"', text)]
    assert len(parts) == 3
    assert len(text.encode()) + sum(map(len, parts)) < 60_000


def test_static_files_are_kept_for_ever_under_their_digest_only(client: TestClient) -> None:
    [url] = re.findall(r'href="(/static/[^"]*\.css)"', client.get("/").text)
    assert client.get(url).headers["cache-control"] == "private, max-age=31536000, immutable"
    for other in (url.replace("style.css", "nothing.css"), "/static/0/style.css"):
        assert client.get(other).json()["detail"] == "there is no such file"


def test_a_path_that_is_not_utf8_is_shown_all_the_same(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "locations.git", FIRST)
    blob = git("rev-parse", "main:locations.csv", cwd=repository)
    tree = _tree_with(repository, blob, b"locations/\xff.csv")
    git("update-ref", "refs/heads/main", git("commit-tree", tree, "-m", "Odd", cwd=repository), cwd=repository)
    client = client_of_repository(repository)
    assert "locations/�.csv:1" in page(client, "/map")
    assert page(client, "/lookup?address=10.61.2.1")


def test_a_rule_for_answers_is_told_as_one_whatever_its_words_are(repository: Path) -> None:
    rules = '[answer]\ndefault = "the next push"\n[limits]\nremoved-subnets = "5%"\n'
    force_commit(repository, {**FIRST, "policy.toml": rules})
    told = page(client_of_repository(repository), f"/commit/{tip(repository)}")
    judging, _, answering = told.partition(" Rules for answers ")
    assert "Rules for the next pushes policy.toml: limits.removed-subnets none -&gt; 5%" in judging
    assert "policy.toml: answer.default Oslo -&gt; the next push" in answering


def test_what_cannot_be_seen_or_turns_text_round_is_written_out_on_every_page(tmp_path: Path) -> None:
    odd = {"locations/a\u200bb.csv": "S\u0443dney,10.61.3.0/24\n"}
    repository = make_repository(tmp_path / "locations.git", FIRST)
    force_commit(repository, {**FIRST, **odd}, message="Good\u202e dab\n\nAnd\u200b more.\nIn lines.")
    client = client_of_repository(repository)
    targets = ["/", "/map", "/lookup?address=10.61.3.1", "/history", "/edit", "/upload", f"/commit/{tip(repository)}"]
    texts = {target: page(client, target) for target in targets}
    for target, text in texts.items():
        assert not set(text).intersection("\u200b\u202e\u0443"), target
    assert "Good\\u202e dab" in texts["/"]
    assert "And\\u200b more. In lines." in texts[targets[-1]]
    assert "S\\u0443dney (1)" in texts["/map"]
    assert "a\\u200bb.csv" in texts["/upload"]


def _tree_with(repository: Path, blob: str, path: bytes) -> str:
    folder, name = path.split(b"/")
    inner = run_git("mktree", "-z", cwd=repository, stdin=b"100644 blob %b\t%b\0" % (blob.encode(), name)).stdout
    outer = b"040000 tree %b\t%b\n" % (inner.strip().encode(), folder)
    return run_git("mktree", cwd=repository, stdin=outer).stdout.strip()


def test_what_breaks_is_told_without_its_insides(monkeypatch: pytest.MonkeyPatch) -> None:
    active = ActiveState()
    active.change(snapshot=snapshot_of())
    client = client_of(active)
    client = TestClient(client.app, raise_server_exceptions=False)
    monkeypatch.setattr("location_policy.web.pages.map.find_rows", lambda *_: 1 // 0)
    response = client.get("/map")
    assert (response.status_code, response.json()["detail"]) == (500, "the log of the service says what")
    assert "Internal error" in page(client, "/map", 500)
