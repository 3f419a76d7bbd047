"""What `history` and `history ADDRESS` take: many commits of one changed row each over a large map.

    python benchmarks/measures/history.py [--rows 10000] [--commits 1000] [--files 20] [--turns 5]

Printed are seconds of the whole program: the median with its quartiles.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.measures.hook import ENVIRONMENT, PROGRAM, Map, Site, shown


def took(*arguments: str | Path) -> float:
    """Seconds of one run; its exit status is 1 where an address has had one answer all along."""
    start = time.perf_counter()
    done = subprocess.run([PROGRAM, *arguments], env=ENVIRONMENT, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what the history of a branch takes.")
    for name, default in (("rows", 10_000), ("commits", 1_000), ("files", 20), ("turns", 5)):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default: {default:,}")
    asked = parser.parse_args()
    print(f"{asked.commits:,} commits, {asked.rows:,} rows in {asked.files} file(s)")
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), Map(asked.rows, asked.files), 0)
        site.commit(asked.commits)
        place = ("--repo", site.clone, "--number", str(asked.commits))
        for label, arguments in (("history", place), ("history ADDRESS", ("10.0.7.1", *place))):
            print(f"{label:16}{shown([took('history', *arguments) for _ in range(asked.turns)])} s", flush=True)


if __name__ == "__main__":
    main()
