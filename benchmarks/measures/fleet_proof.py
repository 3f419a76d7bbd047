"""What becomes of calls and commits while parts of a fleet are restarted, killed, cut off or wrong.

    python benchmarks/measures/fleet_proof.py [--seconds 10] [--away 60] [--pushes 30] [--only WORD]

A forge (nginx and git http-backend behind TLS), an upstream, three replicas and HAProxy, all real processes on
loopback, asked 200 times a second. For each thing that happens: the calls, those that failed, the slowest, and the
answers that were wrong, by the journal of the upstream: from a commit that was not in force there, or back to an older
one where it did not go back. Then how long it takes from a webhook until the upstream, and the last replica, answer
from a commit. `--only`: what has this word in its name. Full disks need a user who may mount.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import quantiles

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.support.service import basic
from tests.system.deploy import scenarios
from tests.system.deploy.fleet import FAKETIME, NAMES, Fleet, Member, Site, running_fleet
from tests.system.deploy.load import loaded
from tests.system.deploy.scenarios import Maps, Scenario
from tests.system.deploy.test_proxies import ASKED
from tests.system.faults.test_state_directory import small_disk

LOOK = 0.02
"""Seconds between two questions to one service."""
APART = 1.1
"""Seconds between two pushes: webhooks closer together share a look."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--away", type=float, default=60.0)
    parser.add_argument("--pushes", type=int, default=30)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    print(f"{'what happens':<28}{'retries':<9}{'seconds':>8}{'calls':>8}{'failed':>8}{'wrong':>7}{'slowest':>10}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        disk = stack.enter_context(small_disk(folder / "disk", kilobytes=1024))
        for number, (site, all_of) in enumerate(_rounds(asked.seconds, asked.away, asked.pushes, disk)):
            wanted = {name: one for name, one in all_of.items() if asked.only in name}
            if wanted:
                (folder / str(number)).mkdir()
                with running_fleet(folder / str(number), site) as fleet:
                    for name, one in wanted.items():
                        _tell(fleet, site, name, one, asked.seconds)


def _rounds(seconds: float, away: float, pushes: int, disk: Path) -> list[tuple[Site, dict[str, Scenario]]]:
    """What happens to one fleet after the other."""
    shipped = Site()
    no_retries = replace(shipped, has_retries=False)
    wrong_clocks = {"one": "+10m", "three": "-10m"} if FAKETIME else {}
    planned: dict[str, Scenario] = {
        "restart of the replicas": scenarios.restart_of_replicas,
        "restart of the upstream": scenarios.restart_of_the_upstream,
    }
    lost: dict[str, Scenario] = {
        "killed replica": scenarios.killed_replica,
        "killed upstream": scenarios.killed_upstream,
        "forge away": partial(scenarios.forge_away, seconds=seconds),
        f"upstream away for {away:g} s": partial(scenarios.upstream_away, seconds=away),
        "bad commit": scenarios.bad_commit,
        "good commit": scenarios.good_commit,
        "rewritten history": scenarios.rewritten_history,
        "pin and its end": scenarios.pin_and_its_end,
        f"{pushes} pushes": partial(_pushes, number=pushes),
    }
    odd: dict[str, Scenario] = {"full disk": scenarios.full_disk, "clocks 10 minutes off": _all_of_commits}
    killed: dict[str, Scenario] = {"killed replica": scenarios.killed_replica}
    off = replace(shipped, clocks=wrong_clocks, disks={"two": disk})
    return [(no_retries, planned), (shipped, lost), (off, odd), (no_retries, killed)]


def _all_of_commits(fleet: Fleet) -> None:
    for scenario in (scenarios.bad_commit, scenarios.pin_and_its_end, scenarios.killed_upstream):
        scenario(fleet)


def _tell(fleet: Fleet, site: Site, name: str, scenario: Callable[[Fleet], None], seconds: float) -> None:
    """A line of the table; the calls go on for so many seconds at least."""
    began = time.monotonic()
    with loaded(fleet.proxy) as load:
        scenario(fleet)
        time.sleep(max(0.0, began + seconds - time.monotonic()))
    took, wrong = time.monotonic() - began, fleet.wrong_answers(load)
    slowest = max(call.ended - call.began for call in load.calls)
    retries = "shipped" if site.has_retries else "none"
    counts = f"{took:>8.0f}{len(load.calls):>8,}{len(load.failed):>8,}{len(wrong):>7,}{slowest * 1000:>7.0f} ms"
    print(f"{name:<28}{retries:<9}{counts}", flush=True)
    for what in [*wrong[:3], *({call.outcome for call in load.failed})]:
        print(f"    {what}")


def _pushes(fleet: Fleet, number: int) -> None:
    """The time from each webhook to the answers."""
    upstream, last, between = [], [], []
    for _ in range(number):
        time.sleep(APART)
        times: dict[str, float] = {}
        began = time.monotonic()
        commit = fleet.push(Maps.next())
        members = [fleet.upstream, *fleet.replicas.values()]
        threads = [threading.Thread(target=_wait_for, args=(one, commit, began, times)) for one in members]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        upstream.append(times["upstream"])
        last.append(max(times[name] for name in NAMES))
        between.append(last[-1] - upstream[-1])
    for what, seconds in (
        ("webhook to upstream", upstream),
        ("webhook to last replica", last),
        ("upstream to last replica", between),
    ):
        cuts = quantiles(seconds, n=20, method="inclusive")
        print(f"    {what}: p50 {cuts[9]:.2f} s, p95 {cuts[18]:.2f} s, longest {max(seconds):.2f} s")


def _wait_for(member: Member, commit: str, began: float, times: dict[str, float]) -> None:
    connection = member.service.connection()
    while True:
        connection.request("GET", ASKED, headers=basic(member.service.login))
        response = connection.getresponse()
        response.read()
        if response.getheader("X-Location-Policy-Commit") == commit:
            times[member.name] = time.monotonic() - began
            connection.close()
            return
        time.sleep(LOOK)


if __name__ == "__main__":
    main()
