"""What views cost an answer: ten views of 10,000 rows beside the same map without them.

    python benchmarks/measures/views.py [--pairs 30] [--answers 20000]

Three services are asked in turn, by one connection each that is kept, with requests such as a node sends: one without
views, one whose views take no call, and one whose views take every call, by a location of two words. What counts is the
processor time that the process of each takes for its answers (proc(5), utime and stime), in the same round.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.support.maps import random_rows
from tests.support.repositories import make_repository
from tests.support.service import Service, running_service

VIEWS = 10
ROWS = 10_000
AT_ONCE = 100
"""Requests that are sent before the answers to them are read."""
NODE = {
    "bandwidth": "0",
    "call_direction": "dial_in",
    "local_alias": "meet.bob",
    "node_ip": "10.144.101.21",
    "protocol": "mssip",
    "proxy_node_address": "",
    "proxy_node_location": "",
    "remote_alias": "sip:alice@example.com",
    "remote_display_name": "Alice Jones",
    "service_name": "meet.bob",
    "vendor": "UCCAPI/16.0.8229.2045 OC/16.0.8229.2073 (Skype for Business)",
    "version_id": "39",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--answers", type=int, default=20_000, help="of each service in a round")
    arguments = parser.parse_args()
    rows = random_rows(ROWS)
    rules = "".join(f'[[view]]\nname = "v{at}"\nlocation = ["Edge {at}", "DMZ {at}"]\n' for at in range(VIEWS))
    views = {f"views/v{at}/locations.csv": rows for at in range(VIEWS)} | {"policy.toml": rules}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        files = {"without views": {}, "beside views": views, "in views": views}
        services = {
            what: stack.enter_context(running_service(repository_of(Path(name), what, {"locations.csv": rows, **more})))
            for what, more in files.items()
        }
        rounds = [
            {what: took(service, arguments.answers, what == "in views") for what, service in services.items()}
            for _ in range(arguments.pairs)
        ]
    for what in services:
        ratios = [one[what] / one["without views"] for one in rounds]
        low, middle, high = quantiles(ratios, n=4)
        each = median(one[what] for one in rounds) / arguments.answers * 1e6
        print(f"{what}: {each:.1f} us an answer, {middle:.3f} ({low:.3f} to {high:.3f}) of that without views")


def repository_of(folder: Path, what: str, files: dict[str, str]) -> Path:
    place = folder / what.replace(" ", "-")
    place.mkdir()
    return make_repository(place / "locations.git", files)


def took(service: Service, answers: int, is_in_view: bool) -> float:
    """Seconds of processor time that the service takes for so many answers."""
    requests = [request(at, f"Edge {at % VIEWS}" if is_in_view else "Oslo") for at in range(AT_ONCE)]
    began = processor_time(service.process.pid)
    with closing(socket.create_connection(("127.0.0.1", service.port))) as node:
        for _ in range(answers // AT_ONCE):
            node.sendall(b"".join(requests))
            left = AT_ONCE
            while left:
                left -= node.recv(1 << 20).count(b"HTTP/1.1 200")
    return processor_time(service.process.pid) - began


def request(at: int, location: str) -> bytes:
    asked = urlencode(NODE | {"location": location, "ms-subnet": f"10.{at * 37 % 256}.{at * 91 % 256}.0"})
    return f"GET /policy/v1/participant/location?{asked} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def processor_time(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
