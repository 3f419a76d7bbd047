"""What clients send over real sockets, on purpose or not: each is answered or ended, and the service lives."""

from __future__ import annotations

import json
import logging
import resource
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from location_policy.server import timeouts
from location_policy.server.connection_places import ConnectionPlaces
from location_policy.server.limits import BODY_BYTES, LimitedProtocol
from location_policy.server.open_files import OTHER_FILES, fitted
from location_policy.server.options import Limits
from location_policy.server.unread import ASKER, Unread
from tests.support.repositories import GOOD, make_repository
from tests.support.service import Service, running_service, wait_until

TARGET = b"/policy/v1/participant/location?protocol=mssip&ms-subnet="
GET = b"GET " + TARGET + b"10.61.2.0 HTTP/1.1\r\nHost: x\r\n"
OTHER = b"GET " + TARGET + b"10.61.3.0 HTTP/1.1\r\nHost: x\r\n"
PATIENCE = 0.4
"""Seconds that the service gives a request in these tests."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all the tests here."""
    repository = make_repository(tmp_path_factory.mktemp("limits") / "locations.git", GOOD)
    with running_service(repository, "--header-timeout", str(PATIENCE)) as service:
        wait_until(lambda: " active commit=" in service.log.read_text())  # its last line of a start
        yield service


@pytest.fixture
def service(running: Service) -> Iterator[Service]:
    """It answers after each test as before, and has logged nothing."""
    before = running.log.read_text()
    yield running
    assert running.locate("10.61.2.0").json()["result"]["location"] == "Sydney"
    assert running.log.read_text() == before


def connect(service: Service) -> closing[socket.socket]:
    return closing(socket.create_connection(("127.0.0.1", service.port), timeout=10))


def rest(connection: socket.socket) -> bytes:
    """All that comes until the service closes the connection."""
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


def undated(head: bytes) -> list[bytes]:
    """The lines of a head but for the moment at which it was sent."""
    return [line for line in head.split(b"\r\n") if not line.startswith(b"date: ")]


def answers(received: bytes) -> list[tuple[int, dict[str, object]]]:
    """Status and JSON body of each answer in these bytes."""
    found = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        headers = dict(line.lower().split(b": ", 1) for line in lines)
        assert headers[b"content-type"] == b"application/json"
        size = int(headers[b"content-length"])
        found.append((int(first.split()[1]), json.loads(received[:size])))
        received = received[size:]
    return found


def exchange(service: Service, sent: bytes) -> list[tuple[int, dict[str, object]]]:
    """The answers to these bytes, on a connection that the service closes."""
    with connect(service) as connection:
        connection.sendall(sent)
        return answers(rest(connection))


def assert_refused(found: list[tuple[int, dict[str, object]]], status: int, reason: str) -> None:
    assert found == [(status, {"status": f"policy.reason.{reason}"})]


def read_answer(connection: socket.socket) -> tuple[int, dict[str, object]]:
    """One answer on a connection that stays open."""
    received = b""
    while not received.endswith(b"}"):
        received += connection.recv(65536)
    ((status, body),) = answers(received)
    return status, body


# --- too slow ---


def test_a_byte_a_moment_is_not_waited_for_longer_than_the_time_of_a_request(service: Service) -> None:
    with connect(service) as connection:
        began = time.monotonic()
        connection.settimeout(0.05)  # so much time lies between two bytes
        received = b""
        bytes_of_one = iter(GET * 100)
        while not received:
            with suppress(TimeoutError):
                connection.send(bytes([next(bytes_of_one)]))
                received += connection.recv(65536)
        assert_refused(answers(received), 408, "request.timeout - The request took over 0.4 seconds")
        assert time.monotonic() - began < PATIENCE + 5


@pytest.mark.parametrize("size", [1, 20, len(GET)])
def test_half_a_request_is_ended_with_a_word(service: Service, size: int) -> None:
    assert_refused(exchange(service, GET[:size]), 408, "request.timeout - The request took over 0.4 seconds")


def test_half_a_request_after_a_whole_one_is_ended_after_its_answer(service: Service) -> None:
    first, second = exchange(service, GET + b"\r\n" + GET)
    assert (first[0], second[0]) == (200, 408)


def test_a_connection_on_which_nothing_comes_is_closed_without_a_word(service: Service) -> None:
    assert exchange(service, b"") == []


def test_line_ends_before_a_request_do_not_keep_a_connection_open(service: Service) -> None:
    assert [status for status, _ in exchange(service, b"\r\n\r\n")] == [408]
    with connect(service) as connection:
        connection.sendall(GET + b"\r\n")
        assert read_answer(connection)[0] == 200
        connection.sendall(b"\r\n")
        assert [status for status, _ in answers(rest(connection))] == [408]


def test_a_connection_stays_open_between_two_requests(service: Service) -> None:
    with connect(service) as connection:
        for _ in range(2):
            connection.sendall(GET + b"\r\n")
            assert read_answer(connection)[0] == 200
            connection.settimeout(2 * PATIENCE)
            with pytest.raises(TimeoutError):
                connection.recv(1)


def test_a_client_that_is_gone_before_its_answer_is_no_matter(service: Service) -> None:
    for sent in (GET, GET + b"\r\n", (GET + b"\r\n") * 100):
        connection = socket.create_connection(("127.0.0.1", service.port))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset at close
        connection.sendall(sent)
        connection.close()


@pytest.mark.parametrize("is_reset", [True, False])
@pytest.mark.parametrize("path", [b"/", b"/healthz", b"/nothing", b"/policy/v1/x"])
def test_a_client_that_asks_much_reads_nothing_and_leaves_is_no_matter(
    service: Service, path: bytes, is_reset: bool
) -> None:
    for wait in (0.0, 0.05, 0.3):
        connection = socket.create_connection(("127.0.0.1", service.port))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        if is_reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.settimeout(0.2)
        with suppress(TimeoutError):
            connection.sendall((b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n") * 2000)
        time.sleep(wait)
        connection.close()


# --- too large ---


def test_a_request_line_of_64_kib_is_refused(service: Service) -> None:
    reason = "uri.too.long - The request target is too large, 32768 bytes are read"
    assert_refused(exchange(service, b"GET " + TARGET + b"1" * 65536 + b" HTTP/1.1\r\n\r\n"), 414, reason)


def test_a_long_target_within_the_limit_is_not_blamed_for_the_headers(service: Service) -> None:
    sent = b"GET " + TARGET + b"1" * 17_000 + b" HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n"
    assert [status for status, _ in exchange(service, sent)] == [431]


@pytest.mark.parametrize("header", [b"X-A: " + b"1" * 4096 + b"\r\n", b"X: 1\r\n", b"1" * 4096])
def test_a_flood_of_headers_is_refused(service: Service, header: bytes) -> None:
    reason = "request.header.fields.too.large - The headers are too large, 32768 bytes are read"
    flood = header * (20_000_000 // len(header))
    with connect(service) as connection:
        with suppress(ConnectionError):
            connection.sendall(GET + flood)
        assert_refused([read_answer(connection)], 431, reason)


def test_headers_of_a_usual_size_pass(service: Service) -> None:
    with connect(service) as connection:
        connection.sendall(GET + b"X-A: " + b"1" * 24_000 + b"\r\n\r\n")
        assert read_answer(connection)[0] == 200


def test_many_requests_that_are_larger_together_pass(service: Service) -> None:
    found = exchange(service, (GET + b"\r\n") * 1000 + GET + b"Connection: close\r\n\r\n")
    assert [status for status, _ in found] == [200] * 1001


# --- forms of a request ---


@pytest.mark.parametrize("end", [b"\r\n\r\n", b" HTTP/0.9\r\nHost: x\r\n\r\n", b" HTTP/2.0\r\nHost: x\r\n\r\n"])
@pytest.mark.parametrize("target", [TARGET + b"10.61.2.0", b"/healthz"])
def test_another_version_than_1_0_and_1_1_is_refused(service: Service, target: bytes, end: bytes) -> None:
    reason = "bad.request - It must be HTTP/1.1 or HTTP/1.0"
    assert_refused(exchange(service, b"GET " + target + end), 400, reason)


@pytest.mark.parametrize("coding", [b"x, chunked", b"gzip, chunked", b"x\r\nTransfer-Encoding: chunked", b"identity"])
def test_a_body_in_a_coding_that_is_not_known_is_refused(service: Service, coding: bytes) -> None:
    sent = GET.replace(b"GET", b"POST") + b"Transfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n"
    (first, *_) = exchange(service, sent)
    assert first[0] == 400


def test_before_http_1_1_a_body_has_no_coding(service: Service) -> None:
    sent = GET.replace(b"/1.1", b"/1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert_refused(exchange(service, sent), 400, "bad.request - There is no Transfer-Encoding in HTTP/1.0")


def test_a_body_in_chunks_is_known_by_any_spelling(service: Service) -> None:
    found = exchange(service, GET + b"Transfer-Encoding: CHUNKED \r\nConnection: close\r\n\r\n0\r\n\r\n")
    assert [status for status, _ in found] == [200]


def test_two_requests_in_one_packet_are_answered_in_order(service: Service) -> None:
    found = exchange(service, GET + b"\r\n" + OTHER + b"Connection: close\r\n\r\n")
    assert [body["policy.subnet"] for _, body in found] == ["10.61.2.0/24", "10.61.3.0/24"]


def test_what_follows_a_good_request_does_not_take_its_answer(service: Service) -> None:
    first, second = exchange(service, GET + b"\r\n\x00\x01\x02")
    assert (first[0], second[0]) == (200, 400)


@pytest.mark.parametrize("header", [b"", b"Connection: keep-alive\r\n"])
def test_http_1_0_is_answered_and_closed(service: Service, header: bytes) -> None:
    ((status, body),) = exchange(service, b"GET " + TARGET + b"10.61.2.0 HTTP/1.0\r\n" + header + b"\r\n")
    assert (status, body["status"]) == (200, "success")


@pytest.mark.parametrize("header", [b"", b"Connection: keep-alive\r\n"])
def test_http_1_0_gets_no_chunks_and_what_has_no_length_ends_with_the_connection(
    service: Service, header: bytes
) -> None:
    with connect(service) as connection:
        connection.sendall(b"GET /locations.csv HTTP/1.0\r\n" + header + b"\r\n")
        head, _, body = rest(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nconnection: close" in head
    assert b"transfer-encoding" not in head
    assert body == service.ask("/locations.csv").body
    with connect(service) as connection:
        connection.sendall(b"HEAD /locations.csv HTTP/1.0\r\n" + header + b"\r\n")
        same, _, nothing = rest(connection).partition(b"\r\n\r\n")
    assert (undated(same), nothing) == (undated(head), b"")


def test_a_whole_url_as_the_target_is_answered(service: Service) -> None:
    target = b"http://policy.example.com" + TARGET + b"10.61.2.0"
    ((status, body),) = exchange(service, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert (status, body["status"]) == (200, "success")


@pytest.mark.parametrize("target", [b"", b"?protocol=mssip", b":8080?u=http://x/"])
def test_a_whole_url_without_a_path_asks_for_the_first_page(service: Service, target: bytes) -> None:
    with connect(service) as connection:
        connection.sendall(b"HEAD HTTP://x" + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        head = rest(connection)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"content-type: text/html" in head


def test_what_may_be_asked_of_the_server_as_a_whole_is_told(service: Service) -> None:
    with connect(service) as connection:
        connection.sendall(b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        head = rest(connection)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nallow: GET, HEAD, OPTIONS\r\n" in head


@pytest.mark.parametrize("target", [TARGET + b"10.61.2.0", b"/status", b"http://x/healthz"])
@pytest.mark.parametrize(
    "lines",
    [b" HTTP/1.1\r\n", b" HTTP/1.1\r\nHost: x\r\nhost: x\r\n", b" HTTP/1.0\r\nHost: x\r\nHost: y\r\n"],
    ids=["none", "two", "two in 1.0"],
)
def test_a_request_names_one_host(service: Service, target: bytes, lines: bytes) -> None:
    assert_refused(
        exchange(service, b"GET " + target + lines + b"\r\n"), 400, "bad.request - It must have one Host header"
    )


def test_before_http_1_1_a_host_need_not_be_named(service: Service) -> None:
    ((status, _),) = exchange(service, b"GET " + TARGET + b"10.61.2.0 HTTP/1.0\r\n\r\n")
    assert status == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS client
        b"\x00" * 4096,
        b"HELLO\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET http://?protocol=mssip HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /policy/\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT policy.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        GET + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n12",
        GET + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        GET + b"Content-Length: x\r\n\r\n",
        GET + b"Content-Length: +5\r\n\r\nhello",
        GET + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
        GET + b"Authorization: Basic\r\n bm9kZTp4\r\n\r\n",
        GET + b"X: a\x00b\r\n\r\n",
        GET + b"X: a\rb\r\n\r\n",
        GET.replace(b"\r\n", b"\n") + b"\n",
        GET + b"no colon\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=[
        "tls",
        "zeros",
        "words",
        "version",
        "no host",
        "no ascii",
        "space in name",
        "http/2",
        "tunnel",
        "two lengths",
        "length and chunks",
        "length that is none",
        "length with a sign",
        "chunked and then not",
        "folded header",
        "nul in a header",
        "bare cr",
        "bare lf",
        "no colon",
        "nul in the path",
    ],
)
def test_what_is_no_request_is_told_so_and_closed(service: Service, sent: bytes) -> None:
    assert_refused(exchange(service, sent), 400, "bad.request - This is not an HTTP request")


def test_nothing_is_hidden_in_a_body_of_an_unknown_coding(service: Service) -> None:
    sent = GET + b"Transfer-Encoding: xchunked\r\n\r\n" + OTHER + b"\r\n"
    assert [status for status, _ in exchange(service, sent)] == [400]


def test_an_upgrade_is_answered_as_if_it_had_not_been_asked_for_and_closed(service: Service) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ((status, body),) = exchange(service, GET + upgrade + b"\x81\x05hello")
    assert (status, body["status"]) == (200, "success")


@pytest.mark.parametrize(
    ("target", "host", "is_ours"),
    [
        (b"http://evil.example/edit", b"localhost", False),
        (b"http://localhost@evil.example:80/edit", b"localhost", False),
        (b"HTTP://evil.example?localhost/", b"localhost", False),
        (b"http://localhost/edit", b"localhost", True),
        (b"http://user@[::1]:80/edit", b"evil.example", True),
        (b"//localhost/edit", b"evil.example", False),
        (b"/edit", b"localhost", True),
    ],
)
def test_the_host_of_a_whole_url_is_the_one_that_is_asked(
    service: Service, target: bytes, host: bytes, is_ours: bool
) -> None:
    with connect(service) as connection:
        connection.sendall(b"POST %b HTTP/1.1\r\nHost: %b\r\nContent-Length: 0\r\n\r\n" % (target, host))
        head = connection.recv(4096)
    assert (not head.startswith(b"HTTP/1.1 403 ")) is is_ours, head


# --- bodies ---


@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"],
    ids=["length", "chunked"],
)
def test_a_small_body_is_passed_over(service: Service, body: bytes) -> None:
    found = exchange(service, GET + body + OTHER + b"Connection: close\r\n\r\n")
    assert [body["policy.subnet"] for _, body in found] == ["10.61.2.0/24", "10.61.3.0/24"]


def test_a_body_that_comes_after_its_answer_is_passed_over(service: Service) -> None:
    with connect(service) as connection:
        connection.sendall(GET + b"Content-Length: 5\r\n\r\n")
        assert read_answer(connection)[0] == 200
        connection.sendall(b"hello")
        connection.sendall(OTHER + b"\r\n")
        assert read_answer(connection)[1]["policy.subnet"] == "10.61.3.0/24"


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (b"Content-Length: 20000000\r\n\r\n", b"1" * 20_000_000),
        (b"Transfer-Encoding: chunked\r\n\r\n", (b"800\r\n" + b"1" * 2048 + b"\r\n") * (2 * BODY_BYTES // 2048)),
        (b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Trailer: 1\r\n" * BODY_BYTES),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"no size\r\n"),
        (b"Content-Length: 5\r\n\r\n", b"hell"),
    ],
    ids=["length", "chunked", "trailers", "no chunk", "half"],
)
def test_a_body_that_is_large_or_late_or_wrong_is_answered_and_closed(
    service: Service, header: bytes, body: bytes
) -> None:
    with connect(service) as connection:
        with suppress(ConnectionError):
            connection.sendall(GET + header + body)
        assert read_answer(connection)[0] == 200
        with suppress(ConnectionError):
            assert rest(connection) == b""


def test_a_body_that_waits_to_be_asked_for_is_answered_without_it_and_closed(service: Service) -> None:
    post = GET.replace(b"GET", b"POST", 1) + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    assert [status for status, _ in exchange(service, post)] == [405]


# --- too many ---


def test_ten_thousand_idle_connections_keep_nobody_waiting(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(10_000, hard - 1000) - 100
    repository = make_repository(tmp_path / "locations.git", GOOD)
    try:
        with running_service(repository, "--header-timeout", "100") as service, ExitStack() as idle:
            for _ in range(count):
                idle.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=10))
            assert service.locate("10.61.2.0").status == 200
            assert len(list(Path(f"/proc/{service.process.pid}/fd").iterdir())) > count
            assert service.stop() == 0
            assert "Traceback" not in service.log.read_text()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_connections_over_the_limit_are_turned_away_and_told_once(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "locations.git", GOOD)
    with running_service(repository, "--max-connections", "3") as service, ExitStack() as taken:
        connections = [taken.enter_context(connect(service)) for _ in range(3)]
        for connection in connections:
            connection.sendall(GET + b"\r\n")
            assert read_answer(connection)[0] == 200
        for _ in range(2):
            refused = exchange(service, b"")
            assert_refused(refused, 503, "service.unavailable - There are too many connections")
        connections[0].close()
        wait_until(lambda: bool(exchange(service, GET + b"Connection: close\r\n\r\n")[0][0] == 200))
        told = "WARNING too many connections: those over 3 are rejected\n"
        assert service.log.read_text().count(told) == 1


def test_one_address_leaves_places_to_others_and_only_it_is_turned_away(caplog: pytest.LogCaptureFixture) -> None:
    places = ConnectionPlaces(8, stands_for_many=lambda _: False)
    with in_this_process(10, answer_little, places=places) as server, ExitStack() as taken:

        def asked_from(address: str) -> tuple[int, dict[str, Any]]:
            one = socket.create_connection(address_of(server), timeout=10, source_address=(address, 0))
            taken.enter_context(closing(one)).sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            head, _, body = one.recv(4096).partition(b"\r\n\r\n")
            return int(head.split()[1]), json.loads(body) if b"json" in head else {}

        assert [asked_from("127.0.0.1")[0] for _ in range(5)] == [200, 200, 200, 200, 503]
        assert asked_from("127.0.0.1")[1]["status"].endswith(" - There are too many connections from this address")
        assert asked_from("127.0.0.2")[0] == 200
    told = "too many connections: those of 127.0.0.1 over its share are rejected"
    assert [record.getMessage() for record in caplog.records if "too many" in record.getMessage()] == [told]
    assert (places.taken, places.held) == (0, {})


def test_a_client_that_reads_late_gets_all_and_holds_up_nobody() -> None:
    with in_this_process(seconds=1.5) as server, closing(reluctant(address_of(server))) as late:
        late.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        with closing(socket.create_connection(address_of(server), timeout=10)) as other:
            other.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert len(rest(other)) > len(LARGE)
        received = 0
        while part := late.recv(20_000):
            received += len(part)
            time.sleep(0.001)  # a client far away
        assert received > len(LARGE)


def test_a_client_that_never_reads_is_cut() -> None:
    with in_this_process(seconds=0.2) as server, closing(reluctant(address_of(server))) as deaf:
        wait_until(lambda: len(server.server_state.connections) == 1)
        (held,) = server.server_state.connections
        deaf.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: cast("LimitedProtocol", held).flow.write_paused)
        deaf.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: not server.server_state.connections)


@pytest.mark.parametrize(("rate", "is_cut"), [(64, True), (8_000, False)])
def test_a_client_that_reads_next_to_nothing_is_cut_and_a_slow_one_is_not(
    rate: int, is_cut: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = 30  # times as fast as in life
    monkeypatch.setattr(timeouts, "READING", timeouts.READING / fast)
    with in_this_process(seconds=60) as server, closing(reluctant(address_of(server))) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: len(server.server_state.connections) == 1)
        (held,) = server.server_state.connections
        wait_until(lambda: cast("LimitedProtocol", held).flow.write_paused)
        end = time.monotonic() + 3.0
        while time.monotonic() < end and server.server_state.connections:
            slow.recv(int(rate * fast * 0.05))
            time.sleep(0.05)
        assert (not server.server_state.connections) is is_cut


def test_answers_that_are_not_read_cost_no_more_than_their_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer_to_its_asker(scope: Scope, receive: Receive, send: Send) -> None:
        scope[ASKER] = scope["path"]
        await answer_much(scope, receive, send)

    monkeypatch.setattr(timeouts.TimedProtocol, "unread", Unread(len(LARGE)))  # each has half of it in memory
    with in_this_process(seconds=60, app=answer_to_its_asker) as server, ExitStack() as taken:
        fair, *greedy = [taken.enter_context(closing(reluctant(address_of(server)))) for _ in range(6)]
        fair.sendall(b"GET /fair HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        for one in greedy:
            one.sendall(b"GET /greedy HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: len(server.server_state.connections) < 4)
        assert len(rest(fair)) > len(LARGE)


def test_a_connection_that_was_idle_for_its_time_is_closed() -> None:
    with in_this_process(seconds=0.5) as server, closing(socket.create_connection(address_of(server))) as idle:
        idle.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert len(rest(idle)) > len(LARGE)


async def read_on(_scope: Scope, receive: Receive, send: Send) -> None:
    """An upload, which is answered at its end; the answer to GET begins before it."""
    if _scope["method"] == "GET":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    while (await receive()).get("more_body"):
        pass


@pytest.mark.parametrize(("method", "told"), [(b"POST", 503), (b"GET", None)])
def test_a_body_that_still_comes_when_the_service_ends_leaves_no_traceback(
    method: bytes, told: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    with in_this_process(60, read_on, grace=0.1) as server:
        upload = socket.create_connection(address_of(server), timeout=10)
        upload.sendall(method + b" /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
        wait_until(lambda: bool(server.server_state.tasks))
    with closing(upload):
        received = rest(upload)
    if told:
        assert_refused(answers(received), told, "service.unavailable - The service ends")
    assert [record.exc_info for record in caplog.records if record.levelno >= logging.ERROR] == [None]


LARGE = b"x" * 12_000_000


async def answer_much(_scope: Scope, _receive: Receive, send: Send) -> None:
    """More than the buffers on the way can hold."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(LARGE))]})
    half = len(LARGE) // 2
    await send({"type": "http.response.body", "body": LARGE[:half], "more_body": True})
    await send({"type": "http.response.body", "body": LARGE[half:]})


async def answer_little(_scope: Scope, _receive: Receive, send: Send) -> None:
    """An answer without a body."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


@contextmanager
def in_this_process(
    seconds: float,
    app: Any = answer_much,  # noqa: ANN401  ASGI
    grace: float | None = None,
    places: ConnectionPlaces = LimitedProtocol.places,
) -> Iterator[uvicorn.Server]:
    """A server whose idle connections, and requests at its end, have these times, which are no options of `serve`."""

    class Protocol(LimitedProtocol):
        def __init__(self, **named: Any) -> None:  # noqa: ANN401  as uvicorn calls it
            super().__init__(**named)
            self.timeout_keep_alive = seconds  # type: ignore[assignment]  # which uvicorn only adds to a time

    options: dict[str, Any] = {"lifespan": "off", "log_config": None, "ws": "none", "loop": "uvloop"}
    options["timeout_graceful_shutdown"] = grace
    Protocol.places = places
    server = uvicorn.Server(uvicorn.Config(app, http=Protocol, **options))
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield server
        finally:
            server.should_exit = True
            thread.join()


def reluctant(address: tuple[str, int]) -> socket.socket:
    """A connection that can hold little that was not read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.settimeout(10)
    connection.connect(address)
    return connection


def address_of(server: uvicorn.Server) -> tuple[str, int]:
    return cast("tuple[str, int]", server.servers[0].sockets[0].getsockname())


# --- what the machine gives ---


def test_the_limit_of_open_files_is_raised_to_what_is_needed() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limits = Limits(connections=hard - OTHER_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 1024), hard))
    try:
        assert fitted(limits) is limits
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_where_it_cannot_be_raised_fewer_connections_are_taken_and_that_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        assert fitted(Limits(connections=hard)).connections == hard - OTHER_FILES
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    told = f"room for {hard - OTHER_FILES} connections, not {hard}: the limit of open files is {hard}"
    assert caplog.record_tuples == [("location_policy.server.open_files", logging.WARNING, told)]
