"""A git that hangs, as it does on a dead mount: answers go on, and nothing says that all is well."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from location_policy.repository import git_process
from location_policy.repository.git import GitFailed, PlainGit, PythonGit
from location_policy.rollout import state as state_module
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState
from tests.support.program import PROGRAM, closed_environment
from tests.support.repositories import BAD, GOOD, force_commit, make_repository, tip
from tests.support.service import Service, started_service, wait_until

SLEEP = "86397"
"""Seconds that a hanging git sleeps, by which its sleep is known among the processes of the machine."""


class Hanging:
    """A git on PATH that hangs while it is told to."""

    def __init__(self, folder: Path, before: str = "true") -> None:
        self._flag = folder / "hangs"
        program = folder / "bin" / "git"
        program.parent.mkdir(parents=True)
        real = shutil.which("git")
        hang = f"echo $$ >>{folder}/pids && {before} && sleep {SLEEP}"
        program.write_text(f'#!/bin/sh\n[ -e {self._flag} ] && {hang}\nexec {real} "$@"\n')
        program.chmod(0o755)
        self.path = f"{program.parent}:{os.environ['PATH']}"
        self._pids = folder / "pids"

    def hang(self) -> None:
        self._flag.touch()

    def go_on(self) -> None:
        self._flag.unlink(missing_ok=True)
        for pid in self.left():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def left(self) -> list[int]:
        """The processes of its groups that are still there."""
        groups = set(map(int, self._pids.read_text().split())) if self._pids.exists() else set()
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _group(pid) in groups]  # noqa: PTH208


def _group(pid: int) -> int:
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return 0
    return 0 if words[0] == "Z" else int(words[2])


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[Hanging]:
    hanging = Hanging(tmp_path / "hanging")
    yield hanging
    hanging.go_on()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", GOOD)


@contextmanager
def started(repository: Path, state: Path, hanging: Hanging) -> Iterator[Service]:
    with started_service(
        "--repo", repository, "--state-dir", state, cwd=repository.parent, PATH=hanging.path
    ) as service:
        yield service


def test_stored_content_answers_at_once_where_git_hangs_and_a_signal_ends_both(
    repository: Path, tmp_path: Path, hanging: Hanging
) -> None:
    state = tmp_path / "state"
    Refresher(repository, ActiveState(), state).refresh()
    good = tip(repository)
    hanging.hang()
    began = time.monotonic()
    with started(repository, state, hanging) as service:
        assert service.locate("10.61.2.7").json()["policy.commit"] == good
        assert time.monotonic() - began < 5  # it takes 1.5 s on an idle machine
        status = service.status()
        assert (status["state"], status["active"]["commit"]) == ("last-good", good)
        wait_until(lambda: bool(hanging.left()))
        began = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - began < 5
        wait_until(lambda: hanging.left() == [])
    assert "Traceback" not in service.log.read_text()


def test_a_git_that_answers_late_is_followed_then(repository: Path, tmp_path: Path, hanging: Hanging) -> None:
    state = tmp_path / "state"
    Refresher(repository, ActiveState(), state).refresh()
    new = force_commit(repository, {"locations.csv": "Perth,10.61.2.0/24\n"})
    hanging.hang()
    with started(repository, state, hanging) as service:
        assert service.status()["state"] == "last-good"
        hanging.go_on()
        service.wait_for("in-sync", new)


def test_without_stored_content_a_start_gives_up_in_time(repository: Path, hanging: Hanging) -> None:
    hanging.hang()
    began = time.monotonic()
    command = [str(PROGRAM), "serve", "--port", "0", "--repo", str(repository)]
    done = subprocess.run(
        command, env=closed_environment(PATH=hanging.path), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 3
    assert done.stderr.startswith("location-policy: git version failed: no end after 10 s\n")
    assert 9 < time.monotonic() - began < 20
    wait_until(lambda: hanging.left() == [])


def test_a_start_that_waits_for_git_is_ended_by_a_signal_with_it(repository: Path, hanging: Hanging) -> None:
    hanging.hang()
    command = [str(PROGRAM), "serve", "--port", "0", "--repo", str(repository)]
    with subprocess.Popen(command, env=closed_environment(PATH=hanging.path)) as process:
        wait_until(lambda: bool(hanging.left()))
        process.terminate()
        assert process.wait(5) == 0
    wait_until(lambda: hanging.left() == [])


def test_a_start_that_is_to_end_while_it_starts_git_leaves_none(repository: Path, tmp_path: Path) -> None:
    hanging = Hanging(tmp_path / "hanging", before="kill -TERM $PPID")
    hanging.hang()
    command = [str(PROGRAM), "serve", "--port", "0", "--repo", str(repository)]
    for _ in range(3):
        done = subprocess.run(command, env=closed_environment(PATH=hanging.path), check=False, timeout=30)
        assert done.returncode == 0
        wait_until(lambda: hanging.left() == [])


@pytest.mark.parametrize("kind", [PlainGit, PythonGit])
def test_a_call_that_takes_too_long_is_ended_with_its_children(
    repository: Path, hanging: Hanging, kind: type[PlainGit] | type[PythonGit], monkeypatch: pytest.MonkeyPatch
) -> None:
    git = kind(repository)
    monkeypatch.setenv("PATH", hanging.path)
    if isinstance(git, PlainGit):
        git = PlainGit(repository)
    hanging.hang()
    with git_process.deadline(0.2), pytest.raises(GitFailed, match=r"no end after 0\.2 s"):
        git.run("rev-parse", "HEAD")
    wait_until(lambda: hanging.left() == [])


def test_a_look_that_does_not_come_back_is_told_as_a_source_out_of_reach(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    active = ActiveState()
    refresher = Refresher(repository, active, tmp_path / "state")
    seen: list[str] = []

    def refresh(*, only_news: bool) -> None:  # noqa: ARG001  as it is called
        seen.append(active.state.name)
        monkeypatch.setattr(state_module, "OVERDUE", 0.0)
        seen.append(active.state.name)
        assert active.state.failure
        seen.append(active.state.failure.message)
        monkeypatch.undo()

    refresher.look()
    assert active.state.name == "in-sync"
    monkeypatch.setattr(refresher, "refresh", refresh)
    refresher.hurry()
    refresher.look()
    told = "the repository was asked, and has not answered for 0 s: see whether its disk and git do"
    assert seen == ["in-sync", "unreachable", told]
    assert (active.state.name, active.state.failure) == ("in-sync", None)


def test_a_map_that_is_being_built_for_long_is_no_source_out_of_reach(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    active = ActiveState()
    refresher = Refresher(repository, active, tmp_path / "state")
    refresher.look()
    force_commit(repository, BAD)
    monkeypatch.setattr(state_module, "OVERDUE", 0.0)
    loader = refresher._activator._loader
    seen = []

    def load(*arguments: object, **named: object) -> object:
        seen.append(active.state.name)
        return type(loader).load(loader, *arguments, **named)  # type: ignore[arg-type]  # handed on as it comes

    monkeypatch.setattr(loader, "load", load)
    refresher.look()
    assert seen == ["behind"]
