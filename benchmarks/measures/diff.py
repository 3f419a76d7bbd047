"""What `location-policy diff` takes: rows against rows, of which few or many have changed.

    python benchmarks/measures/diff.py [--rows 100000] [--changed 0,1,100,10000,100000] [--turns 5] [--prefixes FILE]

A repository gets one commit with the map, and one more for each number of changed rows, which go to other locations;
`FILE` holds networks, one a line, of which the first so many are taken. Printed are seconds, medians with their
quartiles: of the whole command (`--format json`) by the clock and of the processor, and those of the processor that the
comparison itself takes. On a busy machine only the processor's say much.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles

from location_policy.config.files import File
from location_policy.config.validate import Validator
from location_policy.plan.plan import make_plan

PROGRAM = Path(sys.executable).with_name("location-policy")
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
}
NAMES = ("Sydney", "Melbourne", "Singapore", "Frankfurt", "Amsterdam", "Oslo")
FILES = 20


def networks(number: int, prefixes: Path | None) -> list[str]:
    if prefixes is None:
        return [f"{10 + (i >> 16)}.{i >> 8 & 255}.{i & 255}.0/24" for i in range(number)]
    with gzip.open(prefixes, "rt") if prefixes.suffix == ".gz" else prefixes.open() as file:
        return [line.strip() for line, _ in zip(file, range(number), strict=False)]


def contents(rows: Sequence[str]) -> dict[str, bytes]:
    """The rows in several files."""
    size = -(-len(rows) // FILES)
    parts = (rows[at : at + size] for at in range(0, len(rows), size))
    return {f"locations/region-{number:02}.csv": "\n".join([*part, ""]).encode() for number, part in enumerate(parts)}


def changed(rows: Sequence[str], number: int) -> list[str]:
    """The same rows, of which so many go elsewhere."""
    lines = list(rows)
    for line in random.sample(range(len(rows)), number):
        lines[line] = f"Perth,{lines[line]}"
    return lines


def commit(repository: Path, branch: str, files: dict[str, bytes]) -> None:
    stream = [b"commit refs/heads/%s\ncommitter b <b> 1700000000 +0000\ndata 1\n.\n" % branch.encode()]
    stream += [b"M 100644 inline %s\ndata %d\n%b\n" % (path.encode(), len(text), text) for path, text in files.items()]
    subprocess.run(
        ["git", "fast-import", "--quiet"], cwd=repository, input=b"".join(stream), env=ENVIRONMENT, check=True
    )


def ask(repository: Path, branch: str) -> tuple[float, float, int]:
    """Seconds of the whole command by the clock and of the processor, and how many ranges it tells."""
    command: list[str | Path] = [PROGRAM, "diff", "old", branch, "--repo", repository, "--format", "json"]
    start, used = time.perf_counter(), used_by_children()
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=True)
    return time.perf_counter() - start, used_by_children() - used, len(json.loads(done.stdout)["ranges"])


def used_by_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def compare(old: dict[str, bytes], new: dict[str, bytes], turns: int) -> list[float]:
    """Seconds of the comparison alone, of two maps that one gate has read; the collector rests, as it does there."""
    validator, took = Validator(), []
    before, after = (
        validator.load_map([File(path, "file", len(text), str(hash(text)), text) for path, text in files.items()])
        for files in (old, new)
    )
    for _ in range(turns):
        gc.collect()
        gc.disable()
        start = time.process_time()
        make_plan(before, after)
        took.append(time.process_time() - start)
        gc.enable()
    return took


def shown(values: Sequence[float]) -> str:
    low, middle, high = quantiles(values, n=4) if len(values) > 1 else list(values) * 3
    return f"{middle:7.3f} ({low:.3f}-{high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--changed", default="0,1,100,10000,100000")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--prefixes", type=Path)
    asked = parser.parse_args()
    random.seed(4)
    rows = [f"{','.join(random.sample(NAMES, 2))},{network}" for network in networks(asked.rows, asked.prefixes)]
    with tempfile.TemporaryDirectory() as name:
        repository = Path(name)
        subprocess.run(["git", "init", "--quiet", "--bare", repository], env=ENVIRONMENT, check=True)
        old = contents(rows)
        commit(repository, "old", old)
        print(f"{len(rows):,} rows against as many, seconds of {asked.turns} turns: clock; processor; the comparison")
        for number in map(int, asked.changed.split(",")):
            new = contents(changed(rows, number))
            commit(repository, f"new-{number}", new)
            asks = [ask(repository, f"new-{number}") for _ in range(asked.turns)]
            clock, processor, ranges = zip(*asks, strict=True)
            times = "; ".join(map(shown, (clock, processor, compare(old, new, asked.turns))))
            print(f"{number:9,} changed, {ranges[0]:7,} ranges: {times}", flush=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"largest process of the command: {peak:,.0f} MiB")


if __name__ == "__main__":
    main()
