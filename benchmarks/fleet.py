"""What a fleet of any size takes: of the forge, of the upstream and of mirrors, and how long until all have a commit.

    python -m benchmarks.fleet [--replicas 3,30,1000,10000] [--fan-out 50] [--rows 10000] [--pushes 20]

First it measures what one follower takes: a forge (nginx and git http-backend behind TLS), an upstream and one replica,
all real processes on loopback, for so many pushes of one row. From these figures it works out the rest. No service is
followed by more than `--fan-out` others: mirrors stand between, in as many levels as that takes. It reckons with one
core for each service, and with followers that all want to fetch in the same moment.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from math import ceil
from pathlib import Path
from statistics import median
from typing import NamedTuple

from location_policy.cli.service.options import ServeOptions
from location_policy.repository.remote.credentials import RemoteAccess
from location_policy.repository.remote.fetch import RemoteGit, talking
from location_policy.repository.remote.partial_clone import PartialClone
from location_policy.rollout.upstream.wait import WAIT
from tests.forge.servers import HttpsForge, https_forge
from tests.forge.test_webhook import knock
from tests.support.access import Pki
from tests.support.maps import many_rows
from tests.support.repositories import force_commit, git, make_repository
from tests.support.service import basic, wait_until
from tests.system.deploy.fleet import Member, Site, replica_of, upstream_of

INTERVAL = ServeOptions().fetch_interval
"""Seconds between two looks at a remote that is no service."""
QUESTIONS, FETCHES = 1_000, 20
"""Of which the cost of one is found."""


class Figures(NamedTuple):
    """What one takes; seconds, bytes and requests. `cpu` is that of a process and of all that it has started."""

    forge_looks: float
    """Requests to the forge for a look at it that finds nothing."""
    forge_requests: float
    """And for a commit."""
    forge_bytes: float
    in_force: float
    """From webhook to answer, at the upstream."""
    hop: float
    """From there to the answer of a replica."""
    fetch_bytes: float
    fetch_cpu: float
    """Of the one that is followed, for each follower and commit."""
    load_cpu: float
    """Of the follower, for a commit."""
    wait_cpu: float
    """Of the one that is followed, for each wait."""


class Relay:
    """A way to a port of this machine on which bytes are counted, both ways."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.count = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            near = self._listener.accept()[0]
            far = socket.create_connection(("127.0.0.1", self._to))
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._hand_on, args=(one, other), daemon=True).start()

    def _hand_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while piece := one.recv(65_536):
                self.count += len(piece)
                other.sendall(piece)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicas", default="3,30,1000,10000")
    parser.add_argument("--fan-out", type=int, default=50)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--pushes", type=int, default=20)
    asked = parser.parse_args()
    if asked.fan_out < 2:
        parser.error("--fan-out: at least 2")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {asked.rows:,} rows", flush=True)
    figures = measured(asked.rows, asked.pushes)
    for line in (*told(figures), "", *table(figures, [int(one) for one in asked.replicas.split(",")], asked.fan_out)):
        print(line)


# --- measured ---


def measured(rows: int, pushes: int) -> Figures:
    """What one upstream and one replica take."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "root").mkdir()
        text = many_rows(rows)
        repository = make_repository(folder / "root/locations.git", {"locations.csv": text})
        git("config", "uploadpack.allowFilter", "true", cwd=repository)  # as forges have it
        forge = stack.enter_context(https_forge(folder / "forge", folder / "root"))
        upstream = upstream_of(forge, folder, Pki(folder / "pki"))
        replica = replica_of(upstream, folder, Site(), "one")
        for member in (upstream, replica):
            stack.callback(member.close)
            member.start()
        wait_until(lambda: upstream.service.status()["followers"]["at_tip"] == 1)
        looks = _looks(forge, upstream)
        in_force, hop, load_cpu, forge_requests, forge_bytes = _pushed(forge, upstream, replica, text, pushes)
        fetch_bytes, fetch_cpu = _fetched(forge, upstream, replica, folder, text)
        wait_cpu = _waited(upstream)
    return Figures(looks, forge_requests, forge_bytes, in_force, hop, fetch_bytes, fetch_cpu, load_cpu, wait_cpu)


def _looks(forge: HttpsForge, upstream: Member) -> float:
    """Requests of a look that finds nothing."""
    found = []
    for _ in range(3):  # one of the interval may come between
        time.sleep(2.0)
        before = len(_requests(forge))
        upstream.service.process.send_signal(signal.SIGHUP)
        time.sleep(2.0)
        found.append(len(_requests(forge)) - before)
    return min(found)


def _pushed(forge: HttpsForge, upstream: Member, replica: Member, text: str, pushes: int) -> list[float]:
    """The first of `Figures` that commits tell: seconds to the upstream and from there, CPU, requests and bytes."""
    in_force, hops = list[float](), list[float]()
    before, cpu = len(_requests(forge)), _cpu(replica)
    for number in range(pushes):
        commit = _commit(forge, text, number)
        began = time.monotonic()
        knock(upstream.service)
        in_force.append(_answers(upstream, commit) - began)
        hops.append(_answers(replica, commit) - began - in_force[-1])
        time.sleep(max(0.0, began + 1.1 - time.monotonic()))  # webhooks closer together share a look
    found = _requests(forge)[before:]
    spent = _cpu(replica) - cpu
    return [median(in_force), median(hops), spent / pushes, len(found) / pushes, sum(found) / pushes]


def _fetched(forge: HttpsForge, upstream: Member, replica: Member, folder: Path, text: str) -> tuple[float, float]:
    """Bytes, and CPU of who is followed, for a fetch of a commit after one that is there, as a replica makes it."""
    relay = Relay(upstream.port)
    url = f"https://127.0.0.1:{relay.port}/locations.git"
    login = folder / "relay-credentials"
    login.write_text((folder / "credentials").read_text().replace(f":{upstream.port}", f":{relay.port}"))
    login.chmod(0o600)
    assert upstream.pki
    access = RemoteAccess(credentials=login, ca=upstream.pki.ca_file)
    environment = {**talking(60.0), **access.environment(url, {})}
    (copy,) = replica.state.glob("mirror-*.git")
    clones = []
    for number in range(FETCHES):
        shutil.copytree(copy, folder / f"clone-{number}.git")
        clones.append(PartialClone(RemoteGit(60.0, 60.0), folder / f"clone-{number}.git", url, {}))
        clones[-1].make()
    commit = _commit(forge, text, -1)
    knock(upstream.service)
    _answers(replica, commit)
    time.sleep(1.0)
    before = _cpu(upstream)
    for clone in clones:
        clone.fetch("main", environment, commit_id=commit, is_next=True)
    time.sleep(0.2)
    return relay.count / FETCHES, (_cpu(upstream) - before) / FETCHES


def _waited(upstream: Member) -> float:
    """CPU of who is followed for a wait: what one question costs that is answered at once."""
    connection = upstream.service.connection()
    headers = {**basic(upstream.service.login), "X-Location-Policy-Name": "two", "X-Location-Policy-State": "in-sync"}
    before = _cpu(upstream)
    for _ in range(QUESTIONS):
        connection.request("GET", "/locations.git/tip", headers=headers)
        connection.getresponse().read()
    connection.close()
    return (_cpu(upstream) - before) / QUESTIONS


def _commit(forge: HttpsForge, text: str, number: int) -> str:
    return force_commit(forge.root / "locations.git", {"locations.csv": f"{text}Perth-{number},192.0.2.0/24\n"})


def _answers(member: Member, commit: str) -> float:
    """When it answers from a commit, by the monotonic clock."""
    wait_until(lambda: member.answers_from() == commit, member.log)
    return time.monotonic()


def _requests(forge: HttpsForge) -> list[int]:
    """The bytes of each answer, by the log of nginx."""
    return [int(line.split('"')[2].split()[1]) for line in (forge.folder / "access.log").read_text().splitlines()]


def _cpu(member: Member) -> float:
    """Seconds of a process, and of those that it has started and that have ended."""
    fields = Path(f"/proc/{member.service.process.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


# --- worked out ---


def levels(replicas: int, fan_out: int) -> list[int]:
    """How many services there are on each level, from those that follow the upstream to the replicas."""
    found = [replicas]
    while found[0] > fan_out:
        found.insert(0, ceil(found[0] / fan_out))
    return found


def told(figures: Figures) -> Iterator[str]:
    """What was measured."""
    yield f"webhook to answer at the upstream {figures.in_force:.2f} s; from there to a replica {figures.hop:.2f} s"
    yield f"the forge: a look {figures.forge_looks:.0f} requests, a commit {figures.forge_requests:.0f} requests and"
    yield f"  {figures.forge_bytes / 1e3:.1f} kB"
    served = f"{figures.fetch_cpu * 1e3:.0f} ms of CPU where it is served"
    yield f"a fetch: {figures.fetch_bytes / 1e3:.1f} kB with TLS, {served}"
    yield f"a wait: {figures.wait_cpu * 1e3:.2f} ms of CPU; a commit at a replica: {figures.load_cpu * 1e3:.0f} ms"


def table(figures: Figures, sizes: list[int], fan_out: int) -> Iterator[str]:
    """What a fleet of each size takes."""
    look, commit = figures.forge_looks / INTERVAL, figures.forge_requests
    yield f"{'':30}{'':14}{'idle':^26}{'each commit':^46}"
    yield (
        f"{'replicas':>8}  {'mirrors':<12}{'alone: forge, 1/s':>19}{'forge, 1/s':>12}{'busiest CPU':>13}"
        f"{'forge':>8}{'served by one':>15}{'CPU of one':>12}{'all have it':>13}"
    )
    for size in sizes:
        shape = levels(size, fan_out)
        widest = max(ceil(one / above) for above, one in zip([1, *shape], shape, strict=False))
        mirrors = " + ".join(map(str, shape[:-1])) or "none"
        until = figures.in_force + sum(
            figures.hop + (ceil(one / above) - 1) * figures.fetch_cpu
            for above, one in zip([1, *shape], shape, strict=False)
        )
        yield (
            f"{size:>8,}  {mirrors:<12}{size * look:>19.1f}{look:>12.2f}{widest * figures.wait_cpu / WAIT:>13.2%}"
            f"{commit:>8.0f}{widest * figures.fetch_bytes / 1e3:>12.0f} kB{widest * figures.fetch_cpu:>10.2f} s"
            f"{until:>11.1f} s"
        )


if __name__ == "__main__":
    main()
