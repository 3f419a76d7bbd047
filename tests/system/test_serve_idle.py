"""A service with nothing to do: it starts no git, and sees at once what it is not told of."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest

from tests.support.repositories import GOOD, force_commit, git, make_repository
from tests.support.service import Service, running_service, started_service, wait_until

PERTH = {"locations/apac.csv": "Perth,10.61.2.0/24\n"}
REST = 2.5
"""Seconds without a git after which it rests: while it does not, there is one each second."""
SOON = 2.0
"""Seconds in which a commit must be in force, however it came."""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a line is written for each git that is started; the folder has such a git."""
    folder = tmp_path_factory.mktemp("idle")
    log, program = folder / "started", folder / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$*" >>{log}\nexec {which("git")} "$@"\n')
    program.chmod(0o755)
    return log


@pytest.fixture(scope="module")
def repository(started: Path) -> Path:
    return make_repository(started.parent / "locations.git", GOOD)


@pytest.fixture(scope="module")
def running(repository: Path, started: Path) -> Iterator[Service]:
    """One that is told nothing by the file system."""
    path = f"{started.parent / 'bin'}:{os.environ['PATH']}"
    with started_service(
        "--repo",
        repository,
        cwd=started.parent,
        PATH=path,
        WATCHFILES_FORCE_POLLING="true",
        WATCHFILES_POLL_DELAY_MS="3600000",
    ) as service:
        service.wait_for("in-sync")
        yield service


@pytest.fixture
def service(running: Service, started: Path) -> Service:
    """The same, at rest."""
    rest(started)
    return running


def rest(started: Path) -> None:
    wait_until(lambda: time.time() - started.stat().st_mtime > REST)


def assert_soon(service: Service, commit: str, began: float) -> None:
    service.wait_for("in-sync", commit)
    assert time.monotonic() - began < SOON


def test_at_rest_no_git_is_started_and_the_source_is_looked_at_all_the_same(service: Service, started: Path) -> None:
    before, checked_at = started.read_text(), service.status()["source"]["last_checked_at"]
    wait_until(lambda: service.status()["source"]["last_checked_at"] > checked_at)
    time.sleep(1.5)
    assert started.read_text() == before


def test_a_restored_ref_with_old_times_is_seen_soon(service: Service, repository: Path, started: Path) -> None:
    git("update-ref", "refs/heads/aside", "refs/heads/main", cwd=repository)
    new = force_commit(repository, PERTH, "refs/heads/aside")
    path = repository / "refs" / "heads" / "main"
    before = path.stat()
    began = time.monotonic()
    path.write_text(f"{new}\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert_soon(service, new, began)
    rest(started)


def test_a_ref_that_moves_and_is_packed_is_seen_soon(service: Service, repository: Path) -> None:
    git("update-ref", "refs/heads/aside", "refs/heads/main", cwd=repository)
    new = force_commit(repository, GOOD, "refs/heads/aside")
    began = time.monotonic()
    git("update-ref", "refs/heads/main", new, cwd=repository)
    git("pack-refs", "--all", "--prune", cwd=repository)
    assert_soon(service, new, began)


def test_its_event_loop_wakes_once_a_second(service: Service) -> None:
    def woken() -> int:
        text = Path(f"/proc/{service.process.pid}/status").read_text()
        return int(text.partition("voluntary_ctxt_switches:")[2].split()[0])

    service.status()
    time.sleep(0.5)
    before = woken()
    time.sleep(3.0)
    assert 2 <= woken() - before <= 6


def test_a_signal_ends_it_without_a_wait_for_the_next_second(repository: Path) -> None:
    with running_service(repository) as service:
        service.wait_for("in-sync")
        began = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - began < 0.9
