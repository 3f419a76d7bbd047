"""Lines on their way to a file: when they arrive, and what goes wrong."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from location_policy.errors import CannotStart
from location_policy.runtime import line_writer
from location_policy.runtime.line_writer import BATCH, LineWriter
from tests.support.service import wait_until


def read(path: Path) -> list[str]:
    """The lines of a file, each of which must be whole."""
    content = path.read_text()
    assert content.endswith("\n") or not content
    return content.splitlines()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "decisions.log"


@pytest.fixture
def open_log(path: Path) -> Iterator[Callable[[], LineWriter]]:
    """Makes a log to `path`, closed with the test."""
    logs: list[LineWriter] = []

    def make() -> LineWriter:
        logs.append(LineWriter(str(path), "log").start())
        return logs[-1]

    yield make
    for log in logs:
        log.close()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines wait for an hour."""
    monkeypatch.setattr(line_writer, "INTERVAL", 3600.0)


def test_a_line_is_written_soon_without_another_one(open_log: Callable[[], LineWriter], path: Path) -> None:
    open_log().put(b"1\n")
    wait_until(lambda: len(read(path)) == 1)


@pytest.mark.usefixtures("patient")
def test_a_batch_is_written_at_once(open_log: Callable[[], LineWriter], path: Path) -> None:
    log = open_log()
    for _ in range(BATCH - 1):
        log.put(b"1\n")
    assert read(path) == []
    log.put(b"1\n")
    wait_until(lambda: len(read(path)) == BATCH)


@pytest.mark.usefixtures("patient")
def test_what_is_left_is_written_at_the_end(path: Path) -> None:
    with closing(LineWriter(str(path), "log").start()) as log:
        log.put(b"1\n")
    assert len(read(path)) == 1
    assert log.dropped == 0


def test_every_line_arrives_once_and_in_order(path: Path) -> None:
    with closing(LineWriter(str(path), "log").start()) as log:
        for number in range(5000):
            log.put(b"%d\n" % number)
    assert read(path) == [str(number) for number in range(5000)]


def test_a_file_is_continued_and_a_new_one_is_not_for_everybody(path: Path) -> None:
    for _ in range(2):
        with closing(LineWriter(str(path), "log").start()) as log:
            log.put(b"1\n")
    assert len(read(path)) == 2
    assert path.stat().st_mode & 0o137 == 0


def test_after_a_rotation_it_goes_on_in_a_new_file(open_log: Callable[[], LineWriter], path: Path) -> None:
    log = open_log()
    log.put(b"1\n")
    wait_until(lambda: len(read(path)) == 1)
    path.rename(path.with_suffix(".1"))
    log.reopen()
    wait_until(path.exists)
    log.put(b"2\n")
    wait_until(lambda: bool(read(path)))
    assert read(path) == ["2"]
    assert len(read(path.with_suffix(".1"))) == 1


def test_a_file_that_cannot_be_reopened_is_told_and_the_old_one_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    path = folder / "decisions.log"
    with closing(LineWriter(str(path), "log").start()) as log:
        folder.rename(tmp_path / "moved")
        log.reopen()
        wait_until(lambda: bool(caplog.messages))
        log.put(b"1\n")
    told = f"log not reopened file={path}: No such file or directory; the old one is kept"
    assert caplog.messages == [told]
    assert len(read(tmp_path / "moved" / "decisions.log")) == 1


# --- what goes wrong ---


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"the log \S+ cannot be written: Is a directory"):
        LineWriter(str(tmp_path), "log")


def test_a_pipe_that_nobody_reads_is_refused_and_not_waited_for(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(CannotStart, match="No such device or address"):
        LineWriter(str(path), "log")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again very soon."""
    monkeypatch.setattr(line_writer, "RETRY", 0.01)


@pytest.mark.usefixtures("impatient")
def test_a_full_disk_is_told_once_and_every_line_is_there_when_it_has_room_again(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    path.symlink_to("/dev/full")
    with closing(LineWriter(str(path), "log").start()) as log:
        log.put(b"1\n")
        wait_until(lambda: bool(caplog.messages))
        log.put(b"2\n")
        path.unlink()
        log.reopen()
        wait_until(lambda: len(caplog.messages) == 2)
    assert read(path) == ["1", "2"]
    assert caplog.messages == [
        f"log not written file={path}: No space left on device",
        f"log written again file={path}",
    ]
    assert log.dropped == 0


def test_lines_that_can_never_be_written_are_counted_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    with closing(LineWriter("/dev/full", "log").start()) as log:
        log.put(b"1\n")
        wait_until(lambda: bool(caplog.messages))
        log.put(b"1\n")
    assert caplog.messages[-1] == "log ended file=/dev/full lost=2"
    assert log.dropped == 2


@pytest.mark.usefixtures("impatient")
def test_a_reader_that_goes_takes_lines_with_it_and_the_next_one_gets_those_that_follow(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with closing(LineWriter(str(path), "log").start()) as log:
        os.close(reader)
        log.put(b"1\n")
        wait_until(lambda: log.dropped == 1)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        log.put(b"2\n")
    with os.fdopen(reader, "rb") as file:
        assert file.read() == b"2\n"
    assert caplog.messages == [
        f"log not written file={path}: Broken pipe",
        f"log ended file={path} lost=1",
    ]


def fill(path: Path) -> None:
    """Leave no room in a pipe."""
    pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    for size in (65536, 1):
        with suppress(BlockingIOError):
            while True:
                os.write(pipe, bytes(size))
    os.close(pipe)


def test_a_reader_that_sleeps_holds_nothing_up(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_writer, "LIMIT", BATCH)
    monkeypatch.setattr(line_writer, "GRACE", 0.01)
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    log = LineWriter(str(path), "log").start()
    fill(path)
    for _ in range(3 * BATCH):  # as many as are being written, as may wait, and as are dropped at least
        log.put(b"1\n")
    log.close()
    assert log.dropped >= BATCH
    os.close(reader)
    log._thread.join()
    assert caplog.messages[:2] == [
        f"log falls behind file={path}, lines are dropped",
        f"log not written to its end file={path}: nobody takes its lines",
    ]
    assert log.dropped == 3 * BATCH


@pytest.mark.usefixtures("impatient")
def test_half_a_line_is_ended_before_the_next_begins(path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with closing(LineWriter(str(path), "log").start()) as log:
        log.put(b"1\n")
        wait_until(lambda: path.read_bytes() == b"1\n")
        resource.setrlimit(resource.RLIMIT_FSIZE, (5, hard))
        try:
            log.put(b"23456\n")
            wait_until(lambda: path.read_bytes() == b"1\n234")
            log.put(b"7\n")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        wait_until(lambda: path.read_bytes() == b"1\n23456\n7\n")
