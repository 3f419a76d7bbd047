"""What the service manager is told, as the manager receives it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from location_policy.runtime.systemd import ServiceManager
from tests.support.access import PASSWORD, write_users
from tests.support.repositories import BAD, GOOD, force_commit, git, make_repository
from tests.support.service import DEADLINE, started_service
from tests.support.service_manager import Manager


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", GOOD)


def test_it_is_ready_once_it_has_looked_and_listens(repository: Path, manager: Manager) -> None:
    with started_service("--repo", repository, cwd=repository.parent, NOTIFY_SOCKET=manager.address) as service:
        commit = git("rev-parse", "main", cwd=repository)
        status = f"in-sync: answers from commit {commit}, 2 subnets"
        assert manager.hear() == {"READY": "1", "STATUS": status}
        assert service.ask("/readyz").status == 200


def test_the_status_follows_what_is_in_force(repository: Path, manager: Manager) -> None:
    with started_service("--repo", repository, cwd=repository.parent, NOTIFY_SOCKET=manager.address):
        good = git("rev-parse", "main", cwd=repository)
        manager.hear_until("READY")
        force_commit(repository, BAD)
        assert manager.hear() == {"STATUS": f"rejected: answers from commit {good}, 2 subnets"}
        new = force_commit(repository, {"locations.csv": "Perth,10.61.2.0/24\n"})
        assert manager.hear() == {"STATUS": f"in-sync: answers from commit {new}, 1 subnet"}


def test_an_empty_repository_keeps_nobody_waiting(tmp_path: Path, manager: Manager) -> None:
    with started_service(cwd=tmp_path, NOTIFY_SOCKET=manager.address):
        assert manager.hear() == {"READY": "1", "STATUS": "starting: nothing to answer from"}


def test_a_reload_ends_once_all_is_read_again_and_the_source_was_looked_at(repository: Path, manager: Manager) -> None:
    users = write_users(repository.parent / "htpasswd", "node")
    arguments = ("--repo", repository.as_uri(), "--fetch-interval", "3600", "--htpasswd", users)
    with started_service(*arguments, cwd=repository.parent, NOTIFY_SOCKET=manager.address) as service:
        manager.hear_until("READY")
        new = force_commit(repository, {"locations.csv": "Perth,10.61.2.0/24\n"})
        write_users(users, "ana")
        service.process.send_signal(signal.SIGHUP)
        begin, *_, end = manager.hear_until("READY")
        assert begin["RELOADING"] == "1"
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        assert now - DEADLINE * 1e6 < int(begin["MONOTONIC_USEC"]) <= now
        assert end["STATUS"] == f"in-sync: answers from commit {new}, 1 subnet"
        assert service.ask("/status", login=f"ana:{PASSWORD}").json()["active"]["commit"] == new


def test_the_end_is_told_before_the_process_ends(repository: Path, manager: Manager) -> None:
    with started_service("--repo", repository, cwd=repository.parent, NOTIFY_SOCKET=manager.address) as service:
        manager.hear_until("READY")
        assert service.stop() == 0
        assert manager.hear_until("STOPPING")[-1] == {"STOPPING": "1", "STATUS": "ending"}


def test_a_watchdog_hears_of_the_event_loop(repository: Path, manager: Manager) -> None:
    arguments = ("--repo", repository)
    with started_service(*arguments, cwd=repository.parent, NOTIFY_SOCKET=manager.address, WATCHDOG_USEC="2000000"):
        began = time.monotonic()
        for _ in range(3):
            assert manager.hear_until("WATCHDOG")[-1] == {"WATCHDOG": "1"}
        assert time.monotonic() - began > 1


def test_a_child_does_not_speak_for_the_service(tmp_path: Path) -> None:
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "HOME": "/"}
    ServiceManager(environment)
    assert environment == {"HOME": "/"}


@pytest.mark.parametrize(
    ("pid", "microseconds", "seconds"),
    [
        ("", "3000000", 3.0),
        ("own", "500000", 0.5),
        ("1", "3000000", None),
        ("", "soon", None),
        ("", "0", None),
    ],
)
def test_a_watchdog_is_for_the_process_that_is_named(pid: str, microseconds: str, seconds: float | None) -> None:
    named = pid.replace("own", str(os.getpid()))
    environment = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": microseconds, "WATCHDOG_PID": named}
    assert ServiceManager(environment).watchdog == seconds


def test_a_name_in_the_abstract_namespace_is_spoken_to() -> None:
    name = f"location-policy-test-{os.getpid()}"
    manager = Manager(f"\0{name}")
    ServiceManager({"NOTIFY_SOCKET": f"@{name}"}).tell("READY=1")
    assert manager.hear() == {"READY": "1"}
    manager.socket.close()


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": "vsock:2:1"}, {"NOTIFY_SOCKET": ""}])
def test_without_a_manager_that_we_can_speak_to_nothing_happens(environment: dict[str, str]) -> None:
    manager = ServiceManager({**environment, "WATCHDOG_USEC": "3000000"})
    manager.tell("READY=1")
    assert manager.watchdog is None


def test_a_manager_that_has_gone_is_told_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "notify")})
    manager.tell("READY=1")
    manager.tell_reloading()
    assert [record.message for record in caplog.records] == [
        "the service manager cannot be told: [Errno 2] No such file or directory"
    ]


def test_a_manager_that_does_not_read_holds_nobody_up(manager: Manager, caplog: pytest.LogCaptureFixture) -> None:
    told, began = ServiceManager({"NOTIFY_SOCKET": manager.address}), time.monotonic()
    while not caplog.records:
        told.tell("STATUS=x")
    assert caplog.records[0].message == "the service manager cannot be told: timed out"
    assert time.monotonic() - began < DEADLINE
    assert manager.hear() == {"STATUS": "x"}
