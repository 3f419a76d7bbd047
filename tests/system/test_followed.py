"""A service that is followed: a push says where it is in force, a pin too, and who waits is let go at the end."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from location_policy.gate.push_log import FOLDER
from tests.support.git_http import clone_over_http, push_over_http
from tests.support.program import run_program
from tests.support.repositories import GOOD, SYDNEY, init_with, said, tip
from tests.support.service import ENDING, Service, running_service, wait_until

PERTH = {"locations/apac.csv": SYDNEY + "Perth,10.61.9.0/24\n"}
TIP = "/locations.git/tip"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return init_with(tmp_path, GOOD)


class Follower:
    """Holds a request for the tip, and asks again with what it was told, or with the commit that it stays at."""

    def __init__(self, service: Service, name: str, stays_at: str | None = None) -> None:
        self.commit, self.told = stays_at or "", list[str]()
        self._service, self._name, self._stays_at = service, name, stays_at
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def start(self) -> None:
        self._thread.start()
        wait_until(lambda: self._name in json.dumps(self._service.status()["followers"]["list"]))

    def _follow(self) -> None:
        tag = '"x"'
        while True:
            headers = {
                "X-Location-Policy-Name": self._name,
                "X-Location-Policy-State": "in-sync",
                "X-Location-Policy-Commit": self.commit,
                "If-None-Match": tag,
                "Prefer": "wait=30",
            }
            connection = http.client.HTTPConnection("127.0.0.1", self._service.port, timeout=60)
            try:
                connection.request("GET", TIP, headers=headers)
                tag = connection.getresponse().headers["ETag"]
            except OSError:
                return
            finally:
                connection.close()
            if tag is None:
                return
            self.told.append(tag.strip('"'))
            self.commit = self._stays_at or self.told[-1]


@contextmanager
def followed(repository: Path, *names: str, late: str | None = None) -> Iterator[Service]:
    """A service with these followers, and one that stays where it is."""
    with running_service(repository) as service:
        service.wait_for("in-sync")
        for name in names:
            Follower(service, name).start()
        if late:
            Follower(service, late, tip(repository)).start()
        wait_until(lambda: service.status()["followers"]["at_tip"] == len(names) + bool(late))
        wait_until(lambda: [*(repository / FOLDER).glob("followers-*")] != [])
        yield service


def test_a_push_a_pin_and_its_end_say_where_they_are_in_force(repository: Path, tmp_path: Path) -> None:
    before = tip(repository)
    with followed(repository, "web-1", "web-2") as service:
        copy = clone_over_http(service, tmp_path / "copy")
        commit = copy.commit(PERTH)
        done = push_over_http(copy)
        assert done.returncode == 0, done.stderr
        assert "remote: active at 2 of 2 replicas after " in done.stderr
        pinned = run_program("pin", before, "--for", "2h", "--reason", "it was better", "--repo", str(repository))
        assert pinned.stdout.splitlines()[-1].startswith("active at 2 of 2 replicas after ")
        again = run_program("pin", before, "--for", "1h", "--reason", "it still is", "--repo", str(repository))
        assert again.stdout.splitlines()[-1].startswith("active at 2 of 2 replicas after ")
        copy.commit({"locations/apac.csv": SYDNEY})
        waiting = push_over_http(copy)
        assert f"remote: not active yet: {before[:10]} is pinned until " in waiting.stderr
        unpinned = run_program("unpin", "--repo", str(repository))
        assert unpinned.stdout.splitlines()[-1].startswith("active at 2 of 2 replicas after ")
        assert service.status()["active"]["commit"] == tip(repository) != commit
    assert [*(repository / FOLDER).glob("followers-*")] == []


def test_a_push_says_who_has_it_not_after_five_seconds(repository: Path, tmp_path: Path) -> None:
    before = tip(repository)
    with followed(repository, "web-1", late="web-2") as service:
        copy = clone_over_http(service, tmp_path / "copy")
        copy.commit(PERTH)
        done = push_over_http(copy)
        assert "active at 1 of 2 replicas after 5." in said(done)
        assert f"web-2 answers from {before[:10]} (in-sync)" in said(done)


def test_without_followers_a_push_says_nothing_of_them(repository: Path, tmp_path: Path) -> None:
    with running_service(repository) as service:
        copy = clone_over_http(service, tmp_path / "copy")
        copy.commit(PERTH)
        assert "active" not in push_over_http(copy).stderr


def hold(service: Service, commit: str) -> socket.socket:
    """A connection on which a request waits, and nothing is read."""
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=10)
    fields = f'Host: a\r\nIf-None-Match: "{commit}"\r\nPrefer: wait=9999\r\nX-Location-Policy-Name: silent\r\n'
    connection.sendall(f"GET {TIP} HTTP/1.1\r\n{fields}\r\n".encode())
    return connection


@pytest.mark.parametrize("bound", [("--max-followers", "300"), ("--max-connections", "600")])
def test_many_waits_of_one_client_that_reads_nothing_are_bounded_and_hold_up_neither_answers_nor_the_end(
    repository: Path, bound: tuple[str, str]
) -> None:
    with running_service(repository, *bound) as service, ExitStack() as stack:
        service.wait_for("in-sync")
        commit = tip(repository)
        held = [stack.enter_context(closing(hold(service, commit))) for _ in range(320)]
        refused = http.client.HTTPResponse(held[-1])
        refused.begin()
        assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
        assert refused.read() == b"too many wait already\n"
        assert service.locate("10.61.2.0").status == 200
        assert service.status()["followers"]["total"] == 1
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(ENDING) == 0
        assert held[0].recv(4096).startswith(b"HTTP/1.1 304 ")
        assert "Traceback" not in service.log.read_text()


def test_in_the_last_second_of_a_drain_who_waits_is_let_go_and_no_other_is_held(repository: Path) -> None:
    with running_service(repository, "--drain", "1.5") as service:
        service.wait_for("in-sync")
        with closing(hold(service, tip(repository))) as held:
            wait_until(lambda: service.status()["followers"]["total"] == 1)
            service.process.send_signal(signal.SIGTERM)
            told = held.recv(4096).lower()
            assert told.startswith(b"http/1.1 304 ")
            assert b"\r\nconnection: close\r\n" in told
            with closing(hold(service, tip(repository))) as other:
                assert other.recv(4096).startswith(b"HTTP/1.1 503 ")
            assert service.locate("10.61.2.0").status == 200
            assert service.process.wait(ENDING) == 0
