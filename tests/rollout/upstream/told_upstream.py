"""A service that is followed: the real one, with what it tells of its tip as a test wants it.

It stands on a port of its own, answers `/locations.git/tip`, and hands all else to the service as it comes.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.access import Pki
from tests.support.peer import PeerHandler, running_peer
from tests.support.service import Service, wait_until

TIP = "/locations.git/tip"
SERVICE = "0123456789abcdef"
LOOK = 0.01
"""Seconds between two looks at what is in force."""

Said = tuple[int, bytes, Mapping[str, str]]
"""Status, body and headers of an answer."""


@dataclass
class Upstream:
    """What it tells, and what was told to it; `say` answers in place of all, `commit` is told in place of the real."""

    service: Service
    url: str = ""
    name: str = SERVICE
    commit: str | None = None
    more: Mapping[str, object] = field(default_factory=dict)
    say: Callable[[Mapping[str, str]], Said | None] = lambda _: None
    heard: list[dict[str, str]] = field(default_factory=list)
    """The headers of each request, names in lower case."""
    asked: list[str] = field(default_factory=list)
    """The paths of what was handed on."""
    is_ended: threading.Event = field(default_factory=threading.Event)

    def in_force(self) -> str | None:
        """What it tells now."""
        if self.commit:
            return self.commit
        found = self.service.status()["active"]
        return str(found["commit"]) if found else None

    def last(self, header: str) -> str | None:
        """What was heard last in this header."""
        return self.heard[-1].get(header.lower()) if self.heard else None

    def wait_to_hear(self, header: str, value: str) -> None:
        """Return once that was told."""
        wait_until(lambda: self.last(header) == value, lambda: self.heard[-1:])


class _Handler(PeerHandler):
    upstream: Upstream

    def do_GET(self) -> None:  # noqa: N802  as http.server has it
        if self.path != TIP:
            self._hand_on()
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.upstream.heard.append(headers)
        known = headers.get("if-none-match", "").strip('"')
        wait = re.fullmatch(r"wait=(\d+)", headers.get("prefer", ""))
        until = time.monotonic() + (int(wait[1]) if wait else 0)
        while True:
            if (said := self.upstream.say(headers)) is not None:
                self.say(said[0], said[1], **said[2])
                return
            commit = self.upstream.in_force()
            if commit != known or time.monotonic() >= until or self.upstream.is_ended.wait(LOOK):
                break
        if commit == known:
            self.send_response(304)
            self.end_headers()
            return
        told = {"commit": commit, "branch": "main", "since": "2026-11-30T00:00:00Z", "state": "in-sync"}
        body = json.dumps({**told, "service": self.upstream.name, **self.upstream.more}).encode()
        self.say(200, body, ETag=f'"{commit}"')

    def do_POST(self) -> None:  # noqa: N802  as above
        self._hand_on()

    def _hand_on(self) -> None:
        self.upstream.asked.append(self.path)
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        with closing(http.client.HTTPConnection("127.0.0.1", self.upstream.service.port, timeout=20)) as connection:
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            found = {name: value for name, value in response.getheaders() if name.lower() != "transfer-encoding"}
            content = response.read()
        self.send_response(response.status)
        for name, value in {**found, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def told_upstream(service: Service, pki: Pki | None = None, **facts: object) -> Iterator[Upstream]:
    """A running service as one that is followed, over TLS with a Pki."""
    upstream = Upstream(service, **facts)  # type: ignore[arg-type]  # fields of several types
    with running_peer(_Handler, pki, upstream=upstream) as url:
        upstream.url = f"{url}/locations.git"
        try:
            yield upstream
        finally:
            upstream.is_ended.set()


def copy_in(folder: Path) -> Path:
    """The copy that a service keeps below a folder."""
    (copy,) = folder.glob("**/mirror-*.git")
    return copy
