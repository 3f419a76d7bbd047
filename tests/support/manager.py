"""A Management Node of ours: the lists of its configuration API in pages, over TLS, and how it can go wrong."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.support.access import PASSWORD, Pki
from tests.support.peer import PeerHandler, running_peer

USER = "api"
BASE = "/api/admin/configuration/v1/"

Say = Callable[["Handler"], None]
"""What is said in place of the next page."""


@dataclass
class ManagementNode:
    """What it has, and what it does; `asked` are the paths of requests, with the page size that it allows."""

    lists: dict[str, list[dict[str, object]]]
    ca: Path | None = None
    url: str = ""
    page: int = 1_000
    says: list[Say] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def arguments(self) -> list[str | Path]:
        """How the program is told of it."""
        return ["--manager", self.url, "--user", USER, *(("--ca", self.ca) if self.ca else ())]


class Handler(PeerHandler, BaseHTTPRequestHandler):
    """One connection."""

    node: ManagementNode

    def do_GET(self) -> None:
        """A page, or what is to be said in its place."""
        self.node.asked.append((self.path, self.headers["Authorization"]))
        if self.node.says:
            self.node.says.pop(0)(self)
        elif self.headers["Authorization"] != "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode():
            self.say(401, b"")
        else:
            self._page()

    def _page(self) -> None:
        url = urlsplit(self.path)
        objects = self.node.lists.get(url.path.removeprefix(BASE).rstrip("/"))
        if objects is None or not url.path.endswith("/"):
            self.say(404, b"")
            return
        query = {name: int(values[0]) for name, values in parse_qs(url.query).items()}
        limit, offset = min(query.get("limit", 20), self.node.page), query.get("offset", 0)
        following = f"{url.path}?limit={limit}&offset={offset + limit}" if offset + limit < len(objects) else None
        self.say(200, page(objects[offset : offset + limit], len(objects), following))


def page(objects: Sequence[object], total: int, following: str | None = None) -> bytes:
    """The envelope of a list."""
    meta = {"limit": 1_000, "next": following, "offset": 0, "previous": None, "total_count": total}
    return json.dumps({"meta": meta, "objects": list(objects)}).encode()


def location(number: int, name: object, profile: int | None = None) -> dict[str, object]:
    """A system location, with a few of its fields that do not count."""
    return {
        "id": number,
        "name": name,
        "description": "",
        "mtu": 1500,
        "overflow_location1": f"{BASE}system_location/2/",
        "policy_server": profile and f"{BASE}policy_server/{profile}/",
        "resource_uri": f"{BASE}system_location/{number}/",
    }


def profile(number: int, name: str, url: str, *, asks: bool = True) -> dict[str, object]:
    """A policy profile."""
    return {
        "id": number,
        "name": name,
        "url": url,
        "username": "pexip",
        "enable_media_location_lookup": asks,
        "enable_service_lookup": False,
        "resource_uri": f"{BASE}policy_server/{number}/",
    }


def locations(*names: object) -> list[dict[str, object]]:
    """Locations of these names, without a policy profile."""
    return [location(number, name) for number, name in enumerate(names, 1)]


@contextmanager
def running_manager(
    pki: Pki | None, *names: str, profiles: Sequence[dict[str, object]] = ()
) -> Iterator[ManagementNode]:
    """A Management Node that has these locations; without a Pki it speaks http."""
    node = ManagementNode({"system_location": locations(*names), "policy_server": list(profiles)})
    node.ca = pki.ca_file if pki else None
    with running_peer(Handler, pki, node=node) as node.url:
        yield node
