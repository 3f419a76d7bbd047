"""Where a server is that is asked: scheme, host and port, and nothing else of a URL."""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from ..errors import NoAnswer
from .http_client import PORTS, Origin


class Server(NamedTuple):
    """What is asked, the option that names its URL, and how one looks."""

    noun: str
    option: str
    example: str


MANAGER = Server("the Management Node", "--manager", "https://manager.example.com")
SERVICE = Server("the service", "--url", "https://policy.example.com")


def parse_origin(text: str, server: Server, *, allow_http: bool = False) -> Origin:
    """The server that a URL names; http only to this machine, unless allowed.

    Raises NoAnswer, which repeats nothing of a URL that has a password in it.
    """
    url, example = _split(text, server), f"write {server.option} {server.example}"
    if "@" in url.netloc:
        hint = "give --user, and the password by --password-file"
        raise NoAnswer("a URL with a user or a password in it would show them to everybody", hint)
    if url.scheme not in PORTS or not url.hostname:
        raise NoAnswer(f"{text!r} is not the URL of {server.noun}", example)
    try:
        origin = Origin(url.scheme, url.hostname.encode("idna").decode(), url.port or PORTS[url.scheme])
    except ValueError:  # also what IDNA refuses
        raise NoAnswer(f"{text!r} is not the URL of {server.noun}", example) from None
    if url.path.rstrip("/") or url.query or url.fragment:
        raise NoAnswer(f"{text!r} names a page, not {server.noun}", f"write {server.option} {origin}")
    if url.scheme == "http" and not allow_http and not is_this_machine(origin.host):
        hint = f"write {server.option} {origin._replace(scheme='https', port=443)}"
        raise NoAnswer("over http everybody on the way reads the password", hint)
    return origin


def _split(text: str, server: Server) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:
        raise NoAnswer(f"{server.option} is not a URL", f"write {server.option} {server.example}") from None


def is_this_machine(host: str) -> bool:
    """Does what is sent to this host stay on the machine, by its name?"""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
