"""`serve --repo URL`: a remote repository followed by fetching, with a `file://` remote."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.repository.remote.git_remote import served_remote
from tests.support.repositories import BAD, GOOD, force_commit, git, make_repository, take_away
from tests.support.service import Service, started_service, wait_until


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A remote with one commit."""
    return make_repository(tmp_path / "remote.git", GOOD)


@contextmanager
def following(remote: Path, *arguments: str) -> Iterator[Service]:
    """A service that fetches often."""
    with started_service(
        "--repo", remote.as_uri(), "--fetch-interval", "0.1", *arguments, cwd=remote.parent
    ) as service:
        yield service


def tip(repository: Path) -> str:
    """The commit at HEAD."""
    return git("rev-parse", "HEAD", cwd=repository)


def test_a_remote_repository_is_served_and_followed(remote: Path) -> None:
    with following(remote) as service:
        service.wait_for("in-sync", tip(remote))
        newer = force_commit(remote, {"locations.csv": "Perth,10.61.2.0/24\n"})
        service.wait_for("in-sync", newer)
        assert service.locate("10.61.2.0").json()["result"]["location"] == "Perth"


def test_a_remote_commit_that_is_not_valid_is_not_served(remote: Path) -> None:
    good = tip(remote)
    with following(remote) as service:
        service.wait_for("in-sync", good)
        bad = force_commit(remote, BAD)
        status = service.wait_for("rejected", good)
        assert status["failure"]["commit"] == bad


def test_a_mirror_has_no_hook_and_says_where_it_comes_from(remote: Path) -> None:
    with following(remote) as service:
        status = service.wait_for("in-sync")
        assert status["hook"] == {"state": "none", "version": None}
        assert status["source"]["repository"] == remote.as_uri()


def test_a_remote_that_goes_away_and_comes_back_is_told_and_taken_up(remote: Path) -> None:
    with following(remote) as service:
        service.wait_for("in-sync")
        remote.rename(remote.with_name("away.git"))
        failure = service.wait_for("unreachable")["failure"]
        assert failure["message"].startswith(f"{remote.as_uri()}: the remote has no such repository")
        assert "see the path" in failure["hint"]
        assert "see the path" in service.ask("/").body.decode()
        said = failure["message"].removeprefix(f"{remote.as_uri()}: ")
        assert f"unreachable repository={remote.as_uri()}: {said}; " in service.log.read_text()
        assert service.locate("10.61.2.0").json()["result"]["location"] == "Sydney"
        remote.with_name("away.git").rename(remote)
        service.wait_for("in-sync")


def test_after_a_restart_without_the_remote_the_last_good_content_is_served(remote: Path) -> None:
    with following(remote) as service:
        service.wait_for("in-sync")
    remote.rename(remote.with_name("away.git"))
    with following(remote) as service:
        service.wait_for("last-good")
        assert service.locate("10.61.2.0").json()["result"]["location"] == "Sydney"


@pytest.mark.parametrize("harm", ["deleted", "config", "objects"])
def test_without_the_remote_a_destroyed_copy_is_no_hindrance(remote: Path, harm: str) -> None:
    with following(remote) as service:
        service.wait_for("in-sync")
    (copy,) = (remote.parent / "data/state").glob("mirror-*.git")
    if harm == "config":
        (copy / "config").write_text("[core\n")
    else:
        shutil.rmtree(copy if harm == "deleted" else copy / "objects")
    remote.rename(remote.with_name("away.git"))
    with following(remote) as service:
        service.wait_for("last-good")
        wait_until(lambda: service.status()["failure"])  # which the first look tells, after the start
        assert service.status()["failure"]["message"].startswith(f"{remote.as_uri()}: the remote has no such")
        assert service.locate("10.61.2.0").json()["result"]["location"] == "Sydney"
        remote.with_name("away.git").rename(remote)
        new = force_commit(remote, {"locations.csv": "Perth,10.61.2.0/24\n"})
        service.wait_for("in-sync", new)


def test_without_the_remote_a_first_start_waits_for_it(remote: Path) -> None:
    remote.rename(remote.with_name("away.git"))
    with following(remote) as service:
        assert service.locate("10.61.2.0").status == 503
        remote.with_name("away.git").rename(remote)
        service.wait_for("in-sync")


def test_a_copy_that_is_deleted_under_a_running_service_is_made_anew(remote: Path) -> None:
    with following(remote) as service:
        good = service.wait_for("in-sync")["active"]["commit"]
        (copy,) = (remote.parent / "data/state").glob("mirror-*.git")
        take_away(copy)
        wait_until((copy / "refs/heads/main").exists)
        service.wait_for("in-sync", good)
        wait_until(lambda: "made anew" in service.log.read_text())  # which is told when the copy is in its place
        assert service.log.read_text().count("made anew") == 1


def test_a_signal_amid_a_fetch_ends_it_with_nothing_left(remote: Path) -> None:
    with served_remote(remote) as server:
        force_commit(remote, {"large.csv": os.urandom(400_000)})
        server.only, server.cut_after, server.hangs = "command=fetch", 200_000, True
        with started_service("--repo", server.url, "--fetch-interval", "0.1", cwd=remote.parent) as service:
            (copy,) = (remote.parent / "data/state").glob("mirror-*.git")
            wait_until(lambda: bool(list(copy.glob("objects/pack/tmp_pack_*"))))
            began = time.monotonic()
            assert service.stop() == 0
            assert time.monotonic() - began < 4
            assert [*copy.rglob("tmp_*"), *copy.rglob("*.lock")] == []


def test_another_branch_can_be_asked_for(remote: Path) -> None:
    side = force_commit(remote, {"locations.csv": "Perth,10.61.2.0/24\n"}, ref="refs/heads/side")
    with following(remote, "--branch", "side") as service:
        assert service.wait_for("in-sync", side)["source"]["branch"] == "side"


def test_a_password_in_the_url_is_shown_nowhere(tmp_path: Path) -> None:
    url = "http://alice:secret@127.0.0.1:9/locations.git"
    with started_service("--repo", url, "--fetch-interval", "0.1", cwd=tmp_path) as service:
        wait_until(lambda: service.status()["failure"] is not None)
        assert "secret" not in service.ask("/status").body.decode()
        service.stop()
        assert "secret" not in service.log.read_text()


def test_a_change_of_a_page_goes_to_a_branch_of_the_remote(remote: Path) -> None:
    with following(remote, "--changes", "review") as service:
        service.wait_for("in-sync")
        fields = {"subnet": "10.99.0.0/16", "location": "Sydney", "tip": tip(remote), "confirm": "1"}
        told = httpx2.post(f"{service.url}/api/v1/edit", data=fields, timeout=60).json()
        branch = told["branch"]
        assert git("rev-parse", branch, cwd=remote) == told["commit"]
        assert branch.startswith("location-policy/anonymous/")
        assert service.status()["active"]["commit"] == tip(remote)
