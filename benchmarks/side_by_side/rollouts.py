"""Roll-outs: what callers notice of one, how soon it is in force, what it takes of memory, and what the hook adds."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median, quantiles

from benchmarks.measures.hook import Map
from benchmarks.measures.hook import Site as HookSite
from benchmarks.side_by_side import peers
from benchmarks.side_by_side.answers import LOAD_CORE, SERVER_CORE, SIZE, Measure
from benchmarks.side_by_side.latency import RATE
from benchmarks.side_by_side.maps import LOCATION, QUERY
from benchmarks.side_by_side.pairs import Row, Server
from benchmarks.side_by_side.site import Site
from tests.support.repositories import clone, git, init, make_repository
from tests.support.rollouts import read
from tests.support.service import Service, running_service

REST = 8.0
"""Seconds of a turn at rest; five roll-outs of a middling map take fewer."""
PATIENCE = 600.0
"""Seconds for a roll-out on a busy machine."""


class Rollouts:
    """The rows of the table that are about maps that change."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def rows(self) -> Iterator[tuple[str, Measure]]:
        """Names and how to measure."""
        sizes = (10_000,) if self._site.quick else (10_000, 100_000, 1_000_000)
        times, longest = {100_000: 1.5, 1_000_000: 2.0}, {100_000: 50, 1_000_000: 100}
        for rows in times if not self._site.quick else (100_000,):
            yield self._row(f"p99 while {rows:,} rows load", self._latency(rows, times[rows], longest[rows]))
        for rows, reach in zip(sizes, (0.4, 1.5, 12.0), strict=False):
            yield self._row(f"push to answer, {rows:,} rows", self._push(rows, reach))
        for rows, megabytes in {10_000: 10, 1_000_000: 300}.items():
            if rows in sizes:
                yield self._row(f"memory of {rows:,} rows", self._memory(rows, megabytes))
        for rows, reach in zip(sizes[:2], (0.35, 1.5), strict=False):
            yield self._row(f"hook, one row of {rows:,}", self._hook(rows, reach))
        yield self._row("start to first answer, 10,000 rows", self._start(10_000, 0.8))

    def _row(self, name: str, measure: Callable[[str], Iterator[Row]]) -> tuple[str, Measure]:
        return name, lambda: measure(name)

    def _latency(self, rows: int, reach: float, longest: float) -> Callable[[str], Iterator[Row]]:
        def measure(name: str) -> Iterator[Row]:
            repository, requests = self._site.repository(rows), self._site.requests(rows)
            turns, each, seconds = (3, 1, 30.0) if rows > 100_000 else (2 if self._site.quick else 9, 5, REST)
            changes = iter(self._site.changes(rows, turns * each))
            rest: list[list[float]] = []
            load: list[list[float]] = []
            with (
                on_core(LOAD_CORE),  # what puts the commits there has no place on the server's
                peers.ours(SERVER_CORE, requests, repository) as ours,
                peers.constant(SERVER_CORE, requests, SIZE) as control,
            ):
                for _ in range(turns):
                    act = partial(roll_out, ours, repository, list(islice(changes, each)))
                    rest.append(asked(self._site.folder, ours, control, REST))
                    load.append(asked(self._site.folder, ours, control, seconds, act))
            yield latency_row(name, rest, load, reach, longest)

        return measure

    def _push(self, rows: int, reach: float) -> Callable[[str], Iterator[Row]]:
        def measure(name: str) -> Iterator[Row]:
            folder = self._site.folder / f"push-{rows}"
            folder.mkdir()
            repository = init(folder / "locations.git", "--empty")
            work = clone(repository, folder / "work")
            text = self._site.csv(rows).read_text()
            work.commit({"locations.csv": text})
            assert work.push().returncode == 0
            found = []
            with running_service(repository) as service:
                for number in range(3 if rows > 100_000 or self._site.quick else 15):
                    commit = work.commit({"locations.csv": f"{text}Paris,192.0.2.{number}/32\n"})
                    pushed = work.push()
                    began = time.perf_counter()
                    assert pushed.returncode == 0, pushed.stderr
                    wait_for_commit(service, commit)
                    found.append(time.perf_counter() - began)
            yield seconds_row(name, found, reach)

        return measure

    def _memory(self, rows: int, megabytes: float) -> Callable[[str], Iterator[Row]]:
        def measure(name: str) -> Iterator[Row]:
            empty = make_repository(self._site.folder / f"empty-{rows}.git", {"locations.csv": "Perth,10.0.0.0/8\n"})
            with running_service(empty) as service:
                before = settled(service)
            repository, changes = self._site.repository(rows), self._site.changes(rows, 10)
            with running_service(repository) as service:
                first = settled(service)
                for commit in changes:
                    git("update-ref", "refs/heads/main", commit, cwd=repository)
                    wait_for_commit(service, commit)
                after = settled(service)
            figures = {"empty, MB": before, "at first, MB": first - before, "after ten, MB": after - before}
            shown = f"{first - before:.0f} MB, {after - before:.0f} after ten"
            yield Row(name, shown, f"<= {megabytes:g} MB", max(first, after) - before <= megabytes, figures)

        return measure

    def _hook(self, rows: int, reach: float) -> Callable[[str], Iterator[Row]]:
        def measure(name: str) -> Iterator[Row]:
            folder = self._site.folder / f"hook-{rows}"
            folder.mkdir()
            turns = HookSite(folder, Map(rows, 1), 0).turns(5 if self._site.quick else 21, 1)
            yield seconds_row(name, [turn["hook"] - turn["plain"] for turn in turns], reach)

        return measure

    def _start(self, rows: int, reach: float) -> Callable[[str], Iterator[Row]]:
        def measure(name: str) -> Iterator[Row]:
            found = []
            for _ in range(5 if self._site.quick else 15):
                began = time.perf_counter()
                with peers.ours(SERVER_CORE, self._site.requests(rows), self._site.repository(rows)):
                    found.append(time.perf_counter() - began)
            yield seconds_row(name, found, reach)

        return measure


def latency_row(name: str, rest: list[list[float]], load: list[list[float]], reach: float, longest: float) -> Row:
    """Of turns at rest and under a load: the median of what the load makes of the 99th percentile."""
    ratios = [p99(loaded) / p99(rested) for rested, loaded in zip(rest, load, strict=True)]
    low, middle, high = quantiles(ratios, n=4)
    worst = max(map(max, load))
    figures = {
        "p99 at rest, ms": median(map(p99, rest)),
        "p99 loading, ms": median(map(p99, load)),
        "longest, ms": worst,
        "longest at rest, ms": max(map(max, rest)),
    }
    measured = f"{middle:.2f} ({low:.2f} to {high:.2f}), {worst:.0f} ms"
    return Row(name, measured, f"<= {reach:g}, {longest:g} ms", middle <= reach and worst <= longest, figures)


def seconds_row(name: str, found: list[float], reach: float) -> Row:
    low, _, high = quantiles(found, n=4)
    figures = {"lower quartile, s": low, "upper quartile, s": high, "n": len(found)}
    return Row(
        name, f"{median(found):.2f} s ({low:.2f} to {high:.2f})", f"<= {reach:g} s", median(found) <= reach, figures
    )


def asked(
    folder: Path, ours: Server, control: Server, seconds: float, meanwhile: Callable[[], None] | None = None
) -> list[float]:
    """Milliseconds that our answers took beyond what the control was held up in the same moment.

    Only answers that were due `meanwhile` count, where something is done.
    """
    start = time.monotonic() + 1.0
    with clock(folder, ours, start, seconds) as ours_found, clock(folder, control, start, seconds) as control_found:
        time.sleep(1.5)
        began = time.monotonic()
        if meanwhile:
            meanwhile()
        ended = time.monotonic() if meanwhile else start + seconds
    counted = slice(int((began - start) * RATE), int((ended - start) * RATE))
    usual = median(control_found)
    return [
        1000 * (one - max(0.0, other - usual) if one > other - usual else usual)
        for one, other in zip(ours_found[counted], control_found[counted], strict=True)
    ]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """This process, and what it starts, has only this core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def clock(folder: Path, server: Server, start: float, seconds: float) -> Iterator[array[float]]:
    """Ask a server until the block and these seconds are over; then it has the seconds of each answer."""
    found, path = array("d"), folder / f"latency-{server.port}"
    request = f"GET {LOCATION}?{QUERY.format('1.0.0.0')} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    script = [sys.executable, str(peers.HERE / "latency.py"), str(server.port), str(start), str(seconds), str(path)]
    process = subprocess.Popen(["taskset", "-c", str(LOAD_CORE), *script], stdin=subprocess.PIPE)
    assert process.stdin
    process.stdin.write(request)
    process.stdin.close()
    yield found
    assert process.wait() == 0
    found.frombytes(path.read_bytes())


def roll_out(server: Server, repository: Path, changes: list[str]) -> None:
    for commit in changes:
        git("update-ref", "refs/heads/main", commit, cwd=repository)
        deadline = time.monotonic() + PATIENCE
        while peers.commit_of(server.port) != commit:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def wait_for_commit(service: Service, commit: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while service.locate("192.0.2.1").headers["x-location-policy-commit"] != commit:
        assert time.monotonic() < deadline
        time.sleep(0.002)


def settled(service: Service) -> float:
    """Megabytes that the service holds by itself, a moment after what it did last."""
    time.sleep(1.0)
    text = read(Path(f"/proc/{service.process.pid}/smaps_rollup"))
    kibibytes = sum(int(line.split()[1]) for line in text.split("\n") if line.startswith("Pss:"))
    return kibibytes / 1024


def p99(found: list[float]) -> float:
    return quantiles(found, n=100)[98]
