"""`serve --repo` of another service: a replica that follows a real one, whose tip is told as each test wants it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.rollout.upstream.told_upstream import Upstream, copy_in, told_upstream
from tests.support.maps import many_rows
from tests.support.program import run_program
from tests.support.repositories import GOOD, force_commit, git, make_repository, run_git
from tests.support.service import Service, running_service, started_service, wait_until

NOT_READ = {"locations.csv": "Sydney,10.61.300.0/24\n"}
PERTH = {"locations.csv": "Perth,10.61.2.0/24\n"}
OFTEN = ("--fetch-interval", "0.2")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """That of the upstream."""
    return make_repository(tmp_path / "up/map.git", GOOD)


@pytest.fixture
def upstream(repository: Path) -> Iterator[Upstream]:
    with running_service(repository) as service, told_upstream(service) as found:
        yield found


@contextmanager
def replica(upstream: Upstream, folder: Path, *arguments: str) -> Iterator[Service]:
    """A service that follows it, and by itself looks at it once an hour."""
    folder.mkdir(exist_ok=True)
    more = ("--fetch-interval", "3600", "--name", "replica-1", *arguments)
    with started_service("--repo", upstream.url, *more, cwd=folder) as service:
        yield service


def tip(repository: Path) -> str:
    """The commit at HEAD."""
    return git("rev-parse", "HEAD", cwd=repository)


def test_what_the_upstream_has_in_force_comes_at_once_be_it_newer_or_older(
    upstream: Upstream, repository: Path, tmp_path: Path
) -> None:
    old = tip(repository)
    with replica(upstream, tmp_path / "one") as service:
        service.wait_for("in-sync", old)
        newer = force_commit(repository, PERTH)
        service.wait_for("in-sync", newer)
        assert service.locate("10.61.2.0").json()["result"]["location"] == "Perth"
        upstream.wait_to_hear("x-location-policy-commit", newer)
        upstream.wait_to_hear("x-location-policy-state", "in-sync")
        heard = upstream.heard[-1]
        assert (heard["if-none-match"], heard["prefer"]) == (f'"{newer}"', "wait=30")
        assert (heard["x-location-policy-name"], heard["x-location-policy-state"]) == ("replica-1", "in-sync")
        kept = (tmp_path / "one/data/state/service-id").read_text().strip()
        assert heard["via"] == f"1.1 location-policy-{kept}"
        assert {"x-location-policy-problems", "x-location-policy-behind"}.isdisjoint(heard)
        upstream.commit = old
        service.wait_for("in-sync", old)
        wait_until(lambda: git("rev-parse", "refs/heads/main", cwd=copy_in(tmp_path / "one")) == old)
        upstream.wait_to_hear("x-location-policy-commit", old)
        began = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - began < 2  # though a wait was held


def test_what_the_upstream_has_not_in_force_is_never_taken(
    upstream: Upstream, repository: Path, tmp_path: Path
) -> None:
    old = upstream.commit = tip(repository)
    newer = force_commit(repository, PERTH)
    with replica(upstream, tmp_path / "one") as service:
        service.wait_for("in-sync", old)
        upstream.wait_to_hear("x-location-policy-commit", old)
    upstream.say = lambda _: (502, b"<html>", {"Content_Type": "text/html"})
    with replica(upstream, tmp_path / "one", *OFTEN) as service:
        wait_until(lambda: (service.status()["source"]["fetches"] or {"failed": 0})["failed"] > 0)
        status = service.wait_for("last-good", old)
        assert status["failure"]["message"].startswith(f"{upstream.url} does not say which commit is active: 502")
        upstream.say, upstream.commit = lambda _: None, None
        service.wait_for("in-sync", newer)


def test_limits_and_another_history_were_for_the_upstream_to_judge(
    upstream: Upstream, repository: Path, tmp_path: Path
) -> None:
    limited = {"locations.csv": many_rows(200), "policy.toml": '[limits]\nremoved-subnets = "10%"\n'}
    full = force_commit(repository, limited)
    cut = force_commit(repository, {"locations.csv": many_rows(120)}, "refs/heads/cut")
    other = make_repository(tmp_path / "other.git", {"locations.csv": "Oslo,10.0.0.0/8\n"})
    git("fetch", "-q", other, "+main:other", cwd=repository)
    with replica(upstream, tmp_path / "one") as service:
        service.wait_for("in-sync", full)
        for upstream.commit in (cut, tip(other)):
            service.wait_for("in-sync", upstream.commit)


def test_a_replica_that_refuses_what_the_upstream_serves_stays_at_its_last_good_and_says_so(
    upstream: Upstream, repository: Path, tmp_path: Path
) -> None:
    good = tip(repository)
    with replica(upstream, tmp_path / "one") as service:
        service.wait_for("in-sync", good)
        bad = upstream.commit = force_commit(repository, NOT_READ)
        assert service.wait_for("rejected", good)["failure"]["commit"] == bad
        wait_until(lambda: (upstream.last("x-location-policy-problems") or "").startswith(bad))
        heard = upstream.heard[-1]
        assert heard["x-location-policy-problems"].startswith(f"{bad} locations.csv:1:8: error: 10.61.300.0/24 ")
        assert (heard["x-location-policy-commit"], heard["x-location-policy-state"]) == (good, "rejected")
        assert heard["if-none-match"] == f'"{bad}"'
        with replica(upstream, tmp_path / "two") as new:
            assert new.wait_for("rejected")["active"] is None  # what is before it was perhaps never active
        upstream.commit = None
        newest = force_commit(repository, PERTH)
        service.wait_for("in-sync", newest)
        upstream.wait_to_hear("x-location-policy-state", "in-sync")
        assert upstream.last("x-location-policy-problems") is None


def test_a_remote_that_tells_nothing_is_followed_by_its_branch(
    upstream: Upstream, repository: Path, tmp_path: Path
) -> None:
    upstream.say = lambda _: (404, b"", {})
    with replica(upstream, tmp_path / "one", *OFTEN) as service:
        service.wait_for("in-sync", tip(repository))
        newer = force_commit(repository, PERTH)
        service.wait_for("in-sync", newer)
        assert len(upstream.heard) == 1


def test_a_commit_that_the_upstream_lacks_and_a_loop_are_told_and_the_last_good_goes_on(
    upstream: Upstream, repository: Path, tmp_path: Path
) -> None:
    good = tip(repository)
    with replica(upstream, tmp_path / "one", *OFTEN) as service:
        service.wait_for("in-sync", good)
        upstream.commit = "f" * 40
        failure = service.wait_for("unreachable", good)["failure"]
        assert failure["message"] == (f"{upstream.url} tells that commit ffffffffff is active, and does not have it")
        upstream.commit = None
        service.wait_for("in-sync", good)
        upstream.say = lambda _: (409, b"a loop: A follows B follows A\n", {"Content_Type": "text/plain"})
        wait_until(lambda: "loop" in str(service.status()["failure"]))
        told = f"{upstream.url} lets no service follow itself: a loop: A follows B follows A"
        assert service.status()["failure"]["message"] == told
        assert told.partition(" ")[2] in service.log.read_text()
        assert service.locate("10.61.2.0").status == 200


def test_what_was_told_and_could_not_be_fetched_is_fetched_soon_however_long_the_interval(
    upstream: Upstream, repository: Path, tmp_path: Path
) -> None:
    good = tip(repository)
    later = make_repository(tmp_path / "later.git", PERTH)
    with replica(upstream, tmp_path / "one") as service:
        service.wait_for("in-sync", good)
        upstream.commit = tip(later)
        service.wait_for("unreachable", good)
        git("fetch", "-q", later, "main:later", cwd=repository)
        service.wait_for("in-sync", upstream.commit)


def test_of_two_services_that_disagree_neither_is_followed_back_twice_in_a_minute(
    upstream: Upstream, repository: Path, tmp_path: Path
) -> None:
    old = tip(repository)
    newer = force_commit(repository, PERTH)
    with replica(upstream, tmp_path / "one", *OFTEN) as service:
        service.wait_for("in-sync", newer)
        upstream.name, upstream.commit = "f" * 16, old
        service.wait_for("in-sync", old)
        upstream.name, upstream.commit = "0" * 16, None
        service.wait_for("in-sync", newer)
        upstream.name, upstream.commit = "f" * 16, old
        failure = service.wait_for("unreachable", newer)["failure"]
        ids = f"{'0' * 16} and {'f' * 16}"
        assert f"is two services that disagree, {ids}: {old[:10]} is not taken" in failure["message"]
        newest = force_commit(repository, {"locations.csv": "Oslo,10.61.2.0/24\n"})
        upstream.commit = None
        service.wait_for("in-sync", newest)


def test_doctor_says_that_a_remote_is_a_service_and_what_it_has(
    upstream: Upstream, repository: Path, tmp_path: Path
) -> None:
    old = tip(repository)
    upstream.commit, upstream.more = old, {"version": "9.9"}
    force_commit(repository, PERTH)

    def told() -> list[str]:
        done = run_program("doctor", "--repo", upstream.url, "--state-dir", tmp_path / "none")
        return [line for line in done.stdout.splitlines() if " service: " in line or "  fix: " in line]

    said = f"location-policy 9.9 tells of each commit at once; active is {old[:10]} of main"
    assert told() == [f"fine    service: {said}"]
    busy = {"Content_Type": "text/plain", "Retry_After": "1"}
    upstream.say = lambda _: (503, b"no commit is active yet", busy)
    what = f"{upstream.url} does not say which commit is active: 503 no commit is active yet"
    assert told() == [f"to fix  service: {what}", "  fix: see /status there"]
    upstream.say = lambda _: (404, b"", {})
    assert told() == []


def test_a_mirror_is_cloned_and_followed_and_says_where_to_push(tmp_path: Path) -> None:
    forge = make_repository(tmp_path / "forge.git", {**GOOD, "README.md": "Ours.\n"})
    git("config", "uploadpack.allowFilter", "true", cwd=forge)
    with started_service("--repo", forge.as_uri(), *OFTEN, cwd=tmp_path) as mirror:
        mirror.wait_for("in-sync", tip(forge))
        url = f"{mirror.url}/locations.git"
        whole = run_git("clone", url, tmp_path / "whole", cwd=tmp_path)
        told = f"remote: this copy may have the files of the map alone; clone it from {forge.as_uri()}"
        assert told in whole.stderr
        assert whole.returncode != 0
        refused = run_git("push", url, "main:other", cwd=forge)
        assert f"remote: this is a copy, to which nothing is pushed; push to {forge.as_uri()}" in refused.stderr
        with told_upstream(mirror) as upstream, replica(upstream, tmp_path / "leaf") as leaf:
            leaf.wait_for("in-sync", tip(forge))
            newer = force_commit(forge, {**PERTH, "README.md": "Ours, still.\n"})
            leaf.wait_for("in-sync", newer)
            git("clone", "--quiet", "--bare", "--filter=blob:none", f"{leaf.url}/locations.git", "bare", cwd=tmp_path)
            assert tip(tmp_path / "bare") == newer
