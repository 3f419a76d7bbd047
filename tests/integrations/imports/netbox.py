"""A small imitation of NetBox: the prefixes of its REST API in pages, for who has one of its two tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.support.access import Pki
from tests.support.peer import PeerHandler, running_peer

TOKEN = "token-of-netbox"
NEW_TOKEN = "nbt_key.token-of-netbox"
"""As NetBox 4.5 and later make them."""
PATH = "/api/ipam/prefixes/"

Prefix = tuple[str, str, str | None]
"""A prefix, its status, and its site."""


class Handler(PeerHandler, BaseHTTPRequestHandler):
    """One connection."""

    prefixes: Sequence[Prefix]
    faults: list[str]
    """What the next requests are answered with in place of a page: `too many`, `half`; empty: the page."""

    def do_GET(self) -> None:
        """A page of prefixes."""
        url = urlsplit(self.path)
        fault = self.faults.pop(0) if self.faults else ""
        if self.headers["Authorization"] not in (f"Token {TOKEN}", f"Bearer {NEW_TOKEN}"):
            self.say(403, b'{"detail":"Invalid token"}')
        elif fault == "too many":
            self.say(429, b'{"detail":"Request was throttled."}', Retry_After="1")
        elif fault == "half":
            self.say(200, b'{"count":5,"next":null,"results":[{"pre', Content_Length="9000")
            self.close_connection = True
        elif url.path != PATH:
            self.say(404, b'{"detail":"Not found."}')
        else:
            query = {name: int(values[0]) for name, values in parse_qs(url.query).items()}
            self._page(query.get("limit", 50), query.get("offset", 0))

    def _page(self, limit: int, offset: int) -> None:
        host = self.headers["Host"]
        beyond = offset + limit
        following = f"http://{host}{PATH}?limit={limit}&offset={beyond}" if beyond < len(self.prefixes) else None
        results = [_fields(number, one) for number, one in enumerate(self.prefixes, 1)][offset:beyond]
        answer = {"count": len(self.prefixes), "next": following, "previous": None, "results": results}
        self.say(200, json.dumps(answer, separators=(",", ":")).encode())


def _fields(number: int, prefix: Prefix) -> dict[str, object]:
    """The fields of a prefix as NetBox 4.2 has them, as far as they count."""
    network, status, site = prefix
    return {
        "id": number,
        "url": f"https://netbox.example.com{PATH}{number}/",
        "display": network,
        "family": {"value": 4, "label": "IPv4"},
        "prefix": network,
        "vrf": None,
        "scope_type": site and "dcim.site",
        "scope": site and {"id": 1, "display": site, "name": site, "slug": site.lower()},
        "status": {"value": status, "label": status.capitalize()},
        "role": None,
        "is_pool": False,
        "tags": [],
    }


@contextmanager
def running_netbox(prefixes: Sequence[Prefix], faults: Sequence[str] = (), pki: Pki | None = None) -> Iterator[str]:
    """Its URL; it has these prefixes, and these faults before it answers."""
    with running_peer(Handler, pki, prefixes=prefixes, faults=[*faults]) as url:
        yield url
