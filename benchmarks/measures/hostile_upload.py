"""How long a node waits beside uploads that can only be refused, and what they leave behind in the service.

    python benchmarks/measures/hostile_upload.py [--turns 10]

A service of its own with a small map. Each upload is made of as many wrong lines as there is room for. Another process
sends it in a loop, and a node is timed as in pages.py, alone and beside it, in turns. Told are the answer's size and
time, the p99 of the node, as a ratio to that alone too, and the memory that the service has had at most. At the end a
commit of such lines is put at HEAD round the hook, and the size of `/status` is told.
"""

from __future__ import annotations

import argparse
import http.client
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from benchmarks.measures.pages import print_waits, turn
from benchmarks.measures.upload import KIND, LOADER, body_of, memory
from tests.support.maps import many_rows
from tests.support.repositories import force_commit, make_repository
from tests.support.service import Service, running_service

UPLOADS = {
    "450,000 wrong lines, 0.9 MB": "x\n" * 450_000,
    "58,000 rows with host bits, 0.9 MB": "".join(f"a,1.{at >> 8 & 255}.{at & 255}.1/9\n" for at in range(58_000)),
    "1,000,000 wrong lines, 3 MB": "ab\n" * 1_000_000,
    "5,000,000 wrong lines, 15 MB": "ab\n" * 5_000_000,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=10, help="of each kind")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        repository = make_repository(Path(folder) / "locations.git", {"locations.csv": many_rows(1_000)})
        with running_service(repository) as service:
            print(f"{memory(service)} MB at most before")
            for what, rows in UPLOADS.items():
                print_upload(service, Path(folder) / "body", what, rows, arguments.turns)
            force_commit(repository, {"locations.csv": UPLOADS["1,000,000 wrong lines, 3 MB"]})
            service.wait_for("rejected")
            print(f"a million wrong lines at HEAD: /status has {len(service.ask('/status').body):,} bytes", end="")
            print(f", {memory(service)} MB at most")


def print_upload(service: Service, place: Path, what: str, rows: str, turns: int) -> None:
    """What one upload costs who sends it, and nodes beside it."""
    body = body_of(rows)
    place.write_bytes(body)
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=200)
    began = time.perf_counter()
    connection.request("POST", "/api/v1/upload", body, {"Content-Type": KIND})
    response = connection.getresponse()
    size = len(response.read())
    print(f"{what}: {response.status}, {size:,} bytes in {time.perf_counter() - began:.2f} s")
    loader = subprocess.Popen([sys.executable, "-c", LOADER, str(service.port), str(place), KIND])
    loader.send_signal(signal.SIGSTOP)
    found: dict[str, list[list[float]]] = {"alone": [], "beside it": []}
    for _ in range(turns):
        time.sleep(1)
        found["alone"].append(turn(connection))
        loader.send_signal(signal.SIGCONT)
        found["beside it"].append(turn(connection))
        loader.send_signal(signal.SIGSTOP)
    loader.kill()
    loader.wait()
    print_waits(found)
    print(f"  {memory(service)} MB at most")


if __name__ == "__main__":
    main()
