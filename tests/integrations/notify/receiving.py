"""A receiver of notifications: what came, proven as Standard Webhooks says, and how it can go wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, NamedTuple

from location_policy.access.webhook_proof import Proof
from location_policy.integrations.http_client import trust
from location_policy.integrations.notify.event import Event, Sender
from location_policy.integrations.notify.options import Format
from location_policy.integrations.notify.receiver import Receiver, parse_target
from tests.support.access import Pki
from tests.support.maps import COMMIT, MOMENT
from tests.support.peer import PeerHandler, running_peer
from tests.support.service import wait_until

SECRET = b"a-secret-that-nobody-may-see"
HIDDEN = "T0000-hidden"
"""What stands in the URL and shows nowhere."""
EVENT = Event("active", MOMENT, Sender("policy-1", "/srv/locations.git", "main"), COMMIT.id, COMMIT, 3, 0.4)


class Message(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body's meaning."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    def is_proven(self, *secrets: bytes) -> bool:
        """Has it a signature by one of these?"""
        headers = {name.encode(): value.encode() for name, value in self.headers.items()}
        proof = Proof(headers, secrets or (SECRET,), time.time())
        proof.update(self.body)
        return proof.is_given and proof.holds()


Say = Callable[["Handler"], None]


@dataclass
class Inbox:
    """What has come, and what is said to the next ones in place of 204."""

    url: str = ""
    messages: list[Message] = field(default_factory=list)
    says: list[Say] = field(default_factory=list)

    @property
    def kinds(self) -> list[str]:
        """What was told, in the generic form."""
        return [message.json()["type"] for message in self.messages]

    def wait_for(self, *kinds: str) -> None:
        """Return once these have come, and nothing else."""
        wait_until(lambda: len(self.messages) >= len(kinds), lambda: self.kinds)
        assert self.kinds == [*kinds]


class Handler(PeerHandler, BaseHTTPRequestHandler):
    """One connection."""

    inbox: Inbox

    def do_POST(self) -> None:
        """Take it, or say what is to be said."""
        say = self.inbox.says.pop(0) if self.inbox.says else None
        if say is None or say is not hangs:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.inbox.messages.append(Message(self.path, headers, body))
        (say or status(204))(self)


def status(code: int, **headers: str) -> Say:
    """Say this status."""
    return lambda handler: handler.say(code, b"", **headers)


def hangs(handler: Handler) -> None:
    """Read nothing and say nothing, until the other end has gone."""
    handler.connection.settimeout(30)
    while handler.connection.recv(65_536):
        pass
    handler.close_connection = True


def drips(handler: Handler) -> None:
    """Say a byte now and then, without end, until the other end has gone."""
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            handler.wfile.write(b"x")
            time.sleep(0.05)
    except OSError:
        handler.close_connection = True


@contextmanager
def running_receiver(pki: Pki | None = None, *says: Say) -> Iterator[Inbox]:
    """A receiver at a URL with a secret in it."""
    inbox = Inbox(says=list(says))
    with running_peer(Handler, pki, inbox=inbox) as url:
        inbox.url = f"{url}/services/{HIDDEN}?sig={HIDDEN}"
        yield inbox


def receiver_of(url: str, form: Format = "json", *secrets: bytes, ca: Path | None = None) -> Receiver:
    """What sends there."""
    target = parse_target(url)
    return Receiver(lambda: target, form, lambda: secrets, trust(ca))
