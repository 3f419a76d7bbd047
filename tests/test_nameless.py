"""Locks of several processes, taken by threads that know nothing of one another."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from location_policy.nameless import lock, locked, nameless, unlock
from tests.support.service import wait_until


def is_waiting(pid: int) -> bool:
    """Whether a process waits for a lock."""
    lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return any(line[1] == "->" and str(pid) in line for line in lines)


def test_two_threads_of_two_processes_that_wait_crosswise_are_no_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    heard, tell = (os.fdopen(end, mode, 0) for end, mode in zip(os.pipe(), ("rb", "wb"), strict=True))
    with nameless() as first, nameless() as second, heard, tell:
        with locked(first):
            pid = os.fork()
            if not pid:  # pragma: no cover  coverage would write what the parent has counted
                tell.close()
                lock(second)
                thread = threading.Thread(target=lock, args=(first,), daemon=True)
                thread.start()
                heard.read(1)
                unlock(second)
                thread.join()
                os._exit(0)
            wait_until(lambda: is_waiting(pid))
            with monkeypatch.context() as patched:
                patched.setattr(time, "sleep", lambda _: tell.write(b"x"))  # refused: now the other lets go
                lock(second)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_lock_that_cannot_be_had_at_all_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (tmp_path / "file").open("rb") as file, pytest.raises(OSError, match="Bad file descriptor"):
        lock(file)
