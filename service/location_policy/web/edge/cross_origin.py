"""Cross-origin requests: what changes something is refused to pages from elsewhere.

A browser says from where a page asks that is not merely looking: by `Origin` (RFC 6454), newer ones by
`Sec-Fetch-Site` too (W3C, "Fetch Metadata Request Headers"). Who says neither is no browser, and shows credentials.
"""

from __future__ import annotations

import re

from starlette.types import Scope

from ...access.proxies import Proxies
from ...text import quote

LOOKING = ("GET", "HEAD")
OWN_SITES = (b"same-origin", b"none")
"""Our own pages, and what the user does in the browser itself."""
_ORIGIN = re.compile(r"(https?)://([^/?#@\s]+)")
_PORT = re.compile(r"(.*?)(?::(\d*))?")
_USUAL = {"http": "80", "https": "443"}


def foreign(scope: Scope, proxies: Proxies) -> str | None:
    """Why a request is refused that would change something; None: it is one of our pages that asks, or no page."""
    if scope["method"] in LOOKING:
        return None
    sites = _values(scope, b"sec-fetch-site")
    if any(site not in OWN_SITES for site in sites):
        return "A page from elsewhere may not change anything here (Sec-Fetch-Site)"
    for origin in _values(scope, b"origin"):
        text = origin.decode("latin-1")
        if not _is_own(text, scope, proxies):
            return f"A page of {quote(text)} may not change anything here; a proxy in front has to hand on Host"
    return None


def _is_own(origin: str, scope: Scope, proxies: Proxies) -> bool:
    """Is this the origin by which we are asked? By the scheme only as far as it is known: TLS may end before us."""
    found, hosts = _ORIGIN.fullmatch(origin.lower()), _values(scope, b"host")
    if found is None or len(hosts) != 1:
        return False
    scheme, place = found.groups()
    asked = _scheme(scope, proxies)
    return asked in (scheme, None) and _with_port(place, scheme) == _with_port(hosts[0].decode("latin-1"), scheme)


def _scheme(scope: Scope, proxies: Proxies) -> str | None:
    """That of the request: by TLS of our own, else by the word of a proxy that is believed, else unknown."""
    if scope.get("scheme") == "https":
        return "https"
    peer = scope["client"][0] if scope["client"] else None
    return proxies.scheme(peer, _values(scope, b"x-forwarded-proto"))


def _with_port(place: str, scheme: str) -> tuple[str, str]:
    found = _PORT.fullmatch(place.lower())
    assert found
    return found[1], found[2] or _USUAL[scheme]


def _values(scope: Scope, wanted: bytes) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == wanted]
