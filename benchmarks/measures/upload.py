"""What an upload of a large map costs, and how much longer nodes wait meanwhile.

    python benchmarks/measures/upload.py [--rows 100000] [--turns 20]

A service of its own with a random map. It is downloaded, a hundredth of its rows is given another location and the last
hundred are left out, and it is uploaded: five times as far as the plan, then confirmed. In turn with these
`location-policy check` reads the same map, and the ratio is told too. The memory that is told is the most that the
service has ever had. A node is timed as in pages.py, alone and while another process uploads in a loop.
"""

from __future__ import annotations

import argparse
import http.client
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from benchmarks.measures.pages import p99, turn
from tests.support.maps import random_rows
from tests.support.repositories import make_repository
from tests.support.service import Service, running_service

BOUNDARY = "the-end-of-a-part"
KIND = f"multipart/form-data; boundary={BOUNDARY}"
LOADER = """
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=200)
body = open(sys.argv[2], "rb").read()
while True:
    connection.request("POST", "/api/v1/upload", body, {"Content-Type": sys.argv[3]})
    connection.getresponse().read()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=20, help="of each kind")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        repository = make_repository(Path(folder) / "locations.git", {"locations.csv": random_rows(arguments.rows)})
        with running_service(repository) as service:
            rows = changed(service.ask("/locations.csv").body.decode())
            before = memory(service)
            times, ratios = [], []
            for _ in range(5):
                seconds, told = upload(service, rows)
                times.append(seconds)
                ratios.append(seconds / checked(Path(folder) / "copy", rows))
            print(f"{len(rows) / 1e6:.1f} MB: {told['message'].splitlines()[-1]}")
            print(f"{median(times):6.2f} s, first {times[0]:.2f} s, {median(ratios):.2f} times a check  the plan")
            print_nodes(service, Path(folder) / "body", rows, arguments.turns)
            seconds, told = upload(service, rows, tip=told["tip"], confirm="1", reason="a benchmark")
            print(f"{seconds:6.2f} s  confirmed")
            began = time.perf_counter()
            service.wait_for("in-sync", told["commit"])
            print(f"{time.perf_counter() - began:6.2f} s  until it is active")
            print(f"{before} MB at most before the first upload, {memory(service)} MB after all")


def changed(rows: str) -> str:
    """The rows with another location in some, without the last."""
    lines = rows.splitlines(keepends=True)[:-100]
    for at in range(0, len(lines), 100):
        lines[at] = f"Bergen,{lines[at].partition(',')[2]}"
    return "".join(lines)


def body_of(rows: str, **fields: str) -> bytes:
    """The form, as curl sends it."""
    parts = {f'name="{name}"': value for name, value in fields.items()} | {'name="file"; filename="a.csv"': rows}
    texts = (
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n" for head, text in parts.items()
    )
    return f"{''.join(texts)}--{BOUNDARY}--\r\n".encode()


def upload(service: Service, rows: str, **fields: str) -> tuple[float, dict[str, str]]:
    """Seconds until the answer is there, and the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=200)
    began = time.perf_counter()
    connection.request("POST", "/api/v1/upload", body_of(rows, **fields), {"Content-Type": KIND})
    response = connection.getresponse()
    told = json.loads(response.read())
    connection.close()
    assert response.status == 200, told
    return time.perf_counter() - began, told


def checked(folder: Path, rows: str) -> float:
    """Seconds that `location-policy check` takes with these rows."""
    folder.mkdir(exist_ok=True)
    (folder / "locations.csv").write_text(rows)
    began = time.perf_counter()
    subprocess.run(
        [Path(sys.executable).with_name("location-policy"), "check", folder], capture_output=True, check=True
    )
    return time.perf_counter() - began


def memory(service: Service) -> int:
    """Megabytes that the process has had at most (proc(5), "VmHWM")."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) // 1024


def print_nodes(service: Service, place: Path, rows: str, turns: int) -> None:
    """How long a node waits: alone, and beside an editor who uploads without a pause."""
    place.write_bytes(body_of(rows))
    loader = subprocess.Popen([sys.executable, "-c", LOADER, str(service.port), str(place), KIND])
    loader.send_signal(signal.SIGSTOP)
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    found: dict[str, list[list[float]]] = {"alone": [], "beside uploads": []}
    for _ in range(turns):
        time.sleep(8)  # what was begun is done
        found["alone"].append(turn(connection))
        loader.send_signal(signal.SIGCONT)
        found["beside uploads"].append(turn(connection))
        loader.send_signal(signal.SIGSTOP)
    loader.kill()
    loader.wait()
    for name, each in found.items():
        every = [seconds for times in each for seconds in times]
        print(f"a node {name}: median {median(every) * 1000:.2f} ms, p99 {p99(every) * 1000:.2f} ms", end="")
        ratios = quantiles([p99(times) / p99(alone) for times, alone in zip(each, found["alone"], strict=True)], n=4)
        print(f", {ratios[1]:.2f} times that alone (quartiles {ratios[0]:.2f} and {ratios[2]:.2f})")


if __name__ == "__main__":
    main()
