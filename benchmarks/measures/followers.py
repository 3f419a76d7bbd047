"""What a thousand followers cost that wait at a service, and how long it takes until all are told of a push.

    python benchmarks/measures/followers.py [--followers 1000] [--fetching 30] [--rounds 5]

Light clients hold a request for the tip each, as followers do. By turns without them and with them: the processor time
and memory of the idle service, and the 99th percentile of a node's requests. Then a push, at which each asks again as
soon as it is told, and some fetch first with the real git.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.support.program import closed_environment
from tests.support.repositories import GOOD, force_commit, git, init_with
from tests.support.service import Service, running_service, wait_until

TARGET = "/policy/v1/participant/location?protocol=mssip&ms-subnet=10.61.2.7"
SECONDS = 5.0
"""Of each turn."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--followers", type=int, default=1_000)
    parser.add_argument("--fetching", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.port:
        asyncio.run(follow(arguments))
        return
    with tempfile.TemporaryDirectory() as name:
        repository = init_with(Path(name), GOOD)
        with running_service(repository) as service:
            service.wait_for("in-sync")
            for number in range(arguments.fetching):
                git(
                    "clone", "--quiet", "--bare", f"{service.url}/locations.git", f"{name}/{number}.git", cwd=Path(name)
                )
            percentile(service, 1.0)
            for _ in range(arguments.rounds):
                turn(service, arguments, Path(name))
            for number in range(arguments.rounds):
                push(service, repository, arguments, Path(name), number)


def turn(service: Service, arguments: argparse.Namespace, folder: Path) -> None:
    """At rest without followers, and with them."""
    before, rest, alone = memory(service), idle(service), percentile(service, SECONDS)
    with followers(service, arguments, folder) as waiting:
        after, held, beside = memory(service), idle(service), percentile(service, SECONDS)
        waiting.kill()
    time.sleep(1.0)
    print(
        f"memory {(after - before) / 1e6:+.1f} MB, {(after - before) / arguments.followers / 1e3:.1f} KB each;"
        f" idle {rest:.2%} of a core, {held:.2%} with {arguments.followers:,} followers;"
        f" p99 {alone:.2f} ms, {beside:.2f} ms: {beside / alone:.2f} times"
    )


def push(service: Service, repository: Path, arguments: argparse.Namespace, folder: Path, number: int) -> None:
    """All are told of one push."""
    with followers(service, arguments, folder) as waiting:
        alone = percentile(service, SECONDS)
        before = processor(service)
        commit = force_commit(repository, {"locations/apac.csv": f"Perth,10.61.{number}.0/24\n"})
        wait_until(lambda: (service.status()["active"] or {}).get("commit") == commit)
        beside = percentile(service, 3.0)
        took = processor(service) - before
        assert waiting.stdout
        told = json.loads(waiting.stdout.readline())
        waiting.kill()
    print(
        f"told of a push: the last {told['last']:.2f} s after the first; {told['fetched']} fetches, the longest"
        f" {told['longest']:.2f} s, failed {told['failed']}; {took:.2f} s of a core;"
        f" p99 {alone:.2f} ms, {beside:.2f} ms meanwhile"
    )


def followers(service: Service, arguments: argparse.Namespace, folder: Path) -> subprocess.Popen[str]:
    """So many in a process of their own, once all wait."""
    words = [sys.executable, __file__, "--port", str(service.port), "--folder", str(folder)]
    words += ["--followers", str(arguments.followers), "--fetching", str(arguments.fetching)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=closed_environment())
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    time.sleep(1.0)
    return process


async def follow(arguments: argparse.Namespace) -> None:
    """Hold a request each; when told, fetch if that is to be done, and ask again."""
    told: list[float] = []
    failed: list[int] = []
    held, done = asyncio.Semaphore(0), asyncio.Semaphore(0)

    async def one(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", arguments.port)
        tag = '"x"'
        for round_ in range(3):
            lines = [
                "GET /locations.git/tip HTTP/1.1",
                "Host: 127.0.0.1",
                f"If-None-Match: {tag}",
                "Prefer: wait=60",
                f"X-Location-Policy-Name: web-{number}",
                "X-Location-Policy-Version: 1.0",
                "X-Location-Policy-State: in-sync",
                f"X-Location-Policy-Commit: {tag[1:-1]}",
                f"Via: 1.1 location-policy-{number:016x}",
            ]
            writer.write("\r\n".join([*lines, "", ""]).encode())
            if round_ == 1:
                held.release()
            head = await reader.readuntil(b"\r\n\r\n")
            fields = dict(line.partition(b": ")[::2] for line in head.splitlines()[1:])
            await reader.readexactly(int(fields.get(b"content-length", b"0")))
            tag = fields[b"etag"].decode()
            if round_ == 1:
                told.append(time.monotonic())
                done.release()
                if number < arguments.fetching:
                    failed.append(await fetch(number))

    async def fetch(number: int) -> int:
        began = time.monotonic()
        words = ["git", "fetch", "--quiet", "origin", "main"]
        place = arguments.folder / f"{number}.git"
        process = await asyncio.create_subprocess_exec(*words, cwd=place, env=closed_environment())
        status = await process.wait()
        took.append(time.monotonic() - began)
        done.release()
        return int(status != 0)

    took: list[float] = []
    tasks = [asyncio.ensure_future(one(number)) for number in range(arguments.followers)]
    for _ in tasks:
        await held.acquire()
    print("ready", flush=True)
    for _ in range(arguments.followers + arguments.fetching):
        await done.acquire()
    outcome: dict[str, Any] = {"last": max(told) - min(told), "fetched": len(took), "failed": sum(failed)}
    print(json.dumps(outcome | {"longest": max(took, default=0.0)}), flush=True)
    await asyncio.sleep(60)


def memory(service: Service) -> int:
    """Bytes of memory that are the process's own."""
    text = Path(f"/proc/{service.process.pid}/smaps_rollup").read_text()
    return 1024 * sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))


def idle(service: Service) -> float:
    """The share of a core that it takes while nobody asks."""

    before = processor(service)
    time.sleep(SECONDS)
    return (processor(service) - before) / SECONDS


def processor(service: Service) -> float:
    """The seconds of a core that it has taken."""
    fields = Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentile(service: Service, seconds: float) -> float:
    """The 99th percentile of a node's requests, in milliseconds, of some two hundred a second."""
    connection, took = http.client.HTTPConnection("127.0.0.1", service.port), []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        connection.request("GET", TARGET)
        connection.getresponse().read()
        took.append(time.monotonic() - began)
        time.sleep(0.004)
    return sorted(took)[int(len(took) * 0.99)] * 1000


if __name__ == "__main__":
    main()
