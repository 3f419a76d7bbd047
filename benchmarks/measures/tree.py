"""How long a commit takes through a tree of services, and how soon those behind a mirror have it that was killed.

    python benchmarks/measures/tree.py [--pushes 20] [--away 20] [--rows 1000]

An upstream that owns its repository, two mirrors, and two replicas behind each: seven real processes on loopback. Then
a mirror is killed, a commit is pushed meanwhile, and the mirror begins anew: from when it has the commit itself, so
long it takes until its replicas have it too, and until the upstream knows that all have.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.support.maps import many_rows
from tests.support.repositories import force_commit, git, make_repository
from tests.support.service import Service, running_service, started_service, wait_until

TARGET = "/policy/v1/participant/location?protocol=mssip&ms-subnet=192.0.2.1"
MIRRORS = ("perth", "oslo")
BEHIND = 2
"""Replicas behind each mirror."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pushes", type=int, default=20)
    parser.add_argument("--away", type=float, default=20.0)
    parser.add_argument("--rows", type=int, default=1_000)
    asked = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    rows = many_rows(asked.rows)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        repository = make_repository(folder / "upstream/map.git", {"locations.csv": rows})
        upstream = stack.enter_context(running_service(repository))
        mirrors = {name: _follow(stack, upstream, folder, name) for name in MIRRORS}
        leaves = {
            f"{name}-{number}": _follow(stack, mirror, folder, f"{name}-{number}")
            for name, mirror in mirrors.items()
            for number in range(BEHIND)
        }
        wait_until(lambda: _at_tip(upstream) == len(mirrors) + len(leaves), upstream.status)
        took = [_push(repository, rows, number, [*leaves.values()]) for number in range(asked.pushes)]
        cuts = quantiles(took, n=20, method="inclusive")
        print(f"the last of {len(leaves)}: p50 {cuts[9]:.2f} s, p95 {cuts[18]:.2f} s, longest {max(took):.2f} s")

        gone = mirrors[MIRRORS[1]]
        gone.process.kill()
        gone.process.wait()
        new = _commit(repository, rows, -1)
        time.sleep(asked.away)
        back = _follow(stack, upstream, folder, MIRRORS[1], "--port", str(gone.port))
        _wait_for([back], new)
        began = time.monotonic()
        _wait_for([leaves[f"{MIRRORS[1]}-{number}"] for number in range(BEHIND)], new)
        print(f"behind a mirror that was away for {asked.away:g} s: {time.monotonic() - began:.2f} s after it")
        wait_until(lambda: _at_tip(upstream) == len(mirrors) + len(leaves), upstream.status)
        print(f"known at the upstream: {time.monotonic() - began:.2f} s after it")


def _follow(stack: ExitStack, above: Service, folder: Path, name: str, *more: str) -> Service:
    (folder / name).mkdir(exist_ok=True)
    words = ("--repo", f"{above.url}/locations.git", "--name", name, *more)
    return stack.enter_context(started_service(*words, cwd=folder / name))


def _at_tip(upstream: Service) -> int:
    return int(upstream.status()["followers"]["at_tip"])


def _commit(repository: Path, rows: str, number: int) -> str:
    """The id of a new one at the branch."""
    git("update-ref", "refs/heads/next", "refs/heads/main", cwd=repository)
    new = force_commit(repository, {"locations.csv": f"{rows}Perth-{number},192.0.2.0/24\n"}, "refs/heads/next")
    git("update-ref", "refs/heads/main", new, cwd=repository)
    return new


def _push(repository: Path, rows: str, number: int, leaves: list[Service]) -> float:
    """The seconds until all of these answer from a new commit."""
    began = time.monotonic()
    _wait_for(leaves, _commit(repository, rows, number))
    took = time.monotonic() - began
    time.sleep(1.0)  # by then all wait again
    return took


def _wait_for(services: list[Service], commit: str) -> None:
    for service in services:
        wait_until(lambda one=service: one.ask(TARGET).headers.get("x-location-policy-commit") == commit)  # type: ignore[misc]


if __name__ == "__main__":
    main()
