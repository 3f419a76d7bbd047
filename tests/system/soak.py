"""Thousands of roll-outs into one running service: does anything grow?

    python tests/system/soak.py [--rollouts 10000] [--rows 1000] [--minutes 120]

Each roll-out moves the served ref by `git update-ref` to a commit with one changed row, and waits until the policy API
answers from it. What the service holds is printed at the start (after the first hundredth, when its memory has
settled), on the way and at the end; the exit status is 1 when file handles, threads or children grew, or memory by over
a tenth.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.support.program import AS_INSTALLED
from tests.support.repositories import init
from tests.support.rollouts import Held, chain, held_at_rest, roll_out
from tests.support.service import Service, running_service


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=120)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        repository = init(Path(name, "locations.git"), "--empty")
        commits = chain(repository, arguments.rollouts, arguments.rows)
        subprocess.run(["git", "update-ref", "refs/heads/main", commits[0]], cwd=repository, check=True)
        with running_service(repository, program=AS_INSTALLED) as service:
            return soak(service, repository, commits[1:], 60 * arguments.minutes)


def soak(service: Service, repository: Path, commits: list[str], seconds: float) -> int:
    print("roll-outs  memory KiB  files  threads  children  median s  slowest s")
    began, times = time.monotonic(), []
    shown = {max(1, len(commits) * part // 100) for part in (1, 10, 25, 50, 75, 100)}
    measures: list[Held] = []
    for number, taken in enumerate(roll_out(service, repository, commits), 1):
        times.append(taken)
        is_over = time.monotonic() > began + seconds
        if number in shown or is_over:
            measures.append(show(service, number, times))
        if is_over:
            print(f"the time is over after {number} of {len(commits)} roll-outs")
            break
    first, last = measures[0], measures[-1]
    has_grown = any(after > before for before, after in zip(first[1:], last[1:], strict=True))
    return int(has_grown or last.rss > 1.1 * first.rss)


def show(service: Service, number: int, times: list[float]) -> Held:
    now = held_at_rest(service)
    print(f"{number:9} {now.rss:11} {now.files:6} {now.threads:8} {now.children:9}", end="")
    print(f"{median(times):10.3f} {max(times):10.3f}", flush=True)
    return now


if __name__ == "__main__":
    sys.exit(main())
