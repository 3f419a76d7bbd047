"""What a call of a node costs a service that speaks TLS and asks for a password: how many one replica carries.

    python benchmarks/measures/calls.py [--rows 10000] [--calls 2000] [--rounds 5]

Processor time of the service and of its threads for each call, on a connection that is kept and on a new one for each
call, by turns; the median of the rounds, with the least and the most.
"""

from __future__ import annotations

import argparse
import http.client
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from benchmarks.side_by_side.maps import networks
from benchmarks.side_by_side.maps import rows as table_of
from tests.support.access import PASSWORD, Pki, write_users
from tests.support.program import AS_INSTALLED
from tests.support.repositories import make_repository
from tests.support.service import Service, basic, started_service, wait_until

TICK = os.sysconf("SC_CLK_TCK")


def used(service: Service) -> float:
    """Seconds of processors that the service has taken."""
    fields = Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def cost(service: Service, calls: int, *, is_kept: bool) -> float:
    """Microseconds of processors for a call."""
    login = basic(f"node:{PASSWORD}")
    connection = http.client.HTTPSConnection("127.0.0.1", service.port, timeout=10, context=service.context)
    began = used(service)
    for _ in range(calls):
        connection.request("GET", "/policy/v1/participant/location?protocol=mssip&ms-subnet=10.61.2.0", headers=login)
        response = connection.getresponse()
        response.read()
        assert response.status == 200
        if not is_kept:
            connection.close()
    connection.close()
    return (used(service) - began) / calls * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        repository = make_repository(folder / "map.git", {"locations.csv": table_of(networks(asked.rows, None))})
        pki, users = Pki(folder / "pki"), write_users(folder / "htpasswd", "node")
        options = ("--repo", repository, *pki.arguments(), "--htpasswd", users)
        with started_service(*options, cwd=folder, program=AS_INSTALLED) as service:
            service.context = pki.client()
            wait_until(lambda: service.ask("/readyz").status == 200, service.log.read_text)
            kinds = {"kept": True, "new for each call": False}
            found = [[cost(service, asked.calls, is_kept=kept) for kept in kinds.values()] for _ in range(asked.rounds)]
    for kind, costs in zip(kinds, zip(*found, strict=True), strict=True):
        middle = median(costs)
        spread = f"({min(costs):.0f} to {max(costs):.0f})"
        print(f"{kind:18} {middle:6.0f} us {spread}   {1e6 / middle:8,.0f} a second and core")


if __name__ == "__main__":
    main()
