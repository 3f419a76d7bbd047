"""SIGTERM to a service behind a balancer: it says at once that it is not ready, and answers on until it ends."""

from __future__ import annotations

import http.client
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState
from tests.support.repositories import GOOD, make_repository
from tests.support.service import ENDING, Service, running_service, started_service, wait_until
from tests.support.service_manager import Manager
from tests.system.faults.test_hanging_git import Hanging

ASKED = "/policy/v1/participant/location?protocol=mssip&ms-subnet=10.61.2.0"
DRAIN = 3.0
"""Seconds: two in which all is as before, and the last one."""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", GOOD)


def is_draining(service: Service) -> bool:
    return service.ask("/readyz")[::2] == (503, b'{"status": "draining"}')


@contextmanager
def connected(service: Service) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)) as connection:
        yield connection


def said_of_connection(connection: http.client.HTTPConnection, target: str = ASKED, method: str = "GET") -> str | None:
    """The header of an answer that succeeds and is as long as it says."""
    connection.request(method, target)
    response = connection.getresponse()
    body = response.read()
    assert response.status == 200
    assert len(body) == (int(response.headers["Content-Length"]) if method == "GET" else 0)
    return response.headers["Connection"]


def test_it_answers_as_before_but_for_its_probe_and_in_the_last_second_ends_each_connection(
    repository: Path, manager: Manager
) -> None:
    arguments = ("--repo", repository, "--drain", str(DRAIN))
    with (
        started_service(*arguments, cwd=repository.parent, NOTIFY_SOCKET=manager.address) as service,
        connected(service) as used,
        connected(service) as other,
    ):
        manager.hear_until("READY")
        assert service.status()["service"]["draining_since"] is None
        assert said_of_connection(used) is None
        service.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert manager.hear() == {
            "STOPPING": "1",
            "EXTEND_TIMEOUT_USEC": "18000000",
            "STATUS": "draining: answers for 3 s more",
        }
        assert is_draining(service)
        assert service.status()["service"]["draining_since"]
        assert service.ask("/healthz").status == 200
        for connection in (used, used, other, other):
            assert said_of_connection(connection) is None
        assert said_of_connection(other, method="HEAD") is None
        assert time.monotonic() - began < DRAIN - 1

        wait_until(lambda: said_of_connection(used) == "close")
        assert time.monotonic() - began > DRAIN - 1.1
        for method, target in (("GET", ASKED), ("HEAD", ASKED), ("GET", "/status")):
            assert said_of_connection(other, target, method) == "close"
            assert other.sock is None  # and both ends have closed it
        with suppress(OSError):  # until nothing listens
            while True:
                assert said_of_connection(other) == "close"
                time.sleep(0.02)
        assert service.process.wait(ENDING) == 0
        assert DRAIN - 0.1 < time.monotonic() - began < DRAIN + 4
        assert manager.hear() == {"STOPPING": "1", "STATUS": "ending"}
        assert "Traceback" not in service.log.read_text()


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(repository: Path, second: signal.Signals) -> None:
    with running_service(repository, "--drain", "600") as service:
        service.process.send_signal(signal.SIGTERM)
        wait_until(lambda: is_draining(service))
        began = time.monotonic()
        assert service.stop(second) == 0
        assert time.monotonic() - began < 10
        assert "Traceback" not in service.log.read_text()


def test_sigint_alone_does_not_drain(repository: Path) -> None:
    with running_service(repository, "--drain", "600") as service:
        assert service.stop(signal.SIGINT) == 0
        assert "draining" not in service.log.read_text()


def test_long_waits_are_let_go_before_the_end(repository: Path, tmp_path: Path) -> None:
    hanging, state = Hanging(tmp_path / "hanging"), tmp_path / "state"
    Refresher(repository, ActiveState(), state).refresh()
    hanging.hang()
    arguments = ("--repo", repository, "--state-dir", state, "--drain", "1.5")
    try:
        with (
            started_service(*arguments, cwd=tmp_path, PATH=hanging.path) as service,
            ThreadPoolExecutor() as pool,
        ):
            wait_until(lambda: service.ask("/readyz").status == 200)
            number = service.ask("/api/v1/sync", "POST").json()["sync"]
            waiting = pool.submit(service.ask, f"/api/v1/sync/{number}?wait=60")
            service.process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            told = waiting.result()
            assert time.monotonic() - began > 0.4
            assert (told.status, told.headers["connection"], told.json()["result"]) == (200, "close", None)
            assert service.locate("10.61.2.0").status == 200
            assert service.process.wait(ENDING) == 0
    finally:
        hanging.go_on()
