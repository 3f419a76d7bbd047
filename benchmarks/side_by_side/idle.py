"""What a service costs that no client asks and in which nothing changes, beside the bare loop of its server."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.side_by_side import peers
from benchmarks.side_by_side.answers import SERVER_CORE, SIZE, Measure
from benchmarks.side_by_side.pairs import Row
from benchmarks.side_by_side.site import Site

ROWS = 10_000
SETTLE = 8.0
"""Seconds after the start in which git is still asked."""
REACH = 0.4
"""Hundredths of a core; or twice what the bare loop takes, where a wake-up is dear."""


class Idle:
    """The row of the table that is about doing nothing."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._seconds = 30.0 if site.quick else 120.0

    def rows(self) -> Iterator[tuple[str, Measure]]:
        """Names and how to measure."""
        yield "idle, of a core", self._measure

    def _measure(self) -> Iterator[Row]:
        requests, repository = self._site.requests(ROWS), self._site.repository(ROWS)
        with (
            peers.ours(SERVER_CORE, requests, repository) as ours,
            peers.constant(SERVER_CORE, requests, SIZE) as bare,
        ):
            time.sleep(SETTLE)
            pids = [ours.pids[0], bare.pids[0]]
            before, began = [spent(pid) for pid in pids], time.monotonic()
            wakes = [switches(pid) for pid in pids]
            time.sleep(self._seconds)
            elapsed = time.monotonic() - began
            found, loop = ((spent(pid) - one) * 100 / elapsed for pid, one in zip(pids, before, strict=True))
            woken = [(switches(pid) - one) / elapsed for pid, one in zip(pids, wakes, strict=True)]
        figures = {"bare loop, %": loop, "wakes a second": woken[0], "of the bare loop": woken[1], "seconds": elapsed}
        yield Row(
            "idle, of a core", f"{found:.2f} %", f"<= {REACH:g} %, 2 loops", found <= max(REACH, 2 * loop), figures
        )


def spent(pid: int) -> float:
    """Seconds of processor time of a process, and of the children that it has waited for (proc_pid_stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def switches(pid: int) -> int:
    """How often the threads of a process have waited for something."""
    texts = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    return sum(int(text.partition("\nvoluntary_ctxt_switches:")[2].split()[0]) for text in texts)
