"""Changes from pages where a remote is followed: pushed there for a review, or it is told where the map is changed."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from location_policy.edits.change_request import REMOTE_REVIEW, review_branch
from location_policy.edits.options import Changes
from location_policy.repository.remote.mirror import Mirror
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState
from location_policy.web.app import make_app
from location_policy.web.ops.settings import Settings
from location_policy.web.site import change_service
from tests.support.repositories import force_commit, git, make_repository, run_git, tip
from tests.support.service import wait_until
from tests.web.history import FIRST, SECOND
from tests.web.test_changes import EDIT, confirmed, forms, text

BESIDE = {"README.md": "what is not read\n"}


@dataclass
class Followed:
    """A remote that takes filters, as forges do, with more in it than a map; and what follows it."""

    remote: Path
    state: Path
    mirror: Mirror = field(init=False)
    active: ActiveState = field(default_factory=ActiveState)

    def __post_init__(self) -> None:
        self.mirror = Mirror(self.remote.as_uri(), self.state, None, interval=0)
        self.mirror.make()
        self.refresher = Refresher(self.mirror.directory, self.active, self.state, self.mirror)
        self.look()

    def look(self) -> None:
        self.mirror.hurry()
        self.refresher.look()

    def client(self, changes: Changes = "review") -> TestClient:
        settings = Settings(self.remote.as_uri(), "127.0.0.1", 8080, self.state, self.mirror.directory, changes)
        app = make_app(self.active, settings, mirror=self.mirror)
        return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)

    def refs(self) -> tuple[str, str]:
        """Those of the remote and of the copy."""
        here, there = (git("for-each-ref", cwd=place) for place in (self.remote, self.mirror.directory))
        return here, there

    def reviews(self) -> list[str]:
        """The branches of the remote that wait for a review."""
        return git(
            "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/location-policy", cwd=self.remote
        ).split()

    def hook(self, name: str, script: str) -> None:
        """Let the remote do this at a push."""
        path = self.remote / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    remote = make_repository(tmp_path / "remote.git", {**FIRST, **BESIDE})
    git("config", "uploadpack.allowFilter", "true", cwd=remote)
    force_commit(remote, {**SECOND, **BESIDE}, message="Open the office")
    return Followed(remote, tmp_path / "state")


def test_a_confirmed_change_is_a_branch_of_the_remote_and_moves_nothing_here(followed: Followed) -> None:
    followed.hook(
        "post-receive", "read old new ref; echo 'Create a pull request:'; echo \" http://localhost/new/$ref\""
    )
    client, (_, ours) = followed.client(), followed.refs()
    shown = client.post("/edit", data=EDIT)
    assert "Commit to a branch for review" in text(shown)
    assert followed.reviews() == []
    done = confirmed(client, shown)
    (branch,) = followed.reviews()
    assert re.fullmatch(r"location-policy/anonymous/\d{8}T\d{6}Z", branch)
    assert done.status_code == 200
    assert f"is on branch {branch} of {followed.remote.as_uri()}. Nothing of it is active" in text(done)
    assert f'<a class="button" href="http://localhost/new/refs/heads/{branch}" rel="noreferrer">' in done.text
    assert git("diff", "--name-only", "main", branch, cwd=followed.remote) == str(EDIT["path"])
    assert git("log", "-1", "--format=%an", branch, cwd=followed.remote) == "anonymous"
    assert followed.refs()[1] == ours


def test_a_page_that_is_loaded_again_pushes_no_second_branch(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = followed.client()
    shown = client.post("/edit", data=EDIT)
    first = confirmed(client, shown)
    after = int(time.time()) + 1
    again = confirmed(client, shown)
    assert (again.status_code, text(again)) == (200, text(first))
    assert len(followed.reviews()) == 1
    confirmed(client, shown, message="Another word for it")
    assert len(followed.reviews()) == 2
    monkeypatch.setattr(change_service, "AGAIN", 0.0)
    wait_until(lambda: time.time() >= after)  # in the same second it would be the same commit, which is there
    confirmed(client, shown)
    assert len(followed.reviews()) == 3


def test_what_is_merged_there_is_in_force_here(followed: Followed) -> None:
    client = followed.client()
    confirmed(client, client.post("/edit", data=EDIT))
    git("update-ref", "refs/heads/main", followed.reviews()[0], cwd=followed.remote)
    followed.look()
    assert followed.active.state.name == "in-sync"
    told = client.get("/policy/v1/participant/location?protocol=mssip&ms-subnet=10.61.0.1").json()
    assert told["policy.commit"] == tip(followed.remote)


def test_without_a_link_it_is_said_how_to_merge(followed: Followed) -> None:
    followed.hook("post-receive", "echo 'see http://evil.example.net/x'")
    client = followed.client()
    done = confirmed(client, client.post("/edit", data=EDIT))
    assert f"git merge origin/{followed.reviews()[0]}" in text(done)
    assert "evil.example.net" not in done.text


def upload(client: TestClient) -> httpx2.Response:
    file = {"file": ("locations.csv", io.BytesIO(b"Perth,10.61.0.0/16\n"), "text/csv")}
    plan = client.post("/api/v1/upload", files=file).json()
    return client.post("/api/v1/upload", files=file, data={"tip": plan["tip"], "confirm": "1"})


def edit(client: TestClient) -> httpx2.Response:
    plan = client.post("/api/v1/edit", json={**EDIT, "line": 2}).json()
    return client.post("/api/v1/edit", json={**EDIT, "line": 2, "tip": plan["tip"], "confirm": True})


def revert(client: TestClient) -> httpx2.Response:
    newest = client.get("/api/v1/history").json()["commits"][0]["commit"]
    return client.post("/api/v1/revert", json={"commit": newest, "tip": newest, "confirm": True})


@pytest.mark.parametrize("change", [upload, edit, revert])
def test_every_way_to_change_the_map_goes_there(
    followed: Followed, change: Callable[[TestClient], httpx2.Response]
) -> None:
    told = change(followed.client())
    assert (told.status_code, followed.reviews()) == (200, [told.json()["branch"]]), told.text
    assert (told.json()["remote"], told.json()["link"]) == (followed.remote.as_uri(), None)
    assert git("rev-parse", told.json()["branch"], cwd=followed.remote) == told.json()["commit"]


def test_what_is_not_valid_is_not_pushed(followed: Followed) -> None:
    before = followed.refs()
    typed = {**EDIT, "subnet": "10.61.0.1/16", "tip": tip(followed.remote), "confirm": "1"}
    assert followed.client().post("/edit", data=typed).status_code == 422
    assert followed.refs() == before


def test_a_refusal_of_the_remote_is_told_with_what_it_says_and_what_was_typed_stays(followed: Followed) -> None:
    followed.hook("pre-receive", "echo 'GitLab: <b>you</b> may not push'; exit 1")
    before, client = followed.refs(), followed.client()
    told = confirmed(client, client.post("/edit", data=EDIT), message="As agreed")
    assert told.status_code == 409
    assert "does not take branch location-policy/anonymous/" in text(told)
    assert "GitLab: &lt;b&gt;you" in told.text.replace("&amp;", "&")
    assert f"git clone {followed.remote.as_uri()}" in text(told)
    assert forms(told)[0]["message"] == ["As agreed"]
    assert followed.refs() == before
    told = client.post("/api/v1/edit", json={**EDIT, "line": 2, "tip": tip(followed.remote), "confirm": True})
    assert (told.status_code, told.json()["places"]) == (409, ["GitLab: <b>you</b> may not push"])


def test_a_change_of_a_branch_that_has_moved_is_shown_anew(followed: Followed) -> None:
    client = followed.client()
    shown = client.post("/edit", data=EDIT)
    force_commit(followed.remote, {**SECOND, **BESIDE, "locations.csv": "Oslo,10.99.0.0/16\n"}, message="Another")
    followed.look()
    told = confirmed(client, shown)
    assert (told.status_code, "Another" in text(told), followed.reviews()) == (409, True, [])
    assert confirmed(client, told).status_code == 200
    assert len(followed.reviews()) == 1


def test_a_remote_that_has_moved_unseen_takes_the_change_beside_it(followed: Followed) -> None:
    client = followed.client()
    shown, base = client.post("/edit", data=EDIT), tip(followed.remote)
    force_commit(followed.remote, {**SECOND, **BESIDE, "locations.csv": "Oslo,10.99.0.0/16\n"})
    assert confirmed(client, shown).status_code == 200
    assert git("merge-base", "main", followed.reviews()[0], cwd=followed.remote) == base


def test_what_a_return_brings_back_besides_the_map_is_pushed_too(followed: Followed) -> None:
    old = tip(followed.remote)
    for rows in ("Oslo,10.99.0.0/16\n", "Rome,10.99.0.0/16\n"):
        force_commit(followed.remote, {**SECOND, "README.md": "of now\n", "locations.csv": rows})
    followed.look()
    assert run_git("cat-file", "-e", f"{old}:README.md", cwd=followed.mirror.directory).returncode
    told = followed.client().post(
        "/api/v1/revert", json={"commit": old, "to": True, "tip": tip(followed.remote), "confirm": True}
    )
    assert told.status_code == 200, told.text
    assert git("diff", "--stat", old, told.json()["branch"], cwd=followed.remote) == ""


@pytest.mark.parametrize("user", ["ana", "a..b", "x.lock", "-d", "@{u}", "a/../b", "~^:?*[\\", "Łucja Żak", "."])
def test_the_name_of_any_user_makes_a_branch_in_its_folder(user: str, tmp_path: Path) -> None:
    branch = review_branch(user, REMOTE_REVIEW)
    assert run_git("check-ref-format", f"refs/heads/{branch}", cwd=tmp_path).returncode == 0
    assert re.fullmatch(r"location-policy/[^/.-][^/.]*/\d{8}T\d{6}Z", branch)


@pytest.mark.parametrize("target", ["/map", "/edit", "/upload"])
def test_without_review_the_page_says_where_the_map_is_changed(followed: Followed, target: str) -> None:
    client, url = followed.client("served"), followed.remote.as_uri()
    page = client.get(target)
    assert (
        f"the map comes from {url}, and is changed there (hint: git clone {url}, in it git commit, then git push)"
        in text(page)
    )
    assert not forms(page)
    assert str(followed.state) not in page.text
    told = client.post("/api/v1/edit", json=EDIT | {"line": 2})
    assert (told.status_code, str(followed.state) in told.text) == (409, False)


def test_the_home_page_tells_of_the_fetches(followed: Followed) -> None:
    client = followed.client()
    assert "Fetches 1 succeeded, 0 failed, last success" in text(client.get("/"))
    followed.remote.rename(followed.remote.with_name("away.git"))
    followed.look()
    page = text(client.get("/"))
    assert "Fetches 1 succeeded, 1 failed" in page
    assert re.search(r"Unreachable since .*; next try ", page)
    followed.remote.with_name("away.git").rename(followed.remote)
    followed.look()
    page = text(client.get("/"))
    assert "Out of reach" not in page
    assert "Last failure" in page
