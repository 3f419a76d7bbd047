"""How long a commit takes from an upstream to the replicas that follow it.

    python benchmarks/measures/replicas.py [--replicas 3] [--pushes 30] [--rows 10000]

An upstream that owns its repository and so many replicas, all real processes on loopback. For each commit it is told
how many seconds after the ref was moved the upstream answers from it, and the last of the replicas; and what of that
the replicas took.
"""

from __future__ import annotations

import argparse
import http.client
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.support.maps import many_rows
from tests.support.repositories import force_commit, git, make_repository
from tests.support.service import Service, running_service, started_service

TARGET = "/policy/v1/participant/location?protocol=mssip&ms-subnet=192.0.2.1"
LOOK = 0.005
"""Seconds between two questions to one service."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--pushes", type=int, default=30)
    parser.add_argument("--rows", type=int, default=10_000)
    arguments = parser.parse_args()
    rows = many_rows(arguments.rows)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        repository = make_repository(folder / "upstream/map.git", {"locations.csv": rows})
        services = [stack.enter_context(running_service(repository))]
        for number in range(arguments.replicas):
            place = folder / str(number)
            place.mkdir()
            url = f"{services[0].url}/locations.git"
            services.append(stack.enter_context(started_service("--repo", url, cwd=place)))
        first = git("rev-parse", "HEAD", cwd=repository)
        for service in services:
            service.wait_for("in-sync", first)
        time.sleep(2)  # by then all wait
        took = [_roll_out(services, repository, rows, number) for number in range(arguments.pushes)]
        _tell("the upstream", [times[0] for times in took])
        _tell("the last replica", [max(times[1:]) for times in took])
        _tell("after the upstream", [max(times[1:]) - times[0] for times in took])


def _roll_out(services: list[Service], repository: Path, rows: str, number: int) -> list[float]:
    """The seconds until each service answers from a new commit."""
    git("update-ref", "refs/heads/next", "refs/heads/main", cwd=repository)
    new = force_commit(repository, {"locations.csv": f"{rows}Perth-{number},192.0.2.0/24\n"}, "refs/heads/next")
    times = [0.0] * len(services)
    began = time.monotonic()
    git("update-ref", "refs/heads/main", new, cwd=repository)
    threads = [
        threading.Thread(target=_wait_for, args=(service, new, began, times, at)) for at, service in enumerate(services)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(1)  # by then all wait again
    return times


def _wait_for(service: Service, commit: str, began: float, times: list[float], at: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    while True:
        connection.request("GET", TARGET)
        response = connection.getresponse()
        response.read()
        if response.getheader("X-Location-Policy-Commit") == commit:
            times[at] = time.monotonic() - began
            connection.close()
            return
        time.sleep(LOOK)


def _tell(what: str, seconds: list[float]) -> None:
    cuts = quantiles(seconds, n=20, method="inclusive")
    print(f"{what}: p50 {cuts[9]:.2f} s, p95 {cuts[18]:.2f} s, longest {max(seconds):.2f} s")


if __name__ == "__main__":
    main()
