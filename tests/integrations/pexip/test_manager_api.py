"""The lists of a Management Node: every page of them, or one sentence that says why not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from location_policy.errors import NoAnswer
from location_policy.integrations.http_client import Login, trust
from location_policy.integrations.pexip.manager_api import Manager
from location_policy.integrations.server_url import MANAGER, parse_origin
from tests.support.access import PASSWORD
from tests.support.manager import BASE, USER, Handler, ManagementNode, Say, locations, page, running_manager


@pytest.fixture
def node() -> Iterator[ManagementNode]:
    with running_manager(None, "Sydney") as running:
        yield running


def asked(node: ManagementNode, seconds: float = 20) -> list[str]:
    """The names of its locations."""
    told: list[str] = []
    origin, login = parse_origin(node.url, MANAGER), Login(USER, PASSWORD)
    manager = Manager(origin, login, trust(None), time.monotonic() + seconds, told.append)
    return [location.name for location in manager.locations()]


def drip(handler: Handler) -> None:
    """A byte now and then, so that no single read waits long."""
    with suppress(OSError):
        while True:
            handler.connection.sendall(b"x")
            time.sleep(0.05)


def not_http(handler: Handler) -> None:
    handler.wfile.write(b"220 mail.example.com\r\n")


def cut_body(handler: Handler) -> None:
    handler.say(200, page(locations("Sydney"), 1)[:-20], Content_Length="10000")
    handler.close_connection = True


def cut_chunk(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"ff\r\nabc")
    handler.close_connection = True


def cut_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-")
    handler.close_connection = True


def cut_everything(handler: Handler) -> None:
    handler.close_connection = True


WRONG: list[tuple[Say, str]] = [
    (lambda handler: handler.say(401, b""), "does not know api by this password"),
    (lambda handler: handler.say(403, b"{}"), f"api may not read {BASE}system_location/"),
    (lambda handler: handler.say(503, b"busy"), "answers with status 503"),
    (lambda handler: handler.say(429, b"", Retry_After="3600"), "is asked too often"),
    (lambda handler: handler.say(302, b"", Location="https://a:b@example.org/x?y"), "elsewhere, to example.org/x\n"),
    (lambda handler: handler.say(200, b"<html>", Content_Type="text/html"), "is not JSON, but text/html of 6 bytes"),
    (lambda handler: handler.say(200, b"[" * 100_000), "is not JSON"),
    (lambda handler: handler.say(200, b"\xff"), "is not JSON"),
    (lambda handler: handler.say(200, b"[]"), "is not a page of objects"),
    (lambda handler: handler.say(200, page([1], 1)), "is not a page of objects"),
    (lambda handler: handler.say(200, page(locations(5), 1)), "an object has name 5"),
    (lambda handler: handler.say(200, page(locations(None), 1)), "an object has name null"),
    (lambda handler: handler.say(200, page(locations("A"), 2)), "counts 2 objects of system_location and names 1"),
    (lambda handler: handler.say(200, b"x" * (16 * 1024 * 1024 + 1)), "is longer than 16,777,216 bytes"),
    (cut_body, "bytes early"),
    (cut_chunk, "the answer was cut"),
    (cut_headers, "is not JSON, but no type of 0 bytes"),
    (cut_everything, "cannot be reached"),
    (not_http, "is not HTTP"),
]


@pytest.mark.parametrize(("say", "told"), WRONG, ids=map(str, range(len(WRONG))))
def test_an_answer_that_is_wrong_is_told(node: ManagementNode, say: Say, told: str) -> None:
    node.says = [say]
    with pytest.raises(NoAnswer) as refusal:
        asked(node)
    assert told in f"{refusal.value}\n"
    assert PASSWORD not in f"{refusal.value} {refusal.value.hint}"
    assert len(node.asked) == 1


def test_a_server_that_has_no_such_list_is_told(node: ManagementNode) -> None:
    del node.lists["system_location"]
    with pytest.raises(NoAnswer, match=f"has no {BASE}system_location/"):
        asked(node)


@pytest.mark.parametrize("seconds", [0.3, 0])
@pytest.mark.parametrize("say", [drip, lambda _: time.sleep(2)], ids=["dripping", "silent"])
def test_an_answer_that_does_not_come_in_time_is_not_waited_for(node: ManagementNode, say: Say, seconds: float) -> None:
    node.says = [say]
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="has not answered in time") as late:
        asked(node, seconds)
    assert late.value.hint == "--timeout SECONDS waits longer"
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("after", ["", "Wed, 21 Oct 2026 07:28:00 GMT", "0"])
def test_a_node_that_is_always_asked_too_often_is_left_alone(node: ManagementNode, after: str) -> None:
    node.says = [lambda handler: handler.say(429, b"", Retry_After=after)] * 20
    with pytest.raises(NoAnswer, match="is asked too often, by all its clients"):
        asked(node, 3)
    assert len(node.asked) <= 5


@pytest.mark.parametrize("told", [locations("Sydney"), []], ids=["the same", "nothing"])
def test_pages_without_end_are_not_asked_for_without_end(node: ManagementNode, told: list[dict[str, object]]) -> None:
    node.says = [lambda handler: handler.say(200, page(told, 9, "/next"))] * 50
    with pytest.raises(NoAnswer, match="repeat themselves, or have no end"):
        asked(node)
    assert len(node.asked) <= 2


def test_more_locations_than_can_be_are_not_believed(node: ManagementNode) -> None:
    node.lists["system_location"] = locations(*map(str, range(10_001)))
    with pytest.raises(NoAnswer, match="names more than 10,000 objects of system_location"):
        asked(node)


def test_a_ca_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer, match="cannot be read: No such file"):
        trust(tmp_path / "ca.pem")
    (tmp_path / "ca.pem").write_text("x")
    with pytest.raises(NoAnswer, match="has no certificate of a CA"):
        trust(tmp_path / "ca.pem")
