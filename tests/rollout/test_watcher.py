"""What wakes the watcher: a hint, a tick, and what stands in the place of a folder that went."""

from __future__ import annotations

import gc
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest

from location_policy.repository.fingerprint import deciding_files
from location_policy.rollout.watcher import Watcher
from tests.support.repositories import GOOD, force_commit, git, make_repository, run_git
from tests.support.service import wait_until

LONG = 60.0
"""A tick that never comes within a test: what wakes the watcher then is the watch."""


class Counter:
    """Counts how often it is called, and does its work each time."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.count = 0
        self._work = work

    def __call__(self) -> None:
        self.count += 1
        self._work()

    def is_quiet(self) -> bool:
        """Is it not called for a while?"""
        before = self.count
        time.sleep(0.5)
        return self.count == before

    def wait_for_more(self, cause: Callable[[], object]) -> None:
        """Return once it was called again after the cause."""
        before = self.count
        cause()
        wait_until(lambda: self.count > before)


@contextmanager
def following(directory: Path, tick: float = LONG, work: Callable[[], object] = lambda: None) -> Iterator[Counter]:
    counter = Counter(work)
    watcher = Watcher(directory, counter, lambda: folders_of(directory), tick)
    watcher.start()
    try:
        wait_until(lambda: counter.count > 0)
        yield counter
    finally:
        watcher.stop()


def folders_of(directory: Path) -> tuple[Path, ...]:
    """Those in which something happens when main moves."""
    return deciding_files(directory, ["refs/heads/main"]).folders()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", GOOD)


def wait_for_watch(counter: Counter, repository: Path) -> None:
    """The watch begins in threads of its own: knock until it is heard."""
    (repository / "refs" / "heads" / "knock").write_text("")
    before = counter.count

    def knock() -> bool:
        (repository / "refs" / "heads" / "knock").write_text("knock")
        return counter.count > before

    wait_until(knock)


def test_it_looks_at_once_and_then_at_every_tick(repository: Path) -> None:
    with following(repository, tick=0.05) as counter:
        wait_until(lambda: counter.count > 5)


def test_a_moved_ref_wakes_it_before_the_tick(repository: Path) -> None:
    with following(repository) as counter:
        wait_for_watch(counter, repository)
        counter.wait_for_more(lambda: force_commit(repository, GOOD))


def test_a_look_that_tries_in_vain_to_move_a_ref_does_not_wake_itself(repository: Path) -> None:
    none, other = "0" * 40, "1" * 40

    def fail() -> None:
        assert run_git("update-ref", "refs/heads/main", none, other, cwd=repository).returncode != 0

    with following(repository, work=fail) as counter:
        wait_for_watch(counter, repository)
        wait_until(counter.is_quiet)


def test_a_ref_below_a_new_folder_wakes_it(repository: Path) -> None:
    with following(repository) as counter:
        wait_for_watch(counter, repository)
        counter.wait_for_more(lambda: force_commit(repository, GOOD, "refs/heads/team/one"))


def test_packing_refs_and_moving_one_afterwards_wakes_it(repository: Path) -> None:
    with following(repository) as counter:
        wait_for_watch(counter, repository)
        (repository / "refs" / "heads" / "knock").unlink()
        counter.wait_for_more(lambda: git("pack-refs", "--all", "--prune", cwd=repository))
        counter.wait_for_more(lambda: force_commit(repository, GOOD))


def test_head_pointed_at_another_branch_wakes_it(repository: Path) -> None:
    with following(repository) as counter:
        wait_for_watch(counter, repository)
        counter.wait_for_more(lambda: git("symbolic-ref", "HEAD", "refs/heads/other", cwd=repository))


def test_a_repository_that_took_the_place_of_another_is_watched(repository: Path, tmp_path: Path) -> None:
    new = make_repository(tmp_path / "new.git", GOOD)
    with following(repository, tick=0.2) as counter:
        repository.rename(tmp_path / "old.git")
        counter.wait_for_more(lambda: new.rename(repository))
        wait_until(lambda: watched(repository / "refs" / "heads"))


def watched(folder: Path) -> bool:
    """Does this process watch the folder (proc_pid_fdinfo, inotify)?"""
    mark = f"ino:{folder.stat().st_ino:x} "
    return any(mark in text for text in map(read_or_nothing, Path("/proc/self/fdinfo").iterdir()))


def read_or_nothing(path: Path) -> str:
    text = ""
    with suppress(FileNotFoundError):  # closed since it was listed
        text = path.read_text()
    return text


def test_a_repository_that_is_not_there_is_watched_once_it_comes(tmp_path: Path) -> None:
    with following(tmp_path / "locations.git", tick=0.1):
        repository = make_repository(tmp_path / "locations.git", GOOD)
        wait_until(lambda: watched(repository / "refs" / "heads"))


def test_a_folder_that_cannot_be_watched_is_told_once_and_looked_at_every_tick(
    repository: Path, caplog: pytest.LogCaptureFixture
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    gc.collect()  # so that no file of an earlier test is closed meanwhile
    taken = {int(path.name) for path in Path("/proc/self/fd").iterdir()}
    free = next(number for number in count() if number not in taken)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))  # that of the folder which was just read, and no other
    try:
        with following(repository, tick=0.05) as counter:
            wait_until(lambda: counter.count > 10)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    told = [text for text in caplog.messages if text.startswith(f"not watched folder={repository},")]
    assert len(told) == 1


def test_it_ends_with_all_its_threads(repository: Path) -> None:
    before = threading.active_count()
    with following(repository):
        assert threading.active_count() > before
    assert threading.active_count() == before


def test_it_does_not_wait_for_a_load_without_end(repository: Path) -> None:
    begun, end = threading.Event(), threading.Event()

    def load() -> None:
        begun.set()
        end.wait()

    watcher = Watcher(repository, load, lambda: folders_of(repository))
    watcher.start()
    begun.wait()
    watcher.stop(timeout=0.1)
    end.set()
    wait_until(lambda: not any(thread.name == "watcher" for thread in threading.enumerate()))
