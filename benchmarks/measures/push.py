"""What a large push over HTTP costs those who ask for policy meanwhile.

    python benchmarks/measures/push.py [--megabytes 100] [--pairs 20] [--rate 200]

Two services are asked at a fixed rate, in turn, over kept connections. Slices in which a pack of that size is pushed to
the first one and slices as long in which none is take turns, so that a busy neighbour meets both; the second service,
without pushes, says what the machine does to any process in the same seconds. The hook refuses each push at its
end, so all are alike. What is sent was packed before, and curl stands back: elsewhere the pusher is another machine.
"""

from __future__ import annotations

import argparse
import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.support.git_http import PUSH, push_body
from tests.support.repositories import GOOD, Clone, clone, init, tip
from tests.support.service import Service, running_service

TARGET = "/policy/v1/participant/location?protocol=mssip&ms-subnet=10.61.2.0"


class Slice(NamedTuple):
    """Milliseconds of the answers of the service that may be pushed to, and of the other one."""

    pushed: list[float]
    other: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--rate", type=int, default=200, help="questions a second")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        Clone(folder / "start").write(GOOD)
        repository = init(folder / "map.git", "--from", folder / "start")
        copy = clone(repository, folder / "copy")
        (copy.path / "large.bin").write_bytes(os.urandom(arguments.megabytes * 1_000_000))
        body = folder / "body"
        body.write_bytes(push_body(copy, tip(repository), copy.commit({"locations/apac.csv": "not a row\n"})))
        shutil.copytree(repository, folder / "other.git")
        with running_service(repository) as pushed, running_service(folder / "other.git") as other:
            services = (pushed, other)
            show([measure(services, body, 1 / arguments.rate) for _ in range(arguments.pairs)])


def measure(services: tuple[Service, Service], body: Path, pause: float) -> tuple[Slice, Slice]:
    """A slice with a push, and one as long without."""
    began = time.monotonic()
    command = ["nice", "curl", "--silent", "--request", "POST", "--upload-file", str(body), "--header", "Expect:"]
    kind = "Content-Type: application/x-git-receive-pack-request"
    with subprocess.Popen([*command, "--header", kind, f"{services[0].url}{PUSH}"], stdout=subprocess.PIPE) as push:
        during = ask_while(services, pause, lambda: push.poll() is None)
        assert push.stdout
        assert b"pre-receive hook declined" in push.stdout.read()
    end = 2 * time.monotonic() - began
    return during, ask_while(services, pause, lambda: time.monotonic() < end)


def ask_while(services: tuple[Service, Service], pause: float, goes_on: Callable[[], bool]) -> Slice:
    found = Slice([], [])
    with ExitStack() as stack:
        connections = [
            stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)))
            for service in services
        ]
        while goes_on():
            for connection, times in zip(connections, found, strict=True):
                began = time.perf_counter()
                connection.request("GET", TARGET)
                assert connection.getresponse().read()
                times.append((time.perf_counter() - began) * 1000)
            time.sleep(pause)
    return found


def show(pairs: list[tuple[Slice, Slice]]) -> None:
    kinds = {
        "during a push": [during.pushed for during, _ in pairs],
        "without": [without.pushed for _, without in pairs],
        "other service, during": [during.other for during, _ in pairs],
        "other service, without": [without.other for _, without in pairs],
    }
    for name, chunks in kinds.items():
        times = [one for found in chunks for one in found]
        print(f"{name:22} {len(times):6} answers   p50 {median(times):6.2f} ms   p99 {p99(times):7.2f} ms")
    show_ratio("during / without", [p99(during.pushed) / p99(without.pushed) for during, without in pairs])
    show_ratio("during / other service, same seconds", [p99(during.pushed) / p99(during.other) for during, _ in pairs])
    show_ratio("without / other service, same seconds", [p99(calm.pushed) / p99(calm.other) for _, calm in pairs])


def show_ratio(name: str, ratios: list[float]) -> None:
    low, middle, high = quantiles(ratios, n=4)
    print(f"p99, {name:38} median {middle:.2f}   quarters {low:.2f} to {high:.2f}")


def p99(times: list[float]) -> float:
    return quantiles(times, n=100)[98]


if __name__ == "__main__":
    main()
