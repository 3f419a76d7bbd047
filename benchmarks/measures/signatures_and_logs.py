"""What the metrics, the decision log and a remembered password cost an answer.

    python benchmarks/measures/signatures_and_logs.py [--rounds 80] [--requests 1000]

The policy API alone, called as the server calls it, with a request of real shape (26 parameters). The set-ups take
turns, a slice of requests each, so that a busy neighbour meets all of them. The figures are processor time of the whole
process, with the thread that writes the log; a difference is the median over the pairs of one turn.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import MutableMapping
from contextlib import closing
from pathlib import Path
from statistics import median, quantiles
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from starlette.types import ASGIApp

from location_policy.access.credentials import Credentials
from location_policy.rollout.state import ActiveState
from location_policy.web.edge.guard import Access, Guard
from location_policy.web.edge.policy_api import LOCATION, PolicyApi
from location_policy.web.ops.decision_log import DecisionLog
from location_policy.web.ops.metrics import Metrics, Requests
from tests.support.access import PASSWORD, write_users
from tests.support.maps import snapshot_of

QUERY = (
    b"call_direction=dial_in&protocol=mssip&bandwidth=0&vendor=UCCAPI%2F16.0.7967.5277+OC%2F16.0.7967.2139+%28Skype+for"
    b"+Business%29&encryption=On&registered=False&trigger=invite&remote_display_name=Alice+Jones&remote_alias=sip%3Aalice"
    b"%40example.com&remote_address=10.44.151.5&remote_port=64410&proxy_node_address=&proxy_node_location=&call_tag="
    b"&idp_uuid=&has_authenticated_display_name=False&supports_direct_media=False&teams_tenant_id=&location=London"
    b"&node_ip=10.144.101.21&version_id=35&pseudo_version_id=77683.0.0&service_name=meet.bob&ms-subnet=10.61.2.0"
    b"&local_alias=meet.bob&request_id=644d4edc"
)
AUTHORIZATION = b"Basic " + b64encode(f"node:{PASSWORD}".encode())
HEADERS = [(b"host", b"policy.example.com"), (b"accept", b"*/*"), (b"authorization", AUTHORIZATION)]
SCOPE = {
    "type": "http",
    "method": "GET",
    "path": LOCATION,
    "query_string": QUERY,
    "headers": HEADERS,
    "client": ("192.0.2.1", 50_000),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=80)
    parser.add_argument("--requests", type=int, default=1000, help="in a slice")
    arguments = parser.parse_args()
    active = ActiveState()
    active.change(snapshot=snapshot_of())
    requests = Requests()
    with tempfile.TemporaryDirectory() as folder, closing(DecisionLog(f"{folder}/decisions.log").start()) as decisions:
        set_ups: dict[str, ASGIApp] = {
            "none": PolicyApi(active, nothing),
            "metrics": PolicyApi(active, nothing, [requests.count]),
            "metrics and decision log": PolicyApi(active, nothing, [requests.count, decisions.record]),
        }
        set_ups["remembered password"] = Guard(set_ups["none"], Access(known_user(Path(folder))))
        times = asyncio.run(take_turns(list(set_ups.values()), arguments.rounds, arguments.requests))
        dropped = decisions.dropped
    for name, found in zip(set_ups, times, strict=True):
        more = [one - none for one, none in zip(found, times[0], strict=True)]
        low, _, high = quantiles(more, n=4)
        print(f"{name:26} {median(found):6.1f} us   more {median(more):5.2f} us   quarters {low:5.2f} to {high:5.2f}")
    print(f"lines dropped              {dropped:6}")
    show_scrape(Metrics(active, requests, lambda: 0, {}, lambda: None))


def known_user(folder: Path) -> Credentials:
    """Users of whom the one that asks was found right before."""
    found = Credentials(write_users(folder / "htpasswd", "node"))
    assert asyncio.run(found.user_of(AUTHORIZATION, "192.0.2.1"))[0] == "node"
    return found


async def take_turns(apps: list[ASGIApp], rounds: int, requests: int) -> list[list[float]]:
    """Microseconds a request, for each app in each round."""
    times: list[list[float]] = [[] for _ in apps]
    for _ in range(rounds):
        for app, found in zip(apps, times, strict=True):
            began = time.process_time_ns()
            for _ in range(requests):
                await app(SCOPE, receive, send)
            await asyncio.sleep(0.06)  # until the last lines are written
            found.append((time.process_time_ns() - began) / requests / 1000)
    return times


def show_scrape(metrics: Metrics) -> None:
    found = []
    for _ in range(200):
        began = time.perf_counter_ns()
        metrics.render("")
        found.append((time.perf_counter_ns() - began) / 1e6)
    print(f"a scrape                   {median(found):6.2f} ms   p99 {quantiles(found, n=100)[98]:.2f} ms")


async def nothing(*_: object) -> None:
    raise AssertionError


async def receive() -> MutableMapping[str, Any]:
    return {"type": "http.request"}


async def send(_: MutableMapping[str, Any]) -> None:
    """No reader."""


if __name__ == "__main__":
    main()
