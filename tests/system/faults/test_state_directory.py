"""The place where the last good content is kept, full, torn, or left by a process that was killed at any moment."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from location_policy.rollout import journal, persistence
from location_policy.rollout.last_good import FILE_NAME, load
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState
from tests.support.maps import many_rows
from tests.support.program import closed_environment, run_program
from tests.support.repositories import BAD, GOOD, force_commit, git, make_repository, take_away, tip
from tests.support.service import running_service, started_service, wait_until

PERTH = {"locations/apac.csv": "Perth,10.61.2.0/24\n"}
HELD = ["journal.jsonl", "last-good", "service-id", "serving"]
"""What stands in a state directory."""
KILLED = Path(__file__).parent / "killed_at.py"
STEPS = (
    "Active.change snapshot",
    "mkstemp",
    "write",
    "fsync",
    "replace",
    "fsync of the folder",
    "keep",
    "Active.change settled",
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", GOOD)


def forget_all_but_the_state(repository: Path) -> None:
    """HEAD is bad, and what was served is collected: only the state directory has it."""
    git("update-ref", "-d", "refs/location-policy/last-good", cwd=repository)
    git("update-ref", "-d", "refs/heads/main", cwd=repository)
    force_commit(repository, BAD)
    git("gc", "--quiet", "--prune=now", cwd=repository)


# --- full ---


@contextmanager
def small_disk(path: Path, kilobytes: int = 64) -> Iterator[Path]:  # pragma: no cover  needs mount
    """A file system of so many KiB."""
    path.mkdir()
    size = f"size={kilobytes}k"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "none", path], check=False, capture_output=True)
    if done.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=True)


@pytest.mark.parametrize("disk", ["full", "read-only"])
@pytest.mark.parametrize("copy", ["whole", "deleted", "destroyed"])
def test_a_service_that_follows_a_remote_starts_on_a_disk_that_cannot_be_written(
    repository: Path, tmp_path: Path, disk: str, copy: str
) -> None:  # pragma: no cover  needs mount
    arguments = ("--repo", repository.as_uri(), "--fetch-interval", "0.2")
    with small_disk(tmp_path / "state", kilobytes=512) as state:
        with started_service(*arguments, "--state-dir", state, cwd=tmp_path) as service:
            good = service.wait_for("in-sync")["active"]["commit"]
        (mirror,) = state.glob("mirror-*.git")
        if copy == "deleted":
            shutil.rmtree(mirror)
        elif copy == "destroyed":
            (mirror / "config").write_text("[core\n")
        if disk == "full":
            fill(state)
        else:
            subprocess.run(["mount", "-o", "remount,ro", state], check=True)
        new = force_commit(repository, PERTH)
        with started_service(*arguments, "--state-dir", state, cwd=tmp_path) as service:
            wait_until(lambda: service.locate("10.61.2.0").status == 200)
            assert service.locate("10.61.2.0").json()["policy.commit"] == good
            wait_until(lambda: service.status()["failure"] is not None)
            told = service.status()["failure"]["message"]
            assert re.search(r"the disk is full|mounted read-only", told), told
            if disk == "full":
                (state / "filling").unlink()
            else:
                subprocess.run(["mount", "-o", "remount,rw", state], check=True)
            service.wait_for("in-sync", new)


def test_on_a_full_disk_commands_and_pages_say_that(
    repository: Path, tmp_path: Path
) -> None:  # pragma: no cover  needs mount
    followed = ("--repo", repository.as_uri(), "--state-dir")
    with (
        small_disk(tmp_path / "state", kilobytes=512) as state,
        started_service(*followed, state, cwd=tmp_path) as service,
    ):
        good = service.wait_for("in-sync")["active"]["commit"]
        fill(state)
        room = "make room on the disk that the repository is on"
        done = run_program("pin", good, "--for", "1h", "--reason", "calls fail", *followed, state)
        assert (done.returncode, done.stderr.rpartition("hint: ")[2]) == (2, f"{room}\n")
        fields = json.dumps({"commit": good, "for": "1h", "reason": "calls fail", "confirm": True}).encode()
        connection = service.connection()
        connection.request("POST", "/api/v1/pin", fields, {"Content-Type": "application/json"})
        told = json.loads(connection.getresponse().read())
        connection.close()
        assert told["detail"].startswith("the repository cannot be written: git ")
        assert told["hint"] == room
        done = run_program("sync", "--state-dir", state, "--wait", "0.5")
        assert done.returncode == 2
        assert f"is not told in {state}, which is on a disk that is full\n  hint: see /status" in done.stderr
        (state / "filling").unlink()
        done = run_program("sync", "--state-dir", state)
        assert (done.returncode, done.stdout) == (0, f"active: {good[:10]}\n")


def test_a_read_only_state_directory_is_told_as_that_by_every_word(
    repository: Path, tmp_path: Path
) -> None:  # pragma: no cover  needs mount
    followed = ("--repo", repository.as_uri(), "--state-dir")
    with small_disk(tmp_path / "state", kilobytes=512) as state:
        subprocess.run(["mount", "-o", "remount,ro", state], check=True)
        why = f"{state} is on a file system that is mounted read-only"
        done = run_program("serve", *followed, state, "--port", "0")
        assert (done.returncode, done.stderr.count("hint: mount it for writing")) == (3, 1)
        done = run_program("doctor", *followed, state)
        assert (done.returncode, f"to fix  state: {why}" in done.stdout) == (1, True)
        subprocess.run(["mount", "-o", "remount,rw", state], check=True)
        with started_service(*followed, state, cwd=tmp_path) as service:
            service.wait_for("in-sync")
        subprocess.run(["mount", "-o", "remount,ro", state], check=True)
        with started_service(*followed, state, "--fetch-interval", "0.2", cwd=tmp_path) as service:
            service.wait_for("in-sync")
            assert "nothing is kept for a restart" in (log := service.log.read_text())
            assert "; mount it for writing" in log
            assert (done := run_program("doctor", *followed, state)).returncode == 1
            assert f"to fix  state: {why}: nothing new is kept for a restart" in done.stdout
            assert "chown" not in done.stdout
            assert run_program("sync", "--state-dir", state, "--wait", "0").returncode == 0  # it is found by its lock
            done = run_program("sync", "--state-dir", state)
            assert (done.returncode, why.partition(" ")[2] in done.stderr) == (2, True)
            assert "see /status, or ask by --url" in done.stderr
            force_commit(repository, PERTH)
            wait_until(lambda: service.status()["failure"] is not None)
            told = service.status()
            assert told["failure"]["message"] == f"nothing of {repository.as_uri()} can be kept: {why}"
            assert told["failure"]["hint"].startswith("mount it for writing")
            assert told["source"]["last_error"]["kind"] == "disk"
        done = run_program("sync", "--state-dir", state)
        assert f"no service is seen that serves from {state}, which is on a file system" in done.stderr
        subprocess.run(["mount", "-o", "remount,rw", state], check=True)
        assert "no service serves from" in run_program("sync", "--state-dir", state).stderr


def fill(folder: Path) -> None:  # pragma: no cover  needs mount
    """Take the room that is left, to the last byte."""
    with (folder / "filling").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass


def test_a_full_disk_is_told_leaves_what_was_kept_whole_and_is_tried_again(
    repository: Path, tmp_path: Path
) -> None:  # pragma: no cover  needs mount
    with small_disk(tmp_path / "state") as state:
        with running_service(repository, "--state-dir", state) as service:
            first = service.wait_for("in-sync")["active"]["commit"]
            large = force_commit(repository, {"locations.csv": many_rows(20_000)})
            status = service.wait_for("in-sync", large)
            wait_until(lambda: service.status()["source"]["state_directory_problem"] is not None)
            problem = service.status()["source"]["state_directory_problem"]
            assert problem == f"{state} cannot be written: No space left on device"
            assert status["active"]["subnets"] == 20_000
            kept = load(state)
            assert kept
            assert kept.commit.id == first
            assert sorted(path.name for path in state.iterdir()) == HELD
            small = force_commit(repository, PERTH)
            service.wait_for("in-sync", small)
            wait_until(lambda: service.status()["source"]["state_directory_problem"] is None)
            assert service.log.read_text().count("nothing is kept for a restart") == 1
            assert "Traceback" not in service.log.read_text()
        forget_all_but_the_state(repository)
        with running_service(repository, "--state-dir", state) as service:
            service.wait_for("rejected", small)


def test_a_disk_that_has_room_again_is_used_without_a_new_commit(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # pragma: no cover  needs mount
    monkeypatch.setattr(persistence, "AGAIN", 0.0)
    active = ActiveState()
    with small_disk(tmp_path / "state") as state:
        (state / "other").write_bytes(bytes(64 * 1024))
        refresher = Refresher(repository, active, state)
        refresher.refresh()
        assert active.state.not_kept == f"{state} cannot be written: No space left on device"
        (state / "other").unlink()
        refresher.refresh()
        kept = load(state)
    assert active.state.not_kept is None
    assert kept
    assert kept.commit.id == tip(repository)


# --- torn ---


def test_torn_state_beside_a_bad_head_gives_way_to_the_pin_and_is_written_anew(
    repository: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    with running_service(repository, "--state-dir", state) as service:
        good = service.wait_for("in-sync")["active"]["commit"]
    force_commit(repository, BAD)
    whole = (state / FILE_NAME).read_bytes()
    (state / FILE_NAME).write_bytes(whole[: len(whole) // 2])
    with running_service(repository, "--state-dir", state) as service:
        service.wait_for("rejected", good)
        told = f"the content kept in {state} cannot be used: the file is not whole"
        assert service.log.read_text().count(told) == 1
        wait_until(lambda: (state / FILE_NAME).read_bytes() == whole)


# --- killed ---


def make_old(state: Path) -> None:
    """As if what is aside there had been there since yesterday."""
    for path in state.glob(".last-good.*"):
        os.utime(path, (time.time() - 86_400,) * 2)


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_of_a_load_it_is_right_after_a_restart(repository: Path, tmp_path: Path, step: str) -> None:
    state = tmp_path / "state"
    Refresher(repository, ActiveState(), state).refresh()
    old = tip(repository)
    new = force_commit(repository, PERTH)
    done = subprocess.run(
        [sys.executable, KILLED, step, repository, state], env=closed_environment(), capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    kept = load(state)
    assert kept
    assert kept.commit.id in (old, new)
    make_old(state)
    bad = force_commit(repository, BAD)
    with running_service(repository, "--state-dir", state) as service:
        status = service.wait_for("rejected")
        assert status["active"]["commit"] in (old, new)
        assert status["failure"]["commit"] == bad
        assert sorted(path.name for path in state.iterdir()) == HELD
        git("update-ref", "refs/heads/main", new, cwd=repository)
        service.wait_for("in-sync", new)
        wait_until(lambda: tip(repository, "refs/location-policy/last-good") == new)


def test_what_a_killed_process_left_is_removed_at_start_and_nothing_else(repository: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    for name in (".last-good.abcdefgh", "notes", ".last-good"):
        (state / name).write_text("")
    make_old(state)
    (state / ".last-good.new").write_text("of a service that writes at this moment")
    with running_service(repository, "--state-dir", state) as service:
        service.wait_for("in-sync")
        wait_until((state / journal.FILE_NAME).exists)
        held = sorted(path.name for path in state.iterdir())
        assert held == sorted([".last-good", ".last-good.new", *HELD, "notes"])


# --- shared ---


def test_two_services_of_one_repository_and_one_state_directory_keep_in_step(repository: Path, tmp_path: Path) -> None:
    with running_service(repository) as one:
        (tmp_path / "two").mkdir()
        with running_service(repository, cwd=tmp_path / "two") as two:
            for files in (PERTH, GOOD, PERTH, GOOD):
                commit = force_commit(repository, files)
                one.wait_for("in-sync", commit)
                two.wait_for("in-sync", commit)
            logs = one.log.read_text() + two.log.read_text()
            assert "Traceback" not in logs
            assert "WARNING" not in logs.replace("WARNING hook missing", "")
    kept = load(repository / "location-policy")
    assert kept
    assert kept.commit.id == commit == tip(repository, "refs/location-policy/last-good")
    assert sorted(path.name for path in (repository / "location-policy").iterdir()) == HELD


def test_a_repository_on_a_read_only_file_system_is_served_and_followed(
    repository: Path, tmp_path: Path
) -> None:  # pragma: no cover  needs mount
    place = tmp_path / "readonly.git"
    place.mkdir()
    done = subprocess.run(["mount", "--bind", repository, place], check=False, capture_output=True)
    if done.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", place], check=True)
        with running_service(place) as service:
            source = service.wait_for("in-sync")["source"]
            problem = f"{place}/location-policy cannot be written: Read-only file system"
            assert source["state_directory_problem"] == problem
            new = force_commit(repository, PERTH)
            service.wait_for("in-sync", new)
            log = service.log.read_text()
            assert log.count("nothing is kept for a restart") == log.count("not kept by a ref commit=") == 1
    finally:
        subprocess.run(["umount", place], check=True)


def test_state_that_is_gone_under_way_is_made_again(repository: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with started_service("--repo", repository, "--state-dir", state, cwd=tmp_path) as service:
        service.wait_for("in-sync")
        wait_until((state / FILE_NAME).exists)
        take_away(state)
        new = force_commit(repository, PERTH)
        service.wait_for("in-sync", new)
        wait_until((state / FILE_NAME).exists)
