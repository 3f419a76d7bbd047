"""The forms that pin a commit and unpin it, and the API: shown first, done once confirmed, by editors only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from location_policy.access.credentials import Credentials, Roles
from location_policy.gate.pin import read_pin
from location_policy.gate.ref_updates import PIN
from location_policy.repository.repository import open_repository
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState
from location_policy.web.app import EVERYONE_MAY, make_app
from location_policy.web.edge.guard import Access
from location_policy.web.ops.settings import Settings
from location_policy.web.site import pin_service
from tests.support.access import PASSWORD, write_users
from tests.support.repositories import BAD, GOOD, commit_series, force_commit, git, make_repository, tip
from tests.support.service import basic

FIELDS = {"for": "2h", "reason": "APAC is down <b>"}


@dataclass
class Site:
    """A repository with three commits, of which the second is bad, and the application that serves it."""

    repository: Path
    access: Access = EVERYONE_MAY

    def __post_init__(self) -> None:
        self.active = ActiveState()
        state = self.repository.parent / "state"
        self.refresher = Refresher(self.repository, self.active, state)
        self.refresher.refresh()
        settings = Settings(str(self.repository), "127.0.0.1", 8080, state, self.repository)
        app = make_app(self.active, settings, access=self.access)
        self.client = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)

    def post(self, target: str, **fields: object) -> httpx2.Response:
        """The answer, and the look at the source that follows it."""
        kind = "json" if target.startswith("/api/") else "data"
        response = self.client.post(target, **{kind: fields})  # type: ignore[arg-type]
        self.refresher.refresh()
        return response

    @property
    def pinned(self) -> tuple[str, str] | None:
        with open_repository(self.repository) as opened:
            found = read_pin(opened)
        return (found.commit, found.by) if found else None


@pytest.fixture(autouse=True)
def _is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pin_service, "WAIT", 0.0)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    made = make_repository(tmp_path / "locations.git", GOOD, keeps_log=True)
    force_commit(made, BAD)
    force_commit(made, {"locations.csv": "Perth,10.61.2.0/24\n"})
    return made


@pytest.fixture
def site(repository: Path) -> Site:
    return Site(repository)


def text(response: httpx2.Response) -> str:
    main = response.text.partition("<main")[2].partition("</main>")[0]
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", main)))


def test_the_form_shows_what_it_does_and_holds_it_once_confirmed(site: Site) -> None:
    old = tip(site.repository, "main~2")
    assert f'value="{old}"' in site.client.get(f"/pin?commit={old}").text
    shown = site.post("/pin", commit=old, **FIELDS)
    assert shown.status_code == 200
    assert "Perth" in text(shown)
    assert "Pin for 2h" in text(shown)
    assert site.pinned is None
    done = site.post("/pin", commit=old, confirm="1", **FIELDS)
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert site.pinned == (old, "anonymous")
    assert site.active.state.name == "pinned"


def test_the_form_offers_the_commits_that_were_active_by_their_subjects(repository: Path) -> None:
    force_commit(repository, GOOD, message="Bring <Sydney> back")
    site = Site(repository)
    (offered,) = re.findall(r'<datalist id="served">(.*?)</datalist>', site.client.get("/pin").text)
    (option,) = re.findall(r'<option value="(.*?)">(.*?)</option>', offered)
    assert option[0] == tip(repository)[:10]
    assert option[1].startswith("Bring &lt;Sydney&gt; back, 20")
    assert site.post("/pin", commit=option[0], **FIELDS).status_code == 200


def test_what_was_active_is_offered_however_many_commits_have_come_since(site: Site) -> None:
    was_active = tip(site.repository)
    commit_series(site.repository, [GOOD] * 101)
    site.refresher.refresh()
    assert f'<option value="{was_active[:10]}">' in site.client.get("/pin").text


def test_every_page_says_what_is_held_and_the_way_back(site: Site) -> None:
    old = tip(site.repository, "main~2")
    site.post("/pin", commit=old, confirm="1", **FIELDS)
    for target in ("/", "/map", "/lookup", "/history", "/upload", f"/commit/{old}", "/nowhere"):
        shown = site.client.get(target, headers={"accept": "text/html"})
        assert f"Pinned: commit {old[:10]} is active until" in text(shown), target
        assert "anonymous: APAC is down <b>" in text(shown), target
    assert "One commit is pinned: nodes get it, whatever is pushed." in text(site.client.get("/"))
    assert "pinned" in text(site.client.get("/history"))
    assert "whatever is pushed" in text(site.client.get("/unpin"))
    assert site.post("/unpin", confirm="0").status_code == 200
    assert site.pinned
    assert site.post("/unpin", confirm="1").status_code == 303
    assert site.pinned is None
    assert site.client.get("/status").json()["state"] == "in-sync"
    assert "Pinned" not in text(site.client.get("/"))
    assert site.client.get("/unpin").status_code == 409


def test_the_api_does_the_same(site: Site) -> None:
    old = tip(site.repository, "main~2")
    told = site.post("/api/v1/pin", commit=old[:10], **FIELDS).json()
    assert (told["done"], told["pin"], told["commit"]["commit"]) == (False, None, old)
    assert told["plan"]["effect"]
    assert site.post("/api/v1/pin", commit=old, confirm=True, **FIELDS).json()["done"] is True
    answer = site.client.get("/policy/v1/participant/location?protocol=mssip&ms-subnet=10.61.2.0")
    assert (answer.headers["x-location-policy-commit"], answer.headers["x-location-policy-state"]) == (old, "pinned")
    assert site.client.get("/status").json()["pin"]["reason"] == FIELDS["reason"]
    (events,) = (one["pins"] for one in site.client.get("/api/v1/history").json()["commits"] if one["commit"] == old)
    assert [(one["event"], one["by"]) for one in events] == [("pinned", "anonymous")]
    told = site.post("/api/v1/unpin", confirm=True).json()
    assert (told["done"], told["commit"]["commit"]) == (True, tip(site.repository))


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"commit": "main~2"}, 404),
        ({"commit": "5" * 40}, 404),
        ({"commit": ""}, 400),
        ({"for": "8d"}, 400),
        ({"for": "soon"}, 400),
        ({"for": "0s"}, 400),
        ({"reason": ""}, 400),
        ({"reason": "x" * 501}, 400),
        ({"reason": "two\nlines"}, 400),
        ({"commit": "bad"}, 422),
        ({"commit": "side"}, 404),
    ],
)
def test_what_cannot_be_held_is_said_and_what_was_typed_is_kept(
    site: Site, fields: dict[str, str], status: int
) -> None:
    named = {
        "": tip(site.repository, "main~2"),
        "bad": tip(site.repository, "main~1"),
        "side": force_commit(site.repository, {"locations.csv": "Oslo,10.0.0.0/8\n"}, ref="refs/heads/side"),
    }
    sent = {"commit": named[""], **FIELDS, **fields}
    sent["commit"] = named.get(sent["commit"], sent["commit"]) if fields.get("commit") != "" else ""
    for target in ("/pin", "/api/v1/pin"):
        answer = site.post(target, confirm="1", **sent)
        assert answer.status_code == status, answer.text
    assert site.pinned is None
    assert 'value="APAC is down &lt;b&gt;"' in site.post("/pin", **{**sent, "reason": FIELDS["reason"]}).text


def test_what_was_refused_is_not_held_though_it_is_of_the_branch_by_now(site: Site) -> None:
    refused = force_commit(site.repository, BAD)
    site.refresher.refresh()
    force_commit(site.repository, GOOD)
    answer = site.post("/api/v1/pin", commit=refused, confirm=True, **FIELDS)
    assert answer.status_code == 409
    assert "was rejected when it came, and was never active" in answer.text


def test_only_an_editor_pins(repository: Path, tmp_path: Path) -> None:
    users = write_users(tmp_path / "users", "ann", "vic")
    roles = tmp_path / "roles"
    roles.write_text("ann: editor\nvic: viewer\n")
    site = Site(repository, Access(Credentials(users), Roles(roles)))
    old = tip(repository, "main~2")
    for target in ("/pin", "/api/v1/pin", "/unpin", "/api/v1/unpin"):
        assert site.client.post(target, data=FIELDS, headers=basic(f"vic:{PASSWORD}")).status_code == 403
        assert site.client.post(target, data=FIELDS).status_code == 401
    assert "that takes the role editor" in text(site.client.get("/pin", headers=basic(f"vic:{PASSWORD}")))
    body = {"commit": old, "confirm": True, **FIELDS}
    assert site.client.post("/api/v1/pin", json=body, headers=basic(f"ann:{PASSWORD}")).status_code == 200
    assert site.pinned == (old, "ann")
    site.refresher.refresh()
    for user, leads_on in (("ann", True), ("vic", False)):
        shown = site.client.get("/", headers={"accept": "text/html"} | basic(f"{user}:{PASSWORD}"))
        assert (f"Pinned: commit {old[:10]}" in text(shown), "/unpin" in shown.text) == (True, leads_on)


def test_what_is_not_signed_as_it_must_be_is_not_held(site: Site) -> None:
    git("config", "location-policy.requireSignatures", "tip", cwd=site.repository)
    answer = site.post("/api/v1/pin", commit=tip(site.repository, "main~2"), confirm=True, **FIELDS)
    assert answer.status_code == 409, answer.text
    assert site.pinned is None


def test_what_is_broken_at_the_ref_is_replaced_by_a_pin(site: Site) -> None:
    with open_repository(site.repository) as opened:
        opened.keep(PIN, tip(site.repository))
    site.refresher.refresh()
    old = tip(site.repository, "main~2")
    site.post("/api/v1/pin", commit=old, confirm=True, **FIELDS)
    assert site.pinned == (old, "anonymous")


def test_a_head_that_is_not_valid_is_said_before_it_counts_again(site: Site) -> None:
    old = tip(site.repository, "main~2")
    site.post("/api/v1/pin", commit=old, confirm=True, **FIELDS)
    force_commit(site.repository, BAD)
    site.refresher.refresh()
    assert "The latest commit is rejected" in text(site.client.get("/unpin"))
    assert site.post("/api/v1/unpin", confirm=True).json()["plan"] is None
    assert site.active.state.name == "rejected"
