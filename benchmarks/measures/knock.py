"""How long it takes from a forge's webhook to the answer, and what a thousand webhooks in a moment cost the nodes.

    python benchmarks/measures/knock.py [--pushes 20]

The forge is nginx and git http-backend behind TLS on this machine. A push of one row, its webhook, and requests until
the answer is the new one. Then the 99th percentile of a node's requests by turns: at rest, and beside a thousand
webhooks.
"""

from __future__ import annotations

import argparse
import http.client
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.forge.servers import TOKEN, USER, https_forge
from tests.forge.test_webhook import PAYLOAD, SECRET, knock
from tests.support.repositories import GOOD, force_commit, make_repository, tip
from tests.support.service import Service, started_service

KNOCKS = 1_000
SECONDS = 2.0
"""Of each turn."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pushes", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "root").mkdir()
        remote = make_repository(folder / "root" / "locations.git", GOOD)
        (folder / "secret").write_text(f"{SECRET}\n")
        with https_forge(folder / "forge", folder / "root") as forge:
            (folder / "credentials").write_text(forge.url.replace("://", f"://{USER}:{TOKEN}@") + "\n")
            (folder / "credentials").chmod(0o600)
            files = ("--git-ca", forge.ca, "--git-credentials", folder / "credentials")
            words = ("--repo", forge.repository(), "--fetch-interval", "1000", "--webhook-secret", folder / "secret")
            with started_service(*words, *files, cwd=folder) as service:
                service.wait_for("in-sync", tip(remote))
                pushes(service, remote, arguments.pushes)
                turns(service)


def pushes(service: Service, remote: Path, number: int) -> None:
    """The time from each webhook to the answer."""
    took = []
    for one in range(number):
        force_commit(remote, {"locations.csv": f"Perth,10.{one}.0.0/24\n"})
        time.sleep(1.1)  # two looks for webhooks begin a second apart
        began = time.monotonic()
        knock(service)
        while service.locate(f"10.{one}.0.7").json().get("result", {}).get("location") != "Perth":
            time.sleep(0.005)
        took.append(time.monotonic() - began)
    print(f"webhook to answer: median {median(took):.2f} s, longest {max(took):.2f} s")


def turns(service: Service) -> None:
    """The 99th percentile of a node, at rest and beside webhooks."""
    for _ in range(5):
        rest, beside = percentile(service), percentile(service, KNOCKS)
        print(f"p99 at rest {rest:.2f} ms, beside {KNOCKS:,} webhooks {beside:.2f} ms: {beside / rest:.1f} times")


def percentile(service: Service, knocks: int = 0) -> float:
    """Milliseconds of a node's requests, of which there are some three hundred a second."""
    flood = threading.Thread(target=send, args=(service, knocks))
    flood.start()
    connection, took = http.client.HTTPConnection("127.0.0.1", service.port), []
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        began = time.monotonic()
        connection.request("GET", "/policy/v1/participant/location?protocol=mssip&ms-subnet=10.1.0.7")
        connection.getresponse().read()
        took.append(time.monotonic() - began)
        time.sleep(0.003)
    flood.join()
    return sorted(took)[int(len(took) * 0.99)] * 1000


def send(service: Service, knocks: int) -> None:
    """So many webhooks, one after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port)
    for _ in range(knocks):
        connection.request("POST", "/webhook", PAYLOAD, {"X-Gitlab-Token": SECRET})
        connection.getresponse().read()


if __name__ == "__main__":
    main()
