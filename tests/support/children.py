"""The processes that this one has started to do work elsewhere."""

from __future__ import annotations

from pathlib import Path

from tests.support.rollouts import read


def children() -> list[int]:
    """Those that still run; git, which this process talks to as well, is none of them."""
    pids = [int(pid) for path in Path("/proc/self/task").glob("*/children") for pid in read(path).split()]
    return [pid for pid in pids if is_alive(pid) and "subprocess_job" in read(Path(f"/proc/{pid}/cmdline"))]


def is_alive(pid: int) -> bool:
    """A process that has ended, and that its parent has not asked about, is not."""
    return read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()[:1] not in ([], ["Z"])
