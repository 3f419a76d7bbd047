"""How long pages take, and how much longer nodes wait meanwhile.

    python benchmarks/measures/pages.py [--rows 100000] [--turns 30]

A service of its own with a random map. Pages are asked for one after the other over a connection that stays open. Then
a node asks, two hundred times a second, in turns of a second: alone; while another process loads pages in a loop; and
while it loads those of another service, which takes as much of the machine and nothing of this service. The turns
alternate, so that a busy neighbour meets all. Each gives a ratio of its p99 to that alone, and the median of these is
told. With Chromium, the first paint of the map too, as the browser measures it.
"""

from __future__ import annotations

import argparse
import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.support.maps import random_rows
from tests.support.repositories import make_repository
from tests.support.service import running_service

TARGETS = (
    "/",
    "/map",
    "/map?q=10.61.2.7",
    "/map?q=oslo",
    "/map?sort=location&order=desc",
    "/picture",
    "/lookup?address=10.61.2.7",
    "/history",
)
NODE = "/policy/v1/participant/location?protocol=mssip&ms-subnet=10.61.2.7"
PACE = 0.005
"""Seconds between two requests of the node."""
LOADER = """
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60)
while True:
    for target in sys.argv[2:]:
        connection.request("GET", target)
        connection.getresponse().read()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=30, help="of each kind")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        repository = make_repository(Path(folder) / "locations.git", {"locations.csv": random_rows(arguments.rows)})
        with running_service(repository) as service:
            connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
            for target in TARGETS:
                times = [timed(connection, target) * 1000 for _ in range(21)]
                print(f"{median(times[1:]):8.1f} ms, first {times[0]:.1f} ms  {target}")
            print_paint(service.url)
            with running_service(repository, "--state-dir", Path(folder) / "other") as other:
                print_nodes([service.port, other.port], arguments.turns)


def timed(connection: http.client.HTTPConnection, target: str) -> float:
    """Seconds until an answer is there whole."""
    began = time.perf_counter()
    connection.request("GET", target)
    connection.getresponse().read()
    return time.perf_counter() - began


def print_paint(url: str) -> None:
    """When the map is first seen, and when nothing of it is missing."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("no chromium: the first paint is not measured")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"] * (os.getuid() == 0))
        times = []
        for _ in range(9):
            page = browser.new_page()
            page.goto(f"{url}/map")
            page.locator(".icicle").wait_for()
            page.wait_for_function("performance.getEntriesByType('paint').length")
            times.append(page.evaluate("performance.getEntriesByType('paint').map(entry => entry.startTime)[0]"))
            page.close()
        browser.close()
    print(f"{median(times):8.1f} ms, worst {max(times):.1f} ms  first paint of /map in Chromium")


def print_nodes(ports: list[int], turns: int) -> None:
    """How long a node waits: alone, beside pages, and beside as much work elsewhere, that of another service."""
    connection = http.client.HTTPConnection("127.0.0.1", ports[0], timeout=60)
    loaders = [subprocess.Popen([sys.executable, "-c", LOADER, str(port), *TARGETS]) for port in ports]
    for one in loaders:
        one.send_signal(signal.SIGSTOP)
    found: dict[str, list[list[float]]] = {"alone": [], "beside pages": [], "beside those of another service": []}
    for _ in range(turns):
        for name, loader in zip(found, (None, *loaders), strict=True):
            if loader:
                loader.send_signal(signal.SIGCONT)
            found[name].append(turn(connection))
            if loader:
                loader.send_signal(signal.SIGSTOP)
            time.sleep(0.2)
    for one in loaders:
        one.kill()
        one.wait()
    print_waits(found)


def print_waits(found: dict[str, list[list[float]]]) -> None:
    """What a node waited in these turns, and how many times as long as in those of `alone` beside which each stood."""
    for name, turns_ in found.items():
        every = [seconds for times in turns_ for seconds in times]
        ratios = [p99(times) / p99(alone) for times, alone in zip(turns_, found["alone"], strict=True)]
        low, middle, high = quantiles(ratios, n=4)
        told = f"{middle:.2f} times that alone (quartiles {low:.2f} and {high:.2f})"
        print(f"a node {name}: median {median(every) * 1000:.2f} ms, p99 {p99(every) * 1000:.2f} ms, {told}")


def p99(times: list[float]) -> float:
    """What all but one of a hundred stay below."""
    return quantiles(times, n=100)[98]


def turn(connection: http.client.HTTPConnection) -> list[float]:
    """The times of a second's requests."""
    times = []
    due = time.perf_counter()
    for _ in range(int(1 / PACE)):
        times.append(timed(connection, NODE))
        due += PACE
        time.sleep(max(0.0, due - time.perf_counter()))
    return times


if __name__ == "__main__":
    main()
