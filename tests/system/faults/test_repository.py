"""A repository that is damaged, out of reach, replaced or not watched: the last good content stays in force."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.program import AS_INSTALLED, PROGRAM, run_program
from tests.support.repositories import GOOD, force_commit, git, init, make_repository
from tests.support.rollouts import chain, held_at_rest, roll_out
from tests.support.service import Service, running_service, started_service, wait_until
from tests.support.unprivileged import NOBODY, home_trusting, open_folder

PERTH = {"locations/apac.csv": "Perth,10.61.2.0/24\n"}
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
"""From Debian's package libfaketime."""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", GOOD)


def location(service: Service) -> str:
    return str(service.locate("10.61.2.7").json()["result"]["location"])


def assert_quiet(service: Service) -> None:
    """One line for a fault, not one for each look at it."""
    log = service.log.read_text()
    assert "Traceback" not in log
    assert log.count("ERROR unreachable") <= 1


# --- damaged ---


@pytest.mark.parametrize("kind", ["commit", "tree", "blob"])
def test_an_object_cut_short_leaves_the_last_good_content_in_force_until_it_is_whole(
    repository: Path, kind: str
) -> None:
    with running_service(repository) as service:
        good = service.wait_for("in-sync")["active"]["commit"]
        git("update-ref", "refs/heads/aside", good, cwd=repository)
        bad = force_commit(repository, PERTH, "refs/heads/aside")
        name = {"commit": bad, "tree": f"{bad}^{{tree}}", "blob": f"{bad}:locations/apac.csv"}[kind]
        object_id = git("rev-parse", name, cwd=repository)
        path = repository / "objects" / object_id[:2] / object_id[2:]
        whole = path.read_bytes()
        path.chmod(0o644)
        path.write_bytes(whole[: len(whole) // 2])
        (repository / "refs" / "heads" / "main").write_text(f"{bad}\n")
        status = service.wait_for("unreachable", good)
        assert status["failure"]["message"]
        assert location(service) == "Sydney"
        assert_quiet(service)
        path.write_bytes(whole)
        service.wait_for("in-sync", bad)
        assert location(service) == "Perth"


def test_a_damaged_repository_is_no_hindrance_to_a_restart(repository: Path) -> None:
    with running_service(repository) as service:
        good = service.wait_for("in-sync")["active"]["commit"]
    for path in [path for path in (repository / "objects").rglob("*") if path.is_file()]:
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:5])
    with running_service(repository) as service:
        assert service.status()["active"]["commit"] == good
        assert location(service) == "Sydney"
        assert_quiet(service)


# --- out of reach ---


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that user 65534 may enter."""
    with open_folder() as path:
        yield path


def test_a_repository_that_may_not_be_read_for_a_while_is_followed_again(folder: Path) -> None:
    repository = make_repository(folder / "locations.git", GOOD)
    with started_service(
        "--repo", repository, cwd=folder, user=NOBODY, HOME=home_trusting(repository, folder)
    ) as service:
        good = service.wait_for("in-sync")["active"]["commit"]
        repository.chmod(0o700)
        service.wait_for("unreachable", good)  # a look that is under way has git's words for it
        wait_until(lambda: service.status()["failure"]["message"] == f"{repository} may not be read")
        assert location(service) == "Sydney"
        new = force_commit(repository, PERTH)
        repository.chmod(0o755)
        service.wait_for("in-sync", new)
        assert_quiet(service)


# --- replaced ---


def test_a_replaced_repository_is_not_served_until_it_is_accepted_and_calls_go_on(tmp_path: Path) -> None:
    repository, state = init(tmp_path / "locations.git", "--empty"), tmp_path / "state"
    old = force_commit(repository, GOOD)
    with running_service(repository, "--state-dir", state) as service:
        service.wait_for("in-sync", old)
        other = init(tmp_path / "other.git", "--empty")
        new = force_commit(other, PERTH)
        repository.rename(tmp_path / "old.git")
        other.rename(repository)
        service.wait_for("rejected", old)  # calls go on while the administrator mends it
    with started_service("--repo", repository, "--state-dir", state, cwd=tmp_path) as service:
        failure = service.wait_for("rejected", old)["failure"]
        assert failure["commit"] == new
        assert all(commit[:10] in failure["message"] for commit in (old, new))
        assert location(service) == "Sydney"
        assert run_program("accept-history", "--repo", repository).returncode == 0
        service.wait_for("in-sync", new)
        assert location(service) == "Perth"


# --- not watched ---


def test_where_the_file_system_reports_nothing_a_push_is_followed_all_the_same(repository: Path) -> None:
    arguments = ("--repo", repository)
    with started_service(*arguments, cwd=repository.parent, WATCHFILES_FORCE_POLLING="true") as service:
        service.wait_for("in-sync")
        for files in (PERTH, GOOD):
            service.wait_for("in-sync", force_commit(repository, files))


def test_where_the_limit_of_watches_is_reached_it_is_told_and_a_push_is_followed(
    repository: Path, tmp_path: Path
) -> None:  # pragma: no cover  needs unshare
    limited = tmp_path / "limited"
    limited.write_text(
        "#!/bin/sh\nexec unshare --user --map-root-user sh -c "
        f'\'echo 0 > /proc/sys/user/max_inotify_instances && exec "$0" "$@"\' {PROGRAM} "$@"\n'
    )
    limited.chmod(0o755)
    if subprocess.run([limited, "--version"], check=False, capture_output=True).returncode:
        pytest.skip("no user namespace can be made here")
    with started_service("--repo", repository, cwd=tmp_path, program=[str(limited)]) as service:
        service.wait_for("in-sync")
        service.wait_for("in-sync", force_commit(repository, PERTH))
        wait_until(lambda: "not watched" in service.log.read_text())
        assert service.log.read_text().count(f"not watched folder={repository},") == 1
        assert "Traceback" not in service.log.read_text()


# --- clocks ---


def test_a_clock_set_back_by_a_day_changes_shown_times_and_nothing_else(
    repository: Path, tmp_path: Path
) -> None:  # pragma: no cover  needs libfaketime
    if not FAKETIME:
        pytest.skip("libfaketime is not installed")
    clock = tmp_path / "clock"
    clock.write_text("+0")
    with started_service(
        "--repo",
        repository,
        cwd=tmp_path,
        LD_PRELOAD=str(FAKETIME),
        FAKETIME_TIMESTAMP_FILE=str(clock),
        FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    ) as service:
        before = service.wait_for("in-sync")["source"]["last_checked_at"]
        aside = tmp_path / "aside"
        aside.write_text("-1d")
        aside.rename(clock)
        wait_until(lambda: service.status()["source"]["last_checked_at"] < before)
        began = time.monotonic()
        status = service.wait_for("in-sync", force_commit(repository, PERTH))
        assert time.monotonic() - began < 5
        assert status["active"]["loaded_at"] < before
        again = force_commit(repository, GOOD)
        service.wait_for("in-sync", again)
        assert "Traceback" not in service.log.read_text()


# --- many ---


def test_nothing_grows_over_a_hundred_roll_outs(tmp_path: Path) -> None:
    repository = init(tmp_path / "locations.git", "--empty")
    commits = chain(repository, 130, rows=100)
    git("update-ref", "refs/heads/main", commits[0], cwd=repository)
    with running_service(repository, program=AS_INSTALLED) as service:
        list(roll_out(service, repository, commits[1:30]))
        wait_until((repository / "location-policy/calls.sqlite").exists)  # it opens once, some seconds after the start
        before = held_at_rest(service)
        list(roll_out(service, repository, commits[30:]))
        after = held_at_rest(service)
        assert (after.files, after.threads, after.children) <= (before.files, before.threads, before.children)
        assert after.rss < 1.1 * before.rss
        held = sorted(path.name for path in (repository / "location-policy").iterdir())
        of_calls = [f"calls.sqlite{ending}" for ending in ("", "-shm", "-wal", ".lock")]
        assert held == [*of_calls, "journal.jsonl", "last-good", "service-id", "serving"]
