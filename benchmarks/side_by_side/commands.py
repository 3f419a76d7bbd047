"""The start of commands: what they take beside the least that a program of ours could import."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from benchmarks.side_by_side.answers import Measure
from benchmarks.side_by_side.pairs import Row
from benchmarks.side_by_side.site import Site
from tests.support.program import PROGRAM, closed_environment

SAMPLE = Path(__file__).parents[2] / "config-repo"
LEAST = (sys.executable, "-c", "import json, argparse")
COMMANDS = {
    "check": ("check", SAMPLE),
    "lookup": ("lookup", "10.61.2.7", SAMPLE),
    "--help": ("--help",),
}
REACH = 7.0
"""Times as long as the least."""


class Commands:
    """The rows of the table that are about commands."""

    def __init__(self, site: Site) -> None:
        self._turns = 11 if site.quick else 31

    def rows(self) -> Iterator[tuple[str, Measure]]:
        """Names and how to measure."""
        for name, arguments in COMMANDS.items():
            yield f"start of {name}", partial(self._row, f"start of {name}", (PROGRAM, *arguments))

    def _row(self, name: str, command: tuple[str | Path, ...]) -> Iterator[Row]:
        for once in (command, LEAST):
            seconds(once)  # files are read and compiled before anything counts
        found = [(seconds(command), seconds(LEAST)) for _ in range(self._turns)]
        ratios = [one / least for one, least in found]
        low, middle, high = quantiles(ratios, n=4)
        one, least = (1000 * median(spent) for spent in zip(*found, strict=True))
        figures = {"command, ms": one, "least, ms": least, "n": len(found)}
        yield Row(name, f"{middle:.2f} ({low:.2f} to {high:.2f})", f"<= {REACH:g} times", middle <= REACH, figures)


def seconds(command: tuple[str | Path, ...]) -> float:
    """How long a command takes as a whole process."""
    began = time.perf_counter()
    subprocess.run(command, env=closed_environment(), capture_output=True, check=True)
    return time.perf_counter() - began
