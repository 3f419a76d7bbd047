"""The log of pushes: bounded, whole, written by any hook and never in its way."""

from __future__ import annotations

import fcntl
import os
import resource
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from location_policy.gate import push_log
from location_policy.gate.push_log import FILE_NAME, FOLDER, KEPT, Push, log_push, read_log, stamp

MOMENT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
REFUSED = Push(
    MOMENT,
    "refused",
    "bob",
    "refs/heads/main",
    "a" * 40,
    "Mallory",
    "Open Perth",
    ("locations.csv:1:7: error: 10.61.3.0/23 has host bits set [host-bits]",),
)


def other(number: int, by: str = "bob") -> Push:
    """A push of a commit of its own."""
    return REFUSED._replace(at=MOMENT + timedelta(seconds=number), commit=f"{number:040}", by=by)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "refs").mkdir()
    return tmp_path


def put(repository: Path, *pushes: Push) -> None:
    for push in pushes:
        log_push(repository, push)


def test_what_is_refused_is_kept_and_every_push_is_counted(repository: Path) -> None:
    failed = other(1)._replace(result="failed")
    put(repository, REFUSED, failed, other(2)._replace(result="accepted"), other(3)._replace(result="dry-run"))
    found = read_log(repository)
    assert found.totals == {"accepted": 1, "refused": 1, "failed": 1, "dry-run": 1}
    assert found.pushes == [REFUSED, failed]


def test_where_no_push_was_logged_nothing_is_counted(repository: Path) -> None:
    assert read_log(repository) == (dict.fromkeys(push_log.RESULTS, 0), [])
    assert stamp(repository) is None


def test_a_push_that_is_tried_again_is_kept_once(repository: Path) -> None:
    put(repository, REFUSED, other(1), REFUSED._replace(at=MOMENT + timedelta(hours=1)))
    found = read_log(repository)
    assert found.totals["refused"] == 3
    assert found.pushes == [other(1), REFUSED._replace(at=MOMENT + timedelta(hours=1), times=2)]


def test_one_pusher_makes_it_no_larger_and_pushes_out_no_other(repository: Path) -> None:
    put(repository, other(0, "alice"), *map(other, range(1, KEPT + 20)))
    size = (repository / FOLDER / FILE_NAME).stat().st_size
    put(repository, *map(other, range(KEPT + 20, KEPT + 60)))
    found = read_log(repository)
    assert found.totals["refused"] == KEPT + 60
    assert len(found.pushes) == KEPT
    assert found.pushes[0] == other(0, "alice")
    assert found.pushes[-1] == other(KEPT + 59)
    assert (repository / FOLDER / FILE_NAME).stat().st_size == size


def test_values_from_outside_are_lines_of_their_own_and_not_long(repository: Path) -> None:
    hostile = "x\ty\nrefused=7\x1b[2J\udcff" + "é\u202e" * 1_000
    put(repository, Push(MOMENT, "refused", hostile, hostile, "a" * 40, hostile, hostile, (hostile,) * 5))
    (push,) = read_log(repository).pushes
    assert push.by.isprintable()
    assert push.by.startswith("x\\ty\\nrefused=7\\x1b[2J\\udcff")
    assert (repository / FOLDER / FILE_NAME).stat().st_size < 10_000
    assert read_log(repository).totals["refused"] == 1


@pytest.mark.parametrize("text", [b"", b"\xff\n\t\t\t\t\t\t\t\n", b"refused=x\tother=7\n2026\trefused\n", b"\n" * 9])
def test_what_is_not_ours_is_passed_over(repository: Path, text: bytes) -> None:
    put(repository, REFUSED)
    (repository / FOLDER / FILE_NAME).write_bytes(text)
    assert read_log(repository) == (dict.fromkeys(push_log.RESULTS, 0), [])
    put(repository, REFUSED)
    assert read_log(repository).pushes == [REFUSED]


def test_who_may_move_a_ref_may_write_it(repository: Path) -> None:
    (repository / "refs").chmod(0o2770)
    before = os.umask(0o077)
    try:
        put(repository, REFUSED)
    finally:
        os.umask(before)
    assert stat.S_IMODE((repository / FOLDER).stat().st_mode) == 0o2770
    assert stat.S_IMODE((repository / FOLDER / FILE_NAME).stat().st_mode) == 0o660


def test_hooks_that_write_at_once_lose_nothing(repository: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda number: put(repository, other(number)), range(12)))
    assert len(read_log(repository).pushes) == read_log(repository).totals["refused"] == 12


def test_a_hook_does_not_wait_for_one_that_hangs(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_log, "WAIT", 0.01)
    put(repository, REFUSED)
    held = os.open(repository / FOLDER, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="temporarily unavailable"):
            put(repository, other(1))
    finally:
        os.close(held)
    put(repository, other(2))
    assert read_log(repository).pushes == [REFUSED, other(2)]


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_another_has_put_in_its_place_is_neither_followed_nor_waited_for(repository: Path, kind: str) -> None:
    put(repository, REFUSED)
    path, target = repository / FOLDER / FILE_NAME, repository / "target"
    path.unlink()
    target.write_text("mine")
    if kind == "link":
        path.symlink_to(target)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    assert read_log(repository).pushes == []
    if kind == "folder":
        with pytest.raises(OSError, match="directory"):
            put(repository, REFUSED)
    else:
        put(repository, REFUSED)
        assert read_log(repository).pushes == [REFUSED]
    assert target.read_text() == "mine"
    assert [one.name for one in (repository / FOLDER).iterdir()] == [FILE_NAME]


def test_on_a_full_disk_nothing_changes(repository: Path) -> None:
    put(repository, REFUSED)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            put(repository, other(1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert read_log(repository).pushes == [REFUSED]
    assert [one.name for one in (repository / FOLDER).iterdir()] == [FILE_NAME]
