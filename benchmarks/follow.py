"""How soon a push is answered from, and what answers cost while a map is loaded.

    python benchmarks/follow.py [--rows 10000] [--pushes 15]

A real service, a real repository with its hook, real pushes of one changed row. `to the answer` is the time from the
moment `git push` returns to the first answer from the new commit, asked for without pause; a negative time is an answer
that came before git had returned. Latencies are those of single requests, each on a connection of its own, with nothing
to load and while a map of this size is loaded again and again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support.maps import many_rows
from tests.support.repositories import Clone, clone, force_commit, init
from tests.support.service import Service, running_service

QUIET = 3.0
"""Seconds for which latencies are taken."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--pushes", type=int, default=15)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        repository = init(Path(name, "locations.git"), "--empty")
        work = clone(repository, Path(name, "work"))
        push(work, arguments.rows, 0)
        with running_service(repository) as service:
            times = [time_push(service, work, arguments.rows, number + 1) for number in range(arguments.pushes)]
            show("git push", [pushed for pushed, _ in times])
            show("to the answer", [answered for _, answered in times])
            show("an answer, nothing to load", latencies(service, lambda: time.sleep(0.1)))
            rows = {"locations.csv": many_rows(arguments.rows)}
            show("an answer, while loading", latencies(service, lambda: load(service, force_commit(repository, rows))))


def push(work: Clone, rows: int, number: int) -> str:
    rows_text = many_rows(rows - 1) + f"Melbourne,192.0.2.{number}/32\n"
    commit = work.commit({"locations.csv": rows_text})
    done = work.push()
    assert done.returncode == 0, done.stderr
    return commit


def time_push(service: Service, work: Clone, rows: int, number: int) -> tuple[float, float]:
    """Seconds that the push took, commit and all, and seconds from its end to the first answer from it."""
    answered: list[float] = []

    def watch() -> None:
        while service.locate(f"192.0.2.{number}").json()["status"] != "success":
            time.sleep(0.002)
        answered.append(time.perf_counter())

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    push(work, rows, number)
    ended = time.perf_counter()
    watcher.join()
    return ended - started, answered[0] - ended


def load(service: Service, commit: str) -> None:
    while service.locate("192.0.2.1").headers["x-location-policy-commit"] != commit:
        time.sleep(0.01)


def latencies(service: Service, meanwhile: Callable[[], None]) -> list[float]:
    """Seconds that answers take while something else goes on."""
    found: list[float] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            started = time.perf_counter()
            service.locate("10.0.0.1")
            found.append(time.perf_counter() - started)

    asker = threading.Thread(target=ask)
    asker.start()
    deadline = time.monotonic() + QUIET
    while time.monotonic() < deadline:
        meanwhile()
    done.set()
    asker.join()
    return found


def show(what: str, seconds: list[float]) -> None:
    cuts = quantiles(seconds, n=100)
    print(
        f"{what:28} median {median(seconds) * 1000:7.1f} ms   quarter {cuts[24] * 1000:7.1f}   "
        f"three quarters {cuts[74] * 1000:7.1f}   longest {max(seconds) * 1000:7.1f}   n {len(seconds)}"
    )


if __name__ == "__main__":
    main()
