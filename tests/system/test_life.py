"""The life of a configuration from end to end: real pushes through the real hook into a real service."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.program import AS_INSTALLED
from tests.support.repositories import BAD, GOOD, Clone, clone, force_commit, git, init
from tests.support.rollouts import Held, held
from tests.support.service import Json, Service, running_service, started_service, wait_until

PERTH = {"locations/apac.csv": "Perth,10.61.2.0/24\n", "policy.toml": '[locations]\nknown = ["Perth"]\n'}
HOBART = {"locations/apac.csv": "Hobart,10.61.2.0/24\n", "policy.toml": '[locations]\nknown = ["Hobart"]\n'}


def location(service: Service) -> str:
    """Where a caller in 10.61.2.0/24 is sent."""
    body: Json = service.locate("10.61.2.7").json()
    return str(body["result"]["location"])


def push(working_copy: Clone, branch: str = "main") -> None:
    done = working_copy.push(f"HEAD:{branch}")
    assert done.returncode == 0, done.stderr


def test_the_whole_life_of_a_configuration(tmp_path: Path) -> None:
    repository = init(tmp_path / "locations.git", "--empty")
    work = clone(repository, tmp_path / "work")

    with started_service("--repo", repository, cwd=tmp_path) as service:
        assert service.wait_for("starting")["active"] is None  # empty
        assert service.locate("10.61.2.7").status == 503

        good = work.commit(GOOD)
        push(work)
        service.wait_for("in-sync", good)
        assert location(service) == "Sydney"

        work.commit(BAD)  # refused by the hook
        assert work.push().returncode == 1
        assert service.status()["head"]["commit"] == good
        work.git("reset", "--quiet", "--hard", good)

        bad = force_commit(repository, BAD)  # forced in
        assert service.wait_for("rejected", good)["failure"]["commit"] == bad
        assert location(service) == "Sydney"
        assert service.stop() == 0

    with running_service(repository) as service:
        status = service.wait_for("rejected", good)  # restarted
        assert [problem["code"] for problem in status["failure"]["problems"]] == ["host-bits"]
        assert location(service) == "Sydney"

        work.git("fetch", "--quiet", "origin")
        work.git("reset", "--quiet", "--soft", bad)
        mended = work.commit(PERTH)
        push(work)
        assert service.wait_for("in-sync", mended)["failure"] is None
        assert location(service) == "Perth"

        git("pack-refs", "--all", "--prune", cwd=repository)
        packed = work.commit(HOBART)
        push(work)
        service.wait_for("in-sync", packed)
        assert location(service) == "Hobart"

        git("update-ref", "refs/heads/other", mended, cwd=repository)
        git("symbolic-ref", "HEAD", "refs/heads/other", cwd=repository)  # another branch
        assert service.wait_for("in-sync", mended)["source"]["branch"] == "other"
        assert location(service) == "Perth"

        git("update-ref", "refs/heads/other", good, cwd=repository)  # forced back
        service.wait_for("in-sync", good)
        assert location(service) == "Sydney"
        assert service.stop() == 0


def test_a_repository_moved_away_and_back_and_replaced_is_followed(tmp_path: Path) -> None:
    repository = init(tmp_path / "locations.git", "--empty")
    good = force_commit(repository, GOOD)
    with running_service(repository) as service:
        repository.rename(tmp_path / "away.git")
        service.wait_for("unreachable", good)
        assert location(service) == "Sydney"
        (tmp_path / "away.git").rename(repository)
        service.wait_for("in-sync", good)

        new = init(tmp_path / "new.git", "--empty")
        other = force_commit(new, PERTH)
        repository.rename(tmp_path / "old.git")
        new.rename(repository)
        service.wait_for("rejected", good)
        git("config", "location-policy.acceptedHistory", other, cwd=repository)
        service.wait_for("in-sync", other)
        newest = force_commit(repository, HOBART)
        service.wait_for("in-sync", newest)


def test_a_served_branch_that_is_deleted_and_pushed_again_is_followed(tmp_path: Path) -> None:
    repository = init(tmp_path / "locations.git", "--empty")
    good = force_commit(repository, GOOD)
    with running_service(repository) as service:
        git("update-ref", "-d", "refs/heads/main", cwd=repository)
        service.wait_for("unreachable", good)
        git("update-ref", "refs/heads/main", good, cwd=repository)
        again = force_commit(repository, PERTH)
        service.wait_for("in-sync", again)


def test_nothing_grows_and_no_request_fails_over_many_commits(tmp_path: Path) -> None:
    repository = init(tmp_path / "locations.git", "--empty")
    force_commit(repository, GOOD)
    with running_service(repository, program=AS_INSTALLED) as service, asking(service) as statuses:
        service.wait_for("in-sync", force_commit(repository, PERTH))
        before = held(service)
        for number in range(30):
            commit = force_commit(repository, (PERTH, HOBART)[number % 2])
        service.wait_for("in-sync", commit)
        wait_until(lambda: no_more(held(service), before), lambda: (before, held(service)))
        assert statuses == {200}


def no_more(now: Held, then: Held) -> bool:
    """No more files, threads and children; memory is what `make soak` looks at."""
    return now.files <= then.files and now.threads <= then.threads and now.children <= then.children


@contextmanager
def asking(service: Service) -> Iterator[set[int]]:
    """Ask all the while; what is yielded has the status of every answer."""
    statuses: set[int] = set()
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            statuses.add(service.locate("10.61.2.7").status)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield statuses
    finally:
        stop.set()
        thread.join()
