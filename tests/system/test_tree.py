"""A tree of services: an upstream, a mirror that follows it, a replica that follows the mirror."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.git_http import clone_over_http, push_over_http
from tests.support.program import run_program
from tests.support.repositories import GOOD, SYDNEY, init_with, said, tip
from tests.support.service import Service, running_service, started_service, wait_until

PERTH = {"locations/apac.csv": SYDNEY + "Perth,10.61.9.0/24\n"}


@contextmanager
def following(above: Service, folder: Path, name: str, *more: str) -> Iterator[Service]:
    """A service that follows this one, and by itself looks at it once an hour."""
    folder.mkdir(exist_ok=True)
    arguments = ("--repo", f"{above.url}/locations.git", "--fetch-interval", "3600", "--name", name, *more)
    with started_service(*arguments, cwd=folder) as service:
        yield service


def test_a_commit_a_pin_and_who_has_it_go_through_the_tree(tmp_path: Path) -> None:
    repository = init_with(tmp_path, GOOD)
    old = tip(repository)
    with (
        running_service(repository) as upstream,
        following(upstream, tmp_path / "mirror", "sydney") as mirror,
        following(mirror, tmp_path / "replica", "sydney-1") as replica,
    ):

        def both_have(commit: str) -> bool:
            followers = upstream.status()["followers"]
            behind = [one["behind"] for one in followers["list"] if one["behind"]]
            is_there = (followers["total"], followers["at_tip"]) == (2, 2) and bool(behind)
            return is_there and behind[0]["at_tip"] == 1 and upstream.status()["active"]["commit"] == commit

        wait_until(lambda: both_have(old), upstream.log.read_text)
        clone = clone_over_http(upstream, tmp_path / "clone")
        clone.commit(PERTH)
        done = push_over_http(clone)
        assert "active at 2 of 2 replicas after " in said(done), upstream.status()
        assert replica.locate("10.61.9.0").json()["result"]["location"] == "Perth"
        assert both_have(new := tip(repository))
        pinned = run_program("pin", old, "--for", "1h", "--reason", "calls drop", "--repo", repository)
        assert (pinned.returncode, "active at 2 of 2 replicas after" in pinned.stdout) == (0, True), pinned
        assert replica.status()["active"]["commit"] == old
        assert run_program("unpin", "--repo", repository).returncode == 0
        assert replica.status()["active"]["commit"] == new
        mirror.stop()
        assert replica.locate("10.61.9.0").json()["result"]["location"] == "Perth"


def counts(upstream: Service) -> dict[str, tuple[int, int]]:
    """How many are behind each that follows this one, and how many of these answer from what it does."""
    listed = upstream.status()["followers"]["list"]
    return {one["name"]: (one["behind"]["total"], one["behind"]["at_tip"]) for one in listed if one["behind"]}


def all_and_at_tip(upstream: Service) -> tuple[int, int]:
    followers = upstream.status()["followers"]
    return followers["total"], followers["at_tip"]


def test_of_two_mirrors_with_two_replicas_each_one_may_be_killed_and_come_back(tmp_path: Path) -> None:
    repository = init_with(tmp_path, GOOD)
    old = tip(repository)
    with ExitStack() as stack:
        upstream = stack.enter_context(running_service(repository))
        mirrors = {name: stack.enter_context(following(upstream, tmp_path / name, name)) for name in ("perth", "oslo")}
        leaves = {
            name: stack.enter_context(following(mirrors[name[:-2]], tmp_path / name, name))
            for name in ("perth-1", "perth-2", "oslo-1", "oslo-2")
        }
        wait_until(lambda: all_and_at_tip(upstream) == (6, 6), upstream.status)
        assert counts(upstream) == {"perth": (2, 2), "oslo": (2, 2)}

        mirrors["oslo"].process.kill()
        mirrors["oslo"].process.wait()
        clone = clone_over_http(upstream, tmp_path / "clone")
        new = clone.commit(PERTH)
        told = said(push_over_http(clone))
        assert "active at 3 of 6 replicas after 5." in told
        assert f"oslo answers from {old[:10]}" in told
        assert all_and_at_tip(upstream) == (6, 3)
        assert [leaves[name].status()["active"]["commit"] for name in sorted(leaves)] == [old, old, new, new]
        assert leaves["oslo-1"].locate("10.61.9.0").status == 200

        again = ("--port", str(mirrors["oslo"].port))
        stack.enter_context(following(upstream, tmp_path / "oslo", "oslo", *again))
        for name in ("oslo-1", "oslo-2"):
            leaves[name].wait_for("in-sync", new)
        wait_until(lambda: all_and_at_tip(upstream) == (6, 6), upstream.status)
        assert counts(upstream) == {"perth": (2, 2), "oslo": (2, 2)}
