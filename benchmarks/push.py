"""What a large push over HTTP costs those who ask for policy meanwhile.

    python benchmarks/push.py [--megabytes 100] [--pairs 20] [--rate 200]

One service is asked at a fixed rate over one kept connection; an answer's time begins when its question was due. Slices
in which a pack of that size is pushed and slices as long in which none is take turns, so that a busy neighbour meets
both. The hook refuses each push at its end, so all are alike. What is sent was packed before, and curl stands back:
elsewhere the pusher is another machine.
"""

from __future__ import annotations

import argparse
import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support.git_http import PUSH, push_body
from tests.support.repositories import GOOD, Clone, clone, init, tip
from tests.support.service import Service, running_service

TARGET = "/policy/v1/participant/location?protocol=mssip&ms-subnet=10.61.2.0"


class Pair(NamedTuple):
    """Milliseconds of the answers in a slice with a push, and in the slice without one after it."""

    during: list[float]
    without: list[float]


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
        with running_service(repository) as service:
            show([measure(service, body, 1 / arguments.rate) for _ in range(arguments.pairs)])


def measure(service: Service, body: Path, pause: float) -> Pair:
    began = time.monotonic()
    command = ["nice", "curl", "--silent", "--request", "POST", "--upload-file", str(body), "--header", "Expect:"]
    kind = "Content-Type: application/x-git-receive-pack-request"
    pipe = subprocess.PIPE
    with subprocess.Popen([*command, "--header", kind, f"{service.url}{PUSH}"], stdout=pipe) as push:
        during = ask_while(service, pause, lambda: push.poll() is None)
        assert push.stdout
        assert b"pre-receive hook declined" in push.stdout.read()
    end = 2 * time.monotonic() - began
    return Pair(during, ask_while(service, pause, lambda: time.monotonic() < end))


def ask_while(service: Service, pause: float, goes_on: Callable[[], bool]) -> list[float]:
    found, due = [], time.monotonic()
    with closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)) as connection:
        while goes_on():
            time.sleep(max(0.0, due - time.monotonic()))
            connection.request("GET", TARGET)
            assert connection.getresponse().read()
            found.append((time.monotonic() - due) * 1000)
            due += pause
    return found


def show(pairs: list[Pair]) -> None:
    for name, times in (("during a push", [p.during for p in pairs]), ("without", [p.without for p in pairs])):
        each = [one for found in times for one in found]
        print(f"{name:14} {len(each):6} answers   p50 {median(each):6.2f} ms   p99 {p99(each):7.2f} ms")
    ratios = [p99(pair.during) / p99(pair.without) for pair in pairs]
    low, middle, high = quantiles(ratios, n=4)
    print(f"p99, ratio of pairs: median {middle:.2f}   quarters {low:.2f} to {high:.2f}")


def p99(times: list[float]) -> float:
    return quantiles(times, n=100)[98]


if __name__ == "__main__":
    main()
