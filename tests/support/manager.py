"""A Management Node of ours: lists of its configuration and history API in pages, over TLS, and how it can go wrong."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.support.access import PASSWORD, Pki
from tests.support.peer import PeerHandler, running_peer

USER = "api"
BASE = "/api/admin/configuration/v1/"
HISTORY = "/api/admin/history/v1/"
MEMBER = "Dinah Liddell"
"""Whom every participant's record names, in each field that has a name: it is never to be seen."""

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
        resource = url.path.removeprefix(BASE).removeprefix(HISTORY).rstrip("/")
        base = HISTORY if resource == "participant" else BASE
        objects = self.node.lists.get(resource)
        if objects is None or url.path != f"{base}{resource}/":
            self.say(404, b"")
            return
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if resource == "participant":
            since, until = query["end_time__gte"], query["end_time__lt"]
            objects = [one for one in objects if since <= str(one["end_time"]) < until]
        limit, offset = min(int(query.get("limit", 20)), self.node.page), int(query.get("offset", 0))
        following = f"{url.path}?limit={limit}&offset={offset + limit}" if offset + limit < len(objects) else None
        self.say(200, page(objects[offset : offset + limit], len(objects), following))


def page(objects: Sequence[object], total: int, following: str | None = None) -> bytes:
    """The envelope of a list."""
    meta = {"limit": 1_000, "next": following, "offset": 0, "previous": None, "total_count": total}
    return json.dumps({"meta": meta, "objects": list(objects)}).encode()


def location(number: int, name: object, profile: int | None = None, overflow: int = 2) -> dict[str, object]:
    """A system location, with a few of its fields that do not count."""
    return {
        "id": number,
        "name": name,
        "description": "",
        "mtu": 1500,
        "overflow_location1": f"{BASE}system_location/{overflow}/",
        "policy_server": profile and f"{BASE}policy_server/{profile}/",
        "resource_uri": f"{BASE}system_location/{number}/",
    }


def profile(
    number: int, name: str, url: str, *, asks: bool = True, script: str | None = None, **more: object
) -> dict[str, object]:
    """A policy profile, with a script of local policy for media location."""
    return {
        "id": number,
        "name": name,
        "url": url,
        "username": "pexip",
        "enable_media_location_lookup": asks,
        "enable_service_lookup": False,
        "enable_internal_media_location_policy": script is not None,
        "internal_media_location_policy_template": script or "",
        "resource_uri": f"{BASE}policy_server/{number}/",
        **more,
    }


def worker(number: int, place: int, **more: object) -> dict[str, object]:
    """A conferencing node in a location, which can be known by its address."""
    return {
        "id": number,
        "name": f"node{number}",
        "address": f"10.44.{place}.{number}",
        "ipv6_address": None,
        "node_type": "CONFERENCING",
        "transcoding": True,
        "maintenance_mode": False,
        "cloud_bursting": False,
        "system_location": f"{BASE}system_location/{place}/",
        "resource_uri": f"{BASE}worker_vm/{number}/",
        **more,
    }


def workers(places: int) -> list[dict[str, object]]:
    """One node in each of so many locations."""
    return [worker(number, number) for number in range(1, places + 1)]


def participant(number: int, address: str, landed: int, media: int, **more: object) -> dict[str, object]:
    """The record of a call of a minute that ended a minute ago, with nodes as `workers` has them in these places.

    The fields and their values are those of a recorded answer, but for names.
    """
    ended = datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=1)
    node = f"10.44.{media}.{media}"
    return {
        "av_id": "97cbab1c-21b7-4a2d-8236-b8517a5e39dd",
        "bandwidth": 448,
        "call_direction": "in",
        "call_uuid": f"{MEMBER}-{number}",
        "conference": f"{HISTORY}conference/c4cc1c92/",
        "conference_name": MEMBER,
        "conversation_id": f"{MEMBER}-{number}",
        "disconnect_reason": "Call disconnected",
        "display_name": MEMBER,
        "duration": 60,
        "end_time": ended.isoformat(),
        "has_media": True,
        "id": f"{MEMBER}-{number}",
        "is_streaming": False,
        "local_alias": MEMBER,
        "media_node": node,
        "media_streams": [{"id": 279, "node": node, "stream_id": "0", "stream_type": "audio"}],
        "parent_id": "",
        "protocol": "WebRTC",
        "proxy_node": "",
        "remote_address": address,
        "remote_alias": MEMBER,
        "remote_port": 62558,
        "resource_uri": f"{HISTORY}participant/{MEMBER}-{number}/",
        "role": "chair",
        "service_type": "conference",
        "signalling_node": f"10.44.{landed}.{landed}",
        "start_time": (ended - timedelta(minutes=1)).isoformat(),
        "system_location": f"location {landed}",
        "vendor": "Mozilla/5.0",
        **more,
    }


def locations(*names: object) -> list[dict[str, object]]:
    """Locations of these names, without a policy profile."""
    return [location(number, name) for number, name in enumerate(names, 1)]


@contextmanager
def running_manager(
    pki: Pki | None, *names: str, profiles: Sequence[dict[str, object]] = ()
) -> Iterator[ManagementNode]:
    """A Management Node that has these locations, with a node in each; without a Pki it speaks http."""
    lists = {"system_location": locations(*names), "policy_server": list(profiles), "worker_vm": workers(len(names))}
    node = ManagementNode({**lists, "participant": []})
    node.ca = pki.ca_file if pki else None
    with running_peer(Handler, pki, node=node) as node.url:
        yield node
