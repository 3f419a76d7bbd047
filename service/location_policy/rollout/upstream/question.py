"""The question to a remote which commit it has active: to whom it goes, by which way, and as whom."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from ...errors import NoAnswer
from ...integrations.http_client import PORTS, HeldConnection, Login, Origin, Proxy, trust
from ...repository.remote.credentials import HttpAccess
from ...repository.remote.upstream import ServiceTip
from .tip import LARGEST, read_tip


def can_tell(url: str) -> bool:
    """May there be a service at this URL?"""
    parts = urlsplit(url)
    return parts.scheme in PORTS and bool(parts.hostname)


def connection_to(url: str, access: HttpAccess) -> HeldConnection:
    """A connection to the host of a URL as git would make it; raises NoAnswer."""
    proxy = None
    if access.proxy:
        if urlsplit(access.proxy).scheme != "http":
            raise NoAnswer(f"the wait goes through no proxy of this kind: {access.proxy}")
        proxy = Proxy(_origin(access.proxy, 1080), Login(*access.proxy_login) if access.proxy_login else None)
    return HeldConnection(_origin(url), trust(access.ca), proxy)


def ask_tip(
    connection: HeldConnection, url: str, access: HttpAccess, headers: Mapping[str, str], seconds: float
) -> ServiceTip | None:
    """What the service at a URL has active; None: what it had. Raises NoAnswer, NoService, NotTold."""
    if access.login:
        headers = {**headers, **dict([Login(*access.login).header()])}
    path = urlsplit(url).path.rstrip("/")
    return read_tip(url, connection.ask(quote(path, safe="/%:@!$&'()*+,;=~") + "/tip", headers, seconds, LARGEST))


def _origin(url: str, port: int | None = None) -> Origin:
    """Raises NoAnswer for a name that no host can have."""
    parts = urlsplit(url)
    try:
        host = (parts.hostname or "").encode("idna").decode()
        return Origin(parts.scheme, host, parts.port or port or PORTS[parts.scheme])
    except (ValueError, KeyError):
        raise NoAnswer(f"{url} names no host") from None
