"""Where a Management Node is: scheme, host and port, and nothing else of a URL."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from ...errors import NoAnswer
from ..http_client import PORTS, Origin

_EXAMPLE = "write --manager https://manager.example.com"


def parse_origin(text: str, *, allow_http: bool = False) -> Origin:
    """The Management Node that a URL names; http only to this machine, unless allowed.

    Raises NoAnswer, which repeats nothing of a URL that has a password in it.
    """
    url = _split(text)
    if "@" in url.netloc:
        hint = "give --user, and the password by --password-file"
        raise NoAnswer("a URL with a user or a password in it would show them to everybody", hint)
    if url.scheme not in PORTS or not url.hostname:
        raise NoAnswer(f"{text!r} is not the URL of a Management Node", _EXAMPLE)
    try:
        origin = Origin(url.scheme, url.hostname.encode("idna").decode(), url.port or PORTS[url.scheme])
    except ValueError:  # also what IDNA refuses
        raise NoAnswer(f"{text!r} is not the URL of a Management Node", _EXAMPLE) from None
    if url.path.rstrip("/") or url.query or url.fragment:
        raise NoAnswer(f"{text!r} names a page, not the Management Node", f"write --manager {origin}")
    if url.scheme == "http" and not allow_http and not _is_this_machine(origin.host):
        hint = f"write --manager {origin._replace(scheme='https', port=443)}"
        raise NoAnswer("over http everybody on the way reads the password", hint)
    return origin


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:
        raise NoAnswer("--manager is not a URL", _EXAMPLE) from None


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
