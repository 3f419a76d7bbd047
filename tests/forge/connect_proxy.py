"""A proxy of HTTP CONNECT (RFC 9110, 9.3.6), in a thread."""

from __future__ import annotations

import select
import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.support.peer import PeerHandler, running_peer


@dataclass
class Proxy:
    """What it wants, and what it was asked; it forwards what is asked with `login`, and refuses with `status`."""

    url: str = ""
    login: str | None = None
    status: int = 0
    targets: list[str] = field(default_factory=list)


class _Handler(PeerHandler, BaseHTTPRequestHandler):
    proxy: Proxy

    def do_CONNECT(self) -> None:
        proof = f"Basic {b64encode((self.proxy.login or '').encode()).decode()}"
        if self.proxy.status:
            self.say(self.proxy.status, b"")
        elif self.proxy.login and self.headers.get("Proxy-Authorization") != proof:
            self.say(407, b"", Proxy_Authenticate='Basic realm="proxy"')
            return
        else:
            self.proxy.targets.append(self.path)
            self._forward()
        self.close_connection = True

    def _forward(self) -> None:
        host, _, port = self.path.partition(":")
        with socket.create_connection((host, int(port))) as other:
            self.send_response(200)
            self.end_headers()
            ends = {self.connection: other, other: self.connection}
            while True:
                for end in select.select([*ends], [], [], 10)[0]:
                    content = end.recv(65_536)
                    if not content:
                        return
                    ends[end].sendall(content)


@contextmanager
def running_proxy(login: str | None = None) -> Iterator[Proxy]:
    """A proxy that wants `user:password`, if anything."""
    proxy = Proxy(login=login)
    with running_peer(_Handler, proxy=proxy) as proxy.url:
        yield proxy
