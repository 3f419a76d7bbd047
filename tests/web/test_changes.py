"""The forms by which the map is changed: shown, confirmed, refused; with nothing lost that was typed."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from location_policy.access.credentials import Credentials, Roles
from location_policy.gate.overrides import override_of
from location_policy.repository.remote.copy_path import mirror_directory
from location_policy.repository.repository import open_repository
from location_policy.web.app import make_app
from location_policy.web.edge.guard import Access
from location_policy.web.forms.fields import FIELDS, LARGEST
from location_policy.web.site.change_service import ChangeService
from tests.support.access import PASSWORD, write_users
from tests.support.app import client_of_repository, served
from tests.support.maps import many_rows
from tests.support.repositories import force_commit, git, make_repository, tip
from tests.support.service import basic, running_service
from tests.web.history import FIRST, SECOND

PATH = "locations/apac.csv"
SEEN = "Sydney,10.61.0.0/16"
OFFICE = str(SECOND[PATH])
EDIT: dict[str, Any] = {
    "path": PATH,
    "line": "2",
    "seen": SEEN,
    "subnet": "10.61.0.0/16",
    "location": "Melbourne",
    "overflow": ["Oslo", ""],
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    repository = make_repository(tmp_path / "locations.git", FIRST)
    force_commit(repository, SECOND, message="Open the office")
    return repository


@pytest.fixture
def client(repository: Path) -> TestClient:
    return client_of_repository(repository)


def text(response: httpx2.Response) -> str:
    """What a reader is shown, in one line."""
    main = response.text.partition("<main")[2].partition("</main>")[0]
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", main)))


def forms(response: httpx2.Response) -> list[dict[str, list[str]]]:
    """What a browser sends for each form of a page that posts, if nothing is typed."""
    found = []
    for form in re.findall(r'<form[^>]*method="post".*?</form>', response.text, re.DOTALL):
        fields: dict[str, list[str]] = {}
        for tag in re.findall(r"<input[^>]*>", form):
            attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
            if attributes.get("type") != "checkbox" or tag.endswith("checked>"):
                fields.setdefault(attributes["name"], []).append(unescape(attributes.get("value", "")))
        for name, value in re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL):
            fields[name] = [unescape(value).replace("\n", "\r\n")]
        found.append(fields)
    return found


def confirmed(client: TestClient, preview: httpx2.Response, **typed: str) -> httpx2.Response:
    """The answer to the form that confirms what is shown."""
    action = "/revert" if "Revert a commit" in text(preview) else "/edit"
    fields = forms(preview)[-1]
    assert "tip" in fields
    return client.post(action, data={**fields, **typed, "confirm": "1"})


# --- one row ---


def test_a_change_of_what_is_not_active_says_what_nodes_get(client: TestClient, repository: Path) -> None:
    served, told = tip(repository), "the latest commit, which is not active: nodes get"
    assert told not in text(client.post("/edit", data=EDIT))
    broken = force_commit(repository, {PATH: f"{OFFICE}Perth,10.99.0.1/16\n"}, message="Break it")
    shown = text(client_of_repository(repository).post("/revert", data={"commit": broken}))
    assert f"Compared with {broken[:10]} , {told} {served[:10]}" in shown


def test_the_map_leads_to_a_form_for_each_row(client: TestClient, repository: Path) -> None:
    link = f"/edit?path=locations/apac.csv&amp;line=2&amp;at={tip(repository)}"
    page = client.get("/map").text.replace("%2F", "/")
    assert link in page
    shown = client.get(unescape(link))
    assert forms(shown) == [
        {
            "seen": [SEEN],
            "path": [PATH],
            "line": ["2"],
            "subnet": ["10.61.0.0/16"],
            "location": ["Sydney"],
            "overflow": ["", ""],
        }
    ]
    assert '<option value="Melbourne"></option><option value="Sydney"></option>' in shown.text


def test_a_change_is_shown_before_anything_is_on_a_ref(client: TestClient, repository: Path) -> None:
    before = git("for-each-ref", cwd=repository)
    shown = client.post("/edit", data=EDIT)
    assert shown.status_code == 200
    assert "1 range changed: 1 moved (65,280 addresses)" in text(shown)
    assert forms(shown)[-1]["message"][0].startswith("Change 10.61.0.0/16 to Melbourne, Oslo\r\n")
    assert git("for-each-ref", cwd=repository) == before


def test_a_confirmed_change_is_a_commit_of_that_line_alone(client: TestClient, repository: Path) -> None:
    before = tip(repository)
    done = confirmed(client, client.post("/edit", data=EDIT))
    assert (done.status_code, done.headers["location"]) == (303, f"/commit/{tip(repository)}")
    assert git("show", f"main:{PATH}", cwd=repository).splitlines()[:2] == [
        "# the office",
        "Melbourne,Oslo,10.61.0.0/16",
    ]
    assert git("rev-parse", "main~1", cwd=repository) == before
    page = client.get(done.headers["location"])
    assert "On the served branch, being loaded" in text(page)
    assert "being loaded" not in text(client_of_repository(repository).get(done.headers["location"]))


def test_what_is_typed_as_message_is_kept_and_what_was_proposed_is_none(client: TestClient, repository: Path) -> None:
    confirmed(client, client.post("/edit", data=EDIT), message="As agreed")
    assert git("log", "-1", "--format=%B", "main", cwd=repository) == "As agreed"


def test_what_is_wrong_is_told_by_file_and_line_with_what_was_typed(client: TestClient) -> None:
    shown = client.post("/edit", data={**EDIT, "subnet": "10.61.0.1/16", "message": "Mine", "proposed": "Ours"})
    assert shown.status_code == 422
    assert f"{PATH}:2 :16 error : 10.61.0.1/16 has host bits set" in text(shown)
    assert [form["subnet"] for form in forms(shown)] == [["10.61.0.1/16"]]
    assert 'role="alert" id="trouble" tabindex="-1" autofocus' in shown.text


def test_what_could_be_better_is_told_unless_it_was_so_before(client: TestClient) -> None:
    row = {"path": PATH, "subnet": "10.61.4.0/24", "location": "Sydney", "overflow": ""}
    shown = client.post("/edit", data=row)
    assert shown.status_code == 200
    told = text(shown).partition("New warnings ")[2]
    assert (told.startswith(f"{PATH}:3 :8 warning : "), "[redundant-subnet]" in told) == (True, True), told
    assert "[redundant-subnet] Sydney,10.61.4.0/24" in told
    confirmed(client, shown)
    later = text(client.post("/edit", data={**row, "subnet": "10.70.0.0/24"}))
    assert ("New warnings" in later, "0 new warnings (1 before)" in later) == (False, True)


def test_a_map_that_is_not_valid_is_mended(client: TestClient, repository: Path) -> None:
    force_commit(repository, {**SECOND, PATH: f"{OFFICE}Oslo,10.66.0.1/24\n"})
    mend = {"path": PATH, "line": "4", "seen": "Oslo,10.66.0.1/24", "subnet": "10.66.0.0/24", "location": "Oslo"}
    assert confirmed(client, client.post("/edit", data=mend)).status_code == 303


def test_a_row_is_taken_away(client: TestClient, repository: Path) -> None:
    confirmed(client, client.post("/edit", data={**EDIT, "remove": "1"}))
    assert SEEN not in git("show", f"main:{PATH}", cwd=repository)


def test_a_row_is_added_where_its_neighbours_are(client: TestClient, repository: Path) -> None:
    assert '<option value="">where its neighbours are</option>' in client.get("/edit").text
    shown = client.post("/edit", data={"path": "", "subnet": "10.65.16.0/20", "location": "Oslo", "overflow": ""})
    confirmed(client, shown)
    assert git("show", f"main:{PATH}", cwd=repository).splitlines()[-1] == "Oslo,10.65.16.0/20"


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ({}, "Change a subnet"),
        ({"remove": "1"}, "Remove a subnet"),
        ({"seen": "", "subnet": "10.65.16.0/20"}, "Add a subnet"),
    ],
)
def test_a_page_is_called_by_what_it_does(client: TestClient, typed: dict[str, str], title: str) -> None:
    shown = client.post("/edit", data={**EDIT, **typed}).text
    assert (f"<h1>{title}</h1>" in shown, f"<title>{title} ·" in shown) == (True, True)


def test_a_form_with_nothing_filled_in_is_told_once(client: TestClient) -> None:
    told = text(client.post("/edit", data={"subnet": "", "location": "", "overflow": ""}))
    assert "No change : no field is filled in hint: type a subnet and its location" in told
    assert "tick" not in told


def test_a_row_that_has_changed_is_shown_as_it_was_and_is_with_what_was_typed(
    client: TestClient, repository: Path
) -> None:
    shown = client.post("/edit", data=EDIT)
    changed = OFFICE.replace(SEEN, "Oslo,10.61.0.0/16")
    force_commit(repository, {**SECOND, PATH: f"# new\n{changed}"}, message="Move it to Oslo")
    told = confirmed(client, shown, message="Mine")
    assert told.status_code == 409
    assert f"You saw {SEEN} Now it is Oslo,10.61.0.0/16 {PATH}:3" in text(told)
    [form] = forms(told)
    assert (form["seen"], form["line"], form["location"]) == (["Oslo,10.61.0.0/16"], ["3"], ["Melbourne"])
    again = client.post("/edit", data=form)
    assert forms(again)[-1]["message"] == ["Mine\r\n"]
    assert confirmed(client, again).status_code == 303


def test_a_row_that_is_gone_is_added_if_that_is_still_wanted(client: TestClient, repository: Path) -> None:
    force_commit(repository, FIRST)
    told = client.post("/edit", data=EDIT)
    assert (told.status_code, f"You saw {SEEN} Now it is removed" in text(told)) == (409, True)
    assert confirmed(client, client.post("/edit", data=forms(told)[0])).status_code == 303
    assert "Melbourne,Oslo,10.61.0.0/16" in git("show", "main:locations.csv", cwd=repository)


def test_a_second_editor_is_shown_who_was_faster_and_what_it_does_now(client: TestClient, repository: Path) -> None:
    mine = client.post("/edit", data=EDIT)
    other = {"path": "", "subnet": "10.65.16.0/20", "location": "Oslo", "overflow": ""}
    confirmed(client, client.post("/edit", data=other), message="Open Oslo")
    told = confirmed(client, mine, message="As agreed")
    assert told.status_code == 409
    assert "main has moved since you saw it: 1 commit came meanwhile" in text(told)
    assert "Open Oslo anonymous" in text(told)
    assert "1 range changed: 1 moved" in text(told)
    assert forms(told)[-1]["message"] == ["As agreed\r\n"]
    assert confirmed(client, told).status_code == 303
    assert git("log", "-1", "--format=%s", "main", cwd=repository) == "As agreed"


def test_of_many_that_were_faster_all_are_counted(client: TestClient, repository: Path) -> None:
    mine = client.post("/edit", data=EDIT)
    for at in range(22):
        force_commit(repository, {**SECOND, "README.md": str(at)})
    told = text(confirmed(client, mine))
    assert "main has moved since you saw it: 22 commits came meanwhile" in told
    assert "… and 2 before" in told


def test_of_a_branch_that_was_set_back_it_is_told_where_it_is_now(client: TestClient, repository: Path) -> None:
    before = tip(repository)
    force_commit(repository, {**SECOND, "README.md": "x"}, message="Go back from it")
    mine = client.post("/edit", data=EDIT)
    git("update-ref", "refs/heads/main", before, cwd=repository)
    told = text(confirmed(client, mine))
    assert f"main has moved since you saw it: it is at {before[:10]} now, and nothing of yours was made" in told
    assert "meanwhile" not in told


def test_a_second_editor_keeps_what_was_typed_where_more_is_changed(client: TestClient) -> None:
    mine = client.post("/edit", data=EDIT)
    other = {"path": "", "subnet": "10.65.16.0/20", "location": "Oslo", "overflow": ""}
    confirmed(client, client.post("/edit", data=other))
    told = confirmed(client, mine, message="As agreed", reason="we move")
    again = client.post("/edit", data={**forms(told)[0], "location": "Perth"})
    assert (forms(again)[-1]["message"], forms(again)[0]["reason"]) == (["As agreed\r\n"], ["we move"])
    assert forms(client.post("/edit", data=forms(again)[0]))[-1]["message"] == ["As agreed\r\n"]


def test_a_second_editor_keeps_what_was_typed_where_it_is_no_longer_valid(client: TestClient, repository: Path) -> None:
    row = {"path": "", "subnet": "10.90.0.0/24", "location": "Oslo", "overflow": ""}
    mine = client.post("/edit", data=row)
    force_commit(repository, {**SECOND, "locations/b.csv": "Sydney,10.90.0.0/24\n"})
    told = confirmed(client, mine, message="As agreed", reason="we move")
    assert (told.status_code, "commit it again" in text(told)) == (409, False)
    assert "hint: correct it, and preview again" in text(told)
    [form] = forms(told)
    assert (form["message"], form["reason"]) == (["As agreed"], ["we move"])


def test_a_row_of_more_than_a_pair_has_fields_for_all_and_two_more(repository: Path) -> None:
    rows = "Sydney,A,B,C,10.61.0.0/16\n"
    force_commit(repository, {"policy.toml": '[answer]\noverflow = "list"\n', "locations.csv": rows})
    [form] = forms(client_of_repository(repository).get("/edit?path=locations.csv&line=1"))
    assert form["overflow"] == ["A", "B", "C", "", ""]


def test_a_form_that_names_a_commit_that_is_none_is_told(client: TestClient) -> None:
    fields = {"path": PATH, "line": "2", "at": "0123456789", "location": "Oslo"}
    told = client.post("/edit", data=fields, headers={"accept": "text/html"})
    assert (told.status_code, "the served branch has no commit 0123456789" in text(told)) == (404, True)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("path=locations/apac.csv&line=1", 404),
        ("path=locations/apac.csv&line=99", 404),
        ("path=locations/none.csv&line=1", 404),
        ("path=locations/apac.csv&line=x", 400),
        ("line=2", 200),
        ("path=locations/apac.csv&line=2&at=0123456789", 404),
    ],
)
def test_a_row_that_is_not_there_has_no_form(client: TestClient, query: str, status: int) -> None:
    assert client.get(f"/edit?{query}").status_code == status


# --- revert ---


def test_a_commit_is_taken_back_from_its_page(client: TestClient, repository: Path) -> None:
    page = client.get(f"/commit/{tip(repository)}")
    [form] = forms(page)
    shown = client.post("/revert", data=form)
    assert "Sydney Oslo" in text(shown)
    done = confirmed(client, shown)
    assert done.status_code == 303
    assert git("log", "-1", "--format=%s", "main", cwd=repository) == 'Revert "Open the office"'


def test_a_commit_is_taken_back_once_and_its_revert_only_with_a_second_word(
    client: TestClient, repository: Path
) -> None:
    office = tip(repository)
    shown = client.post("/revert", data={"commit": office})
    assert 'name="again"' not in shown.text
    assert confirmed(client, shown).status_code == 303
    made = tip(repository)
    twice = confirmed(client, shown)
    told = f'{office[:10]} Open the office (Alice) is already reverted, by {made[:10]} Revert "Open the office"'
    assert (twice.status_code, told in text(twice)) == (409, True)
    [form] = forms(client.get(f"/commit/{made}"))
    doubted = client.post("/revert", data=form)
    told = f"is itself a revert: reverting it restores {office[:10]} Open the office (Alice) hint: "
    assert (doubted.status_code, told in text(doubted), "Commit to" in text(doubted)) == (409, True, False)
    assert client.post("/api/v1/revert", json={"commit": made, "tip": made, "confirm": True}).status_code == 409
    assert tip(repository) == made
    assert [form for form in forms(doubted) if form.get("again")] == [{"commit": [made], "again": ["1"]}]
    shown = client.post("/revert", data=forms(doubted)[0])
    assert (shown.status_code, "Oslo Sydney" in text(shown), tip(repository)) == (200, True, made)
    assert confirmed(client, shown).status_code == 303
    assert git("log", "-1", "--format=%b", "main", cwd=repository).startswith(f"This reverts commit {made}.")


def test_the_branch_goes_back_to_a_commit_from_its_page(client: TestClient, repository: Path) -> None:
    first = git("rev-parse", "main~1", cwd=repository)
    assert "Restore this version …" in text(client.get(f"/commit/{first}"))
    assert "Restore this version …" not in text(client.get(f"/commit/{tip(repository)}"))
    confirmed(client, client.post("/revert", data={"commit": first, "to": "1"}))
    assert git("log", "-1", "--format=%s", "main", cwd=repository) == 'Restore "Force it in"'
    again = client.post("/revert", data={"commit": first, "to": "1"})
    assert (again.status_code, "no change since" in text(again)) == (409, True)


def test_what_has_changed_since_is_told_with_the_commits_that_did(repository: Path) -> None:
    office = tip(repository)
    moved = OFFICE.replace(SEEN, "Oslo,10.61.0.0/16")
    force_commit(repository, {**SECOND, PATH: moved}, message="Move it")
    client = client_of_repository(repository)
    told = client.post("/revert", data={"commit": office})
    assert (told.status_code, "Move it" in text(told)) == (409, True)
    before = git("rev-parse", "main~2", cwd=repository)[:10]
    assert f"since: restore {before}" in text(told)
    found = client.post("/api/v1/revert", json={"commit": office}).json()
    assert found["places"][0].startswith(PATH)
    offered = next(form for form in forms(told) if "to" in form)
    assert (offered["commit"], f"Restore {before} …" in text(told)) == (
        [git("rev-parse", "main~2", cwd=repository)],
        True,
    )
    assert confirmed(client, client.post("/revert", data=offered)).status_code == 303
    assert tree(repository, "main") == tree(repository, offered["commit"][0])


def tree(repository: Path, commit: str) -> str:
    return git("rev-parse", f"{commit}^{{tree}}", cwd=repository)


def test_what_cannot_be_taken_back_is_told(client: TestClient, repository: Path) -> None:
    first = git("rev-parse", "main~1", cwd=repository)
    told = client.post("/revert", data={"commit": first})
    hint = "hint: name the one to keep: restore COMMIT"
    assert (told.status_code, hint in text(told)) == (409, True)
    assert client.post("/revert", data={"commit": "0123456789"}).status_code == 404
    assert client.post("/revert", data={"commit": ""}).status_code == 400
    assert client.get("/revert").status_code == 400
    assert client.get(f"/revert?commit={first}").status_code == 200


# --- limits and owners ---


def test_a_change_beyond_a_limit_needs_a_reason(repository: Path) -> None:
    limits = '[limits]\nchanged-addresses = "10%"\n'
    force_commit(repository, {"locations.csv": "Oslo,10.0.0.0/8\n" + many_rows(200), "policy.toml": limits})
    client = client_of_repository(repository)
    row = {"path": "locations.csv", "line": "1", "seen": "Oslo,10.0.0.0/8", "subnet": "10.0.0.0/8", "location": "Perth"}
    shown = client.post("/edit", data=row)
    assert "changed-addresses: at most 10%, but it is" in text(shown)
    told = confirmed(client, shown)
    assert (told.status_code, "give a reason, and commit again" in text(told)) == (422, True)
    assert confirmed(client, told, reason="we move").status_code == 303
    with open_repository(repository) as opened:
        override = override_of(opened, tip(repository))
    assert override
    assert (override.reason, override.by) == ("we move", "anonymous")


def test_a_change_whose_reason_cannot_be_noted_is_told_as_made(repository: Path) -> None:
    limits = '[limits]\nchanged-addresses = "10%"\n'
    seen = force_commit(repository, {"locations.csv": "Oslo,10.0.0.0/8\n" + many_rows(200), "policy.toml": limits})
    client = client_of_repository(repository)
    (repository / "refs/notes").write_text("in the way")
    row = {"path": "locations.csv", "seen": "Oslo,10.0.0.0/8", "subnet": "10.0.0.0/8", "location": "Perth"}
    done = confirmed(client, client.post("/edit", data={**row, "line": "1"}), reason="we move")
    made = tip(repository)
    assert (done.status_code, git("rev-parse", "main~1", cwd=repository), forms(done)) == (200, seen, [])
    assert f"Committed : {made[:10]} stands, but why it exceeds a limit is not noted" in text(done)
    assert f"{made[:10]} is on main" in text(done)
    again = {**row, "line": 1, "seen": "Perth,10.0.0.0/8", "location": "Lima", "reason": "we move"}
    told = client.post("/api/v1/edit", json={**again, "confirm": True, "tip": made})
    assert (told.status_code, told.json()["commit"]) == (200, tip(repository))
    assert "is not noted" in told.json()["warning"]


def test_owners_are_named_whose_word_is_needed(repository: Path) -> None:
    rules = '[checks]\nowner-approval = "error"\n'
    force_commit(repository, {**SECOND, "owners.csv": "10.61.0.0/16,bob@example.com\n", "policy.toml": rules})
    client = client_of_repository(repository)
    shown = client.post("/edit", data=EDIT)
    assert "Approved-by: bob@example.com" in text(shown)
    told = confirmed(client, shown)
    assert (told.status_code, "approval required" in text(told)) == (422, True)
    assert "what a pusher would be told" not in text(told)
    assert "end the message, after an empty line, with a line for each: Approved-by: bob@example.com" in text(told)
    proposed = forms(told)[-1]["message"][0]
    assert proposed.endswith("    +Melbourne,Oslo,10.61.0.0/16\r\n")
    joined = confirmed(client, told, message=f"{proposed}Approved-by: bob@example.com")
    assert joined.status_code == 422
    assert confirmed(client, told, message=f"{proposed}\r\nApproved-by: bob@example.com").status_code == 303


@pytest.mark.parametrize(("severity", "is_told"), [("warning", True), ("off", False)])
def test_owners_who_need_not_agree_are_named_where_that_is_a_warning(
    repository: Path, severity: str, is_told: bool
) -> None:
    rules = f'[checks]\nowner-approval = "{severity}"\n'
    force_commit(repository, {**SECOND, "owners.csv": "10.61.0.0/16,bob@example.com\n", "policy.toml": rules})
    client = client_of_repository(repository)
    shown = client.post("/edit", data=EDIT)
    assert ("Approval missing bob@example.com" in text(shown)) == is_told
    assert "Approval required" not in text(shown)
    told = client.post("/api/v1/edit", json={**EDIT, "line": 2}).json()
    assert (told["owners"], told["touched"]) == ([], ["bob@example.com"] * is_told)
    approved = client.post("/edit", data={**EDIT, "message": "Move it\r\n\r\nApproved-by: bob@example.com"})
    assert "Approval missing" not in text(approved)
    assert confirmed(client, shown).status_code == 303


# --- for a review ---


def test_a_change_for_review_is_shown_with_its_branch_and_what_to_do_next(repository: Path) -> None:
    active, settings = served(repository)
    client = TestClient(
        make_app(active, replace(settings, changes="review")), "http://127.0.0.1", follow_redirects=False
    )
    before = tip(repository)
    shown = client.post("/edit", data=EDIT)
    assert "Commit to a branch for review" in text(shown)
    done = confirmed(client, shown)
    assert (done.status_code, tip(repository)) == (303, before)
    page = text(client.get(done.headers["location"]))
    branch = git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/upload", cwd=repository)
    assert re.fullmatch(r"upload/anonymous/\d{8}T\d{6}Z", branch)
    assert f"Waiting for review on branch {branch}" in page
    assert f"git merge origin/{branch}" in page
    assert "Revert …" not in page
    git("update-ref", "refs/heads/main", branch, cwd=repository)
    page = text(client.get(done.headers["location"]))
    assert ("Waiting for review" in page, "Revert …" in page) == (False, True)


# --- who may, and where ---


@pytest.fixture
def access(tmp_path: Path) -> Access:
    """Ana may change the map, Vic may look at it."""
    (tmp_path / "roles").write_text("ana: editor\nvic: viewer\n")
    return Access(Credentials(write_users(tmp_path / "htpasswd", "ana", "vic")), Roles(tmp_path / "roles"))


def test_who_may_not_change_the_map_sees_no_button_but_why(repository: Path, access: Access) -> None:
    client = client_of_repository(repository, access)
    for target in ("/map", f"/commit/{tip(repository)}", "/edit"):
        for user, may in (("vic", False), ("ana", True)):
            page = client.get(target, headers=basic(f"{user}:{PASSWORD}"))
            assert ("that takes the role editor" in text(page)) == (not may and target == "/edit"), target
            assert ('href="/upload"' in page.text) == may, target
            assert bool(forms(page) or 'aria-label="Edit ' in page.text) == may, target


def test_a_commit_is_by_the_user_that_the_service_knows(repository: Path, access: Access) -> None:
    client = client_of_repository(repository, access)
    client.headers |= basic(f"ana:{PASSWORD}")
    assert confirmed(client, client.post("/edit", data=EDIT)).status_code == 303
    assert git("log", "-1", "--format=%an <%ae>", "main", cwd=repository) == "ana <ana@http.testclient>"
    client.headers |= basic(f"vic:{PASSWORD}")
    told = client.post("/api/v1/edit", json={})
    assert (told.status_code, told.headers["content-type"]) == (403, "application/problem+json")
    assert told.json() == {"title": "Permission denied", "status": 403, "detail": "This needs the role editor"}


def closed(kind: str, repository: Path) -> Path:
    """The repository in a state in which no page can change it."""
    if kind == "signatures":
        return repository
    if kind == "mirror":
        return repository.rename(mirror_directory("https://git.example.com/map.git", repository.parent))
    git("clone", "--quiet", repository, repository.parent / "copy", cwd=repository)
    return repository.parent / "copy" / ".git"


@pytest.mark.parametrize(
    ("kind", "why", "hint"),
    [
        (
            "signatures",
            "commits must be signed here, and the service has no key of yours to sign with",
            "change the map in a clone: git commit -S, then git push",
        ),
        (
            "mirror",
            "the map comes from a remote repository, and is changed there",
            "in a clone of it: git commit, then git push",
        ),
        (
            "copy",
            "belongs to a working copy, which would no longer be at its branch",
            "change it there: git commit, then git push",
        ),
    ],
)
def test_where_nothing_can_be_changed_from_a_page_it_says_why_and_what_to_do(
    repository: Path, kind: str, why: str, hint: str
) -> None:
    place = closed(kind, repository)
    client = client_of_repository(place)
    if kind == "signatures":  # what is active stays so
        git("config", "location-policy.requireSignatures", "all", cwd=place)
    for target in ("/map", f"/commit/{git('rev-parse', 'main', cwd=place)}", "/edit"):
        page = client.get(target)
        assert f"{why} (hint: {hint})." in text(page), target
        assert not forms(page)
    assert "Upload a CSV" not in text(client.get("/"))
    told = client.post("/edit", data=EDIT)
    assert (told.status_code, why in text(told)) == (409, True)
    assert why in client.post("/api/v1/edit", json=EDIT | {"line": 2}).json()["detail"]


def test_without_a_repository_nothing_is_changed_or_kept() -> None:
    change_service = ChangeService(None, "served")
    assert change_service.closed() == "there is no repository in which anything could be changed"


def test_a_content_is_kept_that_nothing_names(repository: Path) -> None:
    blob = ChangeService(repository, "served").keep(b"Sydney,10.0.0.0/8\n")
    with open_repository(repository) as opened:
        assert opened.blob(blob, 100) == b"Sydney,10.0.0.0/8\n"


# --- what comes in ---


@pytest.mark.parametrize(
    ("content", "kind", "status", "told"),
    [
        (b"", "text/plain", 415, "the Content-Type is neither"),
        (b"subnet=%ff", "application/x-www-form-urlencoded", 400, "the body cannot be read"),
        (b"subnet=\xff", "application/x-www-form-urlencoded", 400, "the body cannot be read"),
        (b"a=1&" * (FIELDS + 1), "application/x-www-form-urlencoded", 400, "the body cannot be read"),
        (b"subnet=a%0Ab", "application/x-www-form-urlencoded", 400, "subnet is more than one line"),
        (b"overflow=a%0Db", "application/x-www-form-urlencoded", 400, "overflow is more than one line"),
        (b"confirm=1", "application/x-www-form-urlencoded", 400, "tip is not given"),
        (b"remove=1", "application/x-www-form-urlencoded", 400, "seen is not given"),
        (b"line=0", "application/x-www-form-urlencoded; charset=utf-8", 400, "line cannot be 0"),
        (b"[" * 100_000, "application/json", 413, "the request is too large: 65,536 bytes are taken"),
        (b"[" * 60_000, "application/json", 400, "nested too deeply"),
        (b"{", "application/json", 400, "the body cannot be read"),
        (b"3.5", "application/json", 400, "the body is no text"),
        (b'{"subnet": 3.5}', "application/json", 400, "subnet is no text"),
        (b'{"subnet": "\\ud800"}', "application/json", 400, "the body cannot be read"),
        (b'{"overflow": ["a", 3]}', "application/json", 400, "overflow is no text"),
        (b'{"overflow": ["a", "b]}', "application/json", 400, "Unterminated string"),
    ],
)
def test_a_body_that_is_none_is_told(client: TestClient, content: bytes, kind: str, status: int, told: str) -> None:
    response = client.post("/edit", content=content, headers={"content-type": kind, "accept": "text/html"})
    assert (response.status_code, told in text(response)) == (status, True), text(response)


def test_a_packed_body_is_unpacked_within_bounds(client: TestClient) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    packed = gzip.compress(json.dumps({**EDIT, "remove": True}).encode())
    assert client.post("/api/v1/edit", content=packed, headers=headers).status_code == 200
    bomb = gzip.compress(b" " * (LARGEST + 1))
    assert client.post("/api/v1/edit", content=bomb, headers=headers).status_code == 413


def test_too_large_a_body_is_told_over_a_socket(repository: Path) -> None:
    with running_service(repository) as service:
        answer = httpx2.post(
            f"{service.url}/api/v1/edit", content=b" " * 200_000, headers={"content-type": "application/json"}
        )
        assert (answer.status_code, answer.json()["title"]) == (413, "Too large")


def test_another_method_than_a_forms_is_told_which(client: TestClient) -> None:
    for method, path, allowed in (("PUT", "/edit", "GET, HEAD, POST"), ("GET", "/api/v1/edit", "POST")):
        response = client.request(method, path)
        assert (response.status_code, response.headers["allow"]) == (405, allowed)
        assert response.json()["detail"] == f"{method} is not {allowed.replace(', ', ' or ')}"


# --- for programs ---


@pytest.fixture
def asked() -> dict[str, Any]:
    return {**EDIT, "line": 2, "overflow": ["Oslo"]}


def test_a_program_sees_the_plan_and_confirms_the_tip_that_it_saw(
    client: TestClient, repository: Path, asked: dict[str, Any]
) -> None:
    shown = client.post("/api/v1/edit", json=asked).json()
    assert (shown["commit"], shown["tip"], shown["may_land"]) == (None, tip(repository), True)
    assert shown["plan"]["totals"]["moved"]["addresses"] == 65_280
    done = client.post("/api/v1/edit", json={**asked, "tip": shown["tip"], "confirm": True, "message": None}).json()
    assert (done["commit"], done["branch"]) == (tip(repository), "main")
    other = {"subnet": "192.0.2.0/24", "location": "Oslo", "tip": shown["tip"], "confirm": True}
    late = client.post("/api/v1/edit", json=other)
    assert (late.status_code, late.headers["content-type"]) == (409, "application/problem+json")
    assert [one["commit"] for one in late.json()["came"]] == [done["commit"]]
    assert late.json()["tip"] == done["commit"]


def test_a_program_is_told_of_a_row_that_has_changed_what_it_says_now(
    client: TestClient, asked: dict[str, Any]
) -> None:
    told = client.post("/api/v1/edit", json={**asked, "seen": "Sydney,Oslo,10.61.0.0/16"})
    assert (told.status_code, told.json()["places"]) == (409, [f"{PATH}:2: {SEEN}"])


def test_a_program_is_told_what_is_wrong_by_file_and_line(client: TestClient, asked: dict[str, Any]) -> None:
    told = client.post("/api/v1/edit", json={**asked, "subnet": "10.61.0.0"})
    assert told.status_code == 422
    assert [(one["path"], one["line"], one["code"]) for one in told.json()["problems"]] == [(PATH, 2, "not-a-subnet")]


@pytest.mark.parametrize("no", ["0", "false", "No", "off", ""])
def test_what_says_no_confirms_nothing(client: TestClient, repository: Path, no: str) -> None:
    before = tip(repository)
    shown = client.post("/edit", data={**EDIT, "tip": before, "confirm": no})
    assert (shown.status_code, tip(repository)) == (200, before)


def test_what_says_neither_yes_nor_no_is_asked_again(client: TestClient, repository: Path) -> None:
    before = tip(repository)
    told = client.post("/api/v1/edit", json={**EDIT, "tip": before, "confirm": "maybe"})
    assert (told.status_code, tip(repository)) == (400, before)
    assert "confirm is neither yes nor no" in told.text


@pytest.mark.parametrize("path", ["locations/a\0.csv", "locations/x.csv/\0"])
def test_a_path_with_a_nul_is_no_fault_of_ours(client: TestClient, path: str) -> None:
    row = {"path": path, "line": 1, "seen": "x,10.0.0.0/8", "subnet": "10.0.0.0/8", "location": "Oslo"}
    assert client.post("/api/v1/edit", json=row).status_code == 409
    assert client.get("/edit", params={"path": path, "line": 1}).status_code == 404
