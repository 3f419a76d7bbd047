"""Two servers measured in turn, in slices so short that a busy neighbour meets both."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

from benchmarks.side_by_side.load import CONNECTIONS, EDGE, Load, processor_seconds, stolen_ticks

WARM_UP = 1.0
"""Seconds before the first slice."""
SETTLE = 0.05
"""Seconds after a slice, in which what was sent is answered."""
SHOWN_BEFORE = ("ratio", "lower quartile", "upper quartile", "slices")
"""Figures that need not be shown again."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server listens, by which processes it works, and the file of requests that it is sent."""

    name: str
    port: int
    pids: list[int]
    requests: Path
    connections: int = CONNECTIONS


@dataclass(frozen=True, slots=True)
class Pair:
    """How many times as fast one server is as the other, by each pair of slices.

    `by_processor`: how many times as many answers it gives for a second of processor time. `rates` are the answers a
    second of each, `costs` the seconds of processor time that an answer takes.
    """

    ratios: list[float]
    by_processor: list[float]
    rates: tuple[float, float]
    costs: tuple[float, float]
    stolen: float

    @property
    def ratio(self) -> float:
        """The median."""
        return median(self.ratios)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The lower and the upper."""
        low, _, high = quantiles(self.ratios, n=4)
        return low, high

    def shown(self) -> str:
        """In a line."""
        low, high = self.quartiles
        return f"{self.ratio:.2f} ({low:.2f} to {high:.2f})"

    def figures(self) -> dict[str, float]:
        """All of it, by name."""
        low, high = self.quartiles
        found = {"ratio": self.ratio, "lower quartile": low, "upper quartile": high, "slices": len(self.ratios)}
        rates = {f"{name}, a second": rate for name, rate in zip(("one", "other"), self.rates, strict=True)}
        costs = {f"{name}, us each": cost * 1e6 for name, cost in zip(("one", "other"), self.costs, strict=True)}
        return {**found, **rates, **costs, "by processor": self.costs[1] / self.costs[0], "stolen": self.stolen}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: what was measured, its reach, and whether it was reached; None: that was not found out."""

    name: str
    measured: str
    reach: str
    reached: bool | None
    figures: dict[str, float] = field(default_factory=dict)

    def shown(self) -> str:
        """In a line, with the figures that show how far to trust it."""
        verdict = {True: "reached", False: "short", None: ""}[self.reached]
        more = ", ".join(f"{name} {_short(value)}" for name, value in self.figures.items() if name not in SHOWN_BEFORE)
        return f"{self.name:36} {self.measured:24} {self.reach:12} {verdict:8} {more}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def compare(one: Server, other: Server, chunks: int, seconds: float, core: int) -> Pair:
    """Let load on `core` run to one server and to the other, `slices` times each."""
    loads = [Load(server.port, server.requests, core, server.connections) for server in (one, other)]
    spent: list[list[float]] = [[], []]
    try:
        for load in loads:
            load.warm_up(WARM_UP)
        before = stolen_ticks()
        for _ in range(chunks):
            for server, load, found in zip((one, other), loads, spent, strict=True):
                began = processor_seconds(server.pids)
                load.run(seconds)
                found.append(processor_seconds(server.pids) - began)
                time.sleep(SETTLE)
        after = stolen_ticks()
        rates = [load.end() for load in loads]
    finally:
        for load in loads:
            load.kill()
    ratios = [first / second for first, second in zip(*rates, strict=True) if second]
    first, second = (sum(found) / sum(rate) / (seconds + EDGE) for found, rate in zip(spent, rates, strict=True))
    stolen = (after[0] - before[0]) / max(1, after[1] - before[1])
    answers = zip(*rates, *spent, strict=True)
    by_processor = [one / used / (other / by) for one, other, used, by in answers if other and used and by]
    return Pair(ratios, by_processor, (median(rates[0]), median(rates[1])), (first, second), stolen)


def processes_of(pid: int) -> list[int]:
    """A process and its children."""
    children: Sequence[str] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(int(child) for child in children)]
