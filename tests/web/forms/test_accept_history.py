"""Another history, accepted on a page: by an editor who has seen both commits."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState
from location_policy.web.app import make_app
from location_policy.web.edge.guard import Access
from location_policy.web.ops.settings import Settings
from tests.support.repositories import GOOD, force_commit, git, make_repository, tip

SAMPLE = {"locations.csv": "Sydney,10.61.0.0/16\n"}
LOOKS_ONLY = Access(anonymous=frozenset(("viewer",)))


@dataclass
class Site:
    """A service whose repository was lost and made anew, and what was served before."""

    repository: Path
    served: str
    head: str
    active: ActiveState
    refresher: Refresher
    client: TestClient

    def confirm(self, path: str = "/accept-history", **fields: str) -> tuple[int, str]:
        """Status and text of the answer to a form that confirms what was seen, but for these fields."""
        said = {"head": self.head, "served": self.served, "confirm": "1", **fields}
        answer = self.client.post(path, data=said)
        return answer.status_code, answer.text

    def accepted(self) -> str:
        """What the config names as accepted."""
        done = git("config", "--default", "", "--get", "location-policy.acceptedHistory", cwd=self.repository)
        return done.strip()


def site_of(folder: Path, access: Access | None = None) -> Site:
    repository = make_repository(folder / "locations.git", GOOD)
    active, state = ActiveState(), folder / "state"
    refresher = Refresher(repository, active, state)
    refresher.refresh()
    served = tip(repository)
    shutil.rmtree(repository)
    make_repository(repository, SAMPLE)
    refresher.refresh()
    settings = Settings(str(repository), "127.0.0.1", 8080, state, repository)
    app = make_app(active, settings, None, access) if access else make_app(active, settings)
    client = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False, headers={"Accept": "text/html"})
    return Site(repository, served, tip(repository), active, refresher, client)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return site_of(tmp_path)


def test_the_first_page_leads_to_a_form_that_names_both_commits(site: Site) -> None:
    home = site.client.get("/").text
    assert 'href="/accept-history"' in home
    assert "waits to be accepted" in home
    page = site.client.get("/accept-history").text
    fields = dict(re.findall(r'name="(\w+)" value="(\w+)"', page))
    assert fields == {"head": site.head, "served": site.served, "confirm": "1"}
    assert f"Accept: serve {site.head[:10]} instead of {site.served[:10]}" in page
    assert site.accepted() == ""


def test_what_is_confirmed_is_served(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    assert site.confirm()[0] == 303
    assert site.accepted() == site.head
    assert f"accepted history commit={site.head} by=anonymous" in caplog.messages
    site.refresher.refresh()
    assert site.active.state.name == "in-sync"
    assert 'href="/accept-history"' not in site.client.get("/").text


def test_without_a_confirmation_nothing_is_written(site: Site) -> None:
    status, page = site.confirm(confirm="")
    assert (status, site.accepted()) == (200, "")
    assert "Accept: serve" in page


@pytest.mark.parametrize("field", ["head", "served"])
def test_what_is_not_what_was_seen_is_shown_anew(site: Site, field: str) -> None:
    status, page = site.confirm(**{field: "0" * 40})
    assert (status, site.accepted()) == (409, "")
    assert "it is not what you saw, and nothing was accepted" in page
    assert f'value="{site.head}"' in page


def test_a_commit_that_came_meanwhile_is_not_accepted(site: Site) -> None:
    force_commit(site.repository, {"locations.csv": "Perth,10.61.0.0/16\n"})
    status, page = site.confirm()
    assert (status, site.accepted()) == (409, "")
    assert "and nothing was accepted" in page


def test_where_nothing_waits_there_is_nothing_to_accept(site: Site) -> None:
    site.confirm()
    site.refresher.refresh()
    assert site.client.get("/accept-history").status_code == 409
    assert site.confirm()[0] == 409


def test_a_config_that_cannot_be_written_is_told(site: Site) -> None:
    (site.repository / "config.lock").touch()
    status, page = site.confirm()
    assert (status, site.accepted()) == (409, "")
    assert "git config failed" in page


def test_programs_are_told_the_same(site: Site) -> None:
    asked = {"head": site.head, "served": site.served}
    told = site.client.post("/api/v1/accept-history", json=asked).json()
    assert (told["is_accepted"], told["head"]["commit"], told["served"]["commit"]) == (False, site.head, site.served)
    assert site.client.get("/api/v1/status").json()["failure"]["served"] == site.served
    assert site.accepted() == ""
    told = site.client.post("/api/v1/accept-history", json={**asked, "confirm": True}).json()
    assert (told["is_accepted"], site.accepted()) == (True, site.head)
    assert site.confirm("/api/v1/accept-history", head="x")[0] == 409
    assert site.client.post("/api/v1/accept-history", json={}).status_code == 400


@pytest.mark.parametrize("path", ["/accept-history", "/api/v1/accept-history"])
def test_a_page_from_elsewhere_accepts_nothing(site: Site, path: str) -> None:
    said = {"head": site.head, "served": site.served, "confirm": "1"}
    answer = site.client.post(path, data=said, headers={"Origin": "http://elsewhere.example"})
    assert (answer.status_code, site.accepted()) == (403, "")


def test_who_only_looks_may_see_it_and_not_accept_it(tmp_path: Path) -> None:
    site = site_of(tmp_path, LOOKS_ONLY)
    assert "/accept-history" not in site.client.get("/").text, "the page that it cannot use is not led to"
    page = site.client.get("/accept-history").text
    assert site.head[:10] in page
    assert "Accept: serve" not in page
    assert "accepting it takes the role editor" in page
    assert site.confirm()[0] in (401, 403)
    assert site.accepted() == ""
