"""A connection that is held for one question after the other; of single questions `pexip/test_manager_api.py` tells."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from location_policy.errors import NoAnswer
from location_policy.integrations.http_client import HeldConnection, Origin, Proxy, Question, ask, trust
from tests.support.access import Pki
from tests.support.peer import PeerHandler, running_peer
from tests.support.service import wait_until


class Handler(PeerHandler):
    ports: list[int]
    paths: list[str]

    def do_GET(self) -> None:  # noqa: N802  as http.server has it
        self.ports.append(self.client_address[1])
        self.paths.append(self.path)
        self.close_connection = self.path == "/closed"  # without a word in the answer
        self.say(200, b"x" * 100)


def connection_to(url: str, ca: Path | None = None, proxy: Proxy | None = None) -> HeldConnection:
    scheme, _, rest = url.partition("://")
    host, _, port = rest.partition(":")
    return HeldConnection(Origin(scheme, host, int(port)), trust(ca), proxy)


def test_it_is_used_again_and_made_anew_where_the_server_has_closed_it() -> None:
    ports: list[int] = []
    with running_peer(Handler, ports=ports, paths=[]) as url:
        held = connection_to(url)
        for path in ("/", "/closed", "/"):
            assert held.ask(path, {}, 5, 100).body == b"x" * 100
        held.close()
    assert ports[0] == ports[1] != ports[2]


def test_what_is_longer_than_it_may_be_is_not_read() -> None:
    with running_peer(Handler, ports=[], paths=[]) as url:
        held = connection_to(url)
        with pytest.raises(NoAnswer, match="is longer than 99 bytes"):
            held.ask("/", {}, 5, 99)
        assert held.ask("/", {}, 5, 100).status == 200
        held.close()


@pytest.mark.parametrize("is_tls", [False, True])
def test_another_thread_ends_a_question_that_is_held(tmp_path: Path, is_tls: bool) -> None:
    is_asked, is_over = threading.Event(), threading.Event()

    class Silent(PeerHandler):
        def do_GET(self) -> None:  # noqa: N802  as above
            is_asked.set()
            is_over.wait(20)

    pki = Pki(tmp_path / "pki") if is_tls else None
    with running_peer(Silent, pki) as url:
        held = connection_to(url, pki.ca_file if pki else None)
        told: list[NoAnswer] = []

        def ask() -> None:
            try:
                held.ask("/", {}, 60, 100)
            except NoAnswer as error:
                told.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        assert is_asked.wait(20)
        held.cut()
        thread.join(5)
        is_over.set()
        assert len(told) == 1


def test_https_goes_through_a_proxy_unseen(tmp_path: Path) -> None:
    pki, paths = Pki(tmp_path / "pki"), list[str]()
    with running_peer(Handler, pki, ports=[], paths=paths) as url, socket.create_server(("127.0.0.1", 0)) as listener:
        asked: list[bytes] = []
        thread = threading.Thread(target=_tunnel, args=(listener, int(url.rpartition(":")[2]), asked), daemon=True)
        thread.start()
        proxy = Proxy(Origin("http", "127.0.0.1", listener.getsockname()[1]))
        held = HeldConnection(Origin("https", "localhost", 4430), trust(pki.ca_file), proxy)
        assert held.ask("/tip", {}, 5, 100).status == 200
        held.close()
        wait_until(lambda: not thread.is_alive())
    assert asked[0].startswith(b"CONNECT localhost:4430 HTTP/1.")
    assert paths == ["/tip"]


def _tunnel(listener: socket.socket, port: int, asked: list[bytes]) -> None:
    """A proxy for one connection, which it takes to this port whatever was asked for."""
    client, _ = listener.accept()
    asked.append(client.recv(4096))
    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        back = threading.Thread(target=_copy, args=(server, client), daemon=True)
        back.start()
        _copy(client, server)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while piece := source.recv(4096):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


def test_who_has_no_option_to_wait_longer_hints_at_none() -> None:
    with pytest.raises(NoAnswer, match="has not answered in time") as late:
        ask(Origin("http", "127.0.0.1", 9), Question("/", None), trust(None), 0.0)
    assert late.value.hint is None
