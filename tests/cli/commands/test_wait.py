"""`location-policy wait`, against a real service and followers that say what a test has them say."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.program import run_program
from tests.support.repositories import GOOD, init_with, tip
from tests.support.service import Service, running_service


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return init_with(tmp_path_factory.mktemp("upstream"), GOOD)


@pytest.fixture(scope="module")
def service(repository: Path) -> Iterator[Service]:
    with running_service(repository) as service:
        service.wait_for("in-sync")
        yield service


def say(service: Service, name: str, commit: str, **more: str) -> None:
    """What a follower says."""
    headers = {"Name": name, "Version": "1.0", "State": "in-sync", "Commit": commit, **more}
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    named = {f"X-Location-Policy-{key}": value for key, value in headers.items()}
    connection.request("GET", "/locations.git/tip", headers=named)
    assert connection.getresponse().status == 200
    connection.close()


def wait(service: Service, *arguments: str) -> tuple[int, str]:
    done = run_program("wait", *arguments, "--url", service.url)
    return done.returncode, done.stdout + done.stderr


def test_it_says_where_a_commit_is_who_refuses_it_and_who_is_missing(service: Service, repository: Path) -> None:
    commit = tip(repository)
    assert wait(service, commit)[1].startswith(f"active: {commit[:10]}, no service follows, after ")
    say(service, "web-1", commit)
    status, said = wait(service, commit[:7], "--followers", "1")
    assert (status, said.partition(", after")[0]) == (0, f"active: {commit[:10]}, at 1 of 1 follower")
    status, said = wait(service, commit, "--followers", "2", "--timeout", "1s")
    assert (status, said.splitlines()[1]) == (1, "  1 follower is seen, not 2")
    say(service, "web-2", "e" * 40, State="unreachable")
    status, said = wait(service, commit, "--timeout", "1s")
    assert status == 1
    assert said.splitlines()[0].startswith(f"not active everywhere: {commit[:10]}, at 1 of 2 followers, after 1.")
    assert said.splitlines()[1:] == ["  web-2: answers from eeeeeeeeee (unreachable)"]
    behind = {"total": 2, "at_tip": 1, "late": [{"name": "oslo-1", "commit": "e" * 40, "state": "rejected"}]}
    say(service, "web-2", commit, Behind=json.dumps(behind))
    status, said = wait(service, commit, "--timeout", "1s")
    assert (status, said.splitlines()[1:]) == (
        1,
        ["  web-2: has it, 1 behind it not", "    oslo-1: answers from eeeeeeeeee (rejected)"],
    )
    say(service, "web-2", "e" * 40, Problems=f"{commit}%20locations.csv:1: it is bad")
    assert wait(service, commit) == (1, f"rejected: {commit[:10]}\n  web-2: locations.csv:1: it is bad\n")
    status, said = wait(service, "f" * 40, "--timeout", "1s")
    assert (status, "  the service itself does not answer from it" in said) == (1, True)


class Full(BaseHTTPRequestHandler):
    """A service that has no room for one more who waits."""

    def do_GET(self) -> None:
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_a_service_without_room_is_asked_again_until_the_time_is_over() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Full) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        began = time.monotonic()
        done = run_program("wait", "a" * 7, "--url", url, "--timeout", "1s")
        server.shutdown()
    assert time.monotonic() - began > 0.9
    assert (done.returncode, done.stderr) == (
        2,
        f"location-policy: {url} has no room for one more who waits\n",
    )


def test_what_cannot_be_asked_is_told(service: Service) -> None:
    assert wait(service, "main") == (
        2,
        "location-policy: main is not the id of a commit\n  hint: git rev-parse main says that of a branch\n",
    )
    assert wait(service, "HEAD")[1].startswith("location-policy: HEAD is not the id of a commit\n")
    assert wait(service, "a" * 7, "--followers", "many")[0] == 2
    nowhere = run_program("wait", "a" * 7, "--url", "http://127.0.0.1:9")
    assert (nowhere.returncode, nowhere.stderr) == (
        2,
        "location-policy: http://127.0.0.1:9 cannot be reached: Connection refused\n",
    )
