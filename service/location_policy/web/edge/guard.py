"""In front of everything: who asks, and may they?

What is not listed here needs a role: the one that looks for GET and HEAD, the one that changes for anything else. So a
new route is closed until it is opened.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from ...access.credentials import Credentials, Roles, TooBusy
from ...access.proxies import Proxies
from ...access.roles import Role
from ...lookup import answers
from ...lookup.answers import Answer
from ...net.client_networks import networks
from ...server.unread import ASKER
from .cross_origin import foreign
from .faults import MEDIA_TYPE, Fault, problem_details
from .git_http import asked, is_git, tell
from .policy_api import PLAIN_TARGET, REFUSAL, PolicyApi, extra_headers, is_policy, send_whole
from .refusal_page import refusal_headers, refusal_page
from .webhook import PATH as WEBHOOK

OPEN = frozenset(("/healthz", "/readyz"))
"""Open to all: what asks whether to send requests here has no password."""
OPEN_TO_OPTIONS = OPEN | {"/", "*"}
"""Where OPTIONS is answered, to all: a load balancer that is told no path checks by `OPTIONS /`, or `OPTIONS *`."""
EDITOR = "location_policy.editor"
"""The key of a scope under which stands whether who asks may change something."""
PROXIED = frozenset((b"forwarded", b"via", b"x-real-ip"))
"""Headers that a proxy adds (RFC 7239; RFC 9110, 7.6.3), besides those that begin with `X-Forwarded-`."""
NOTED = 1024
"""Ways by which clients ask that are not looked at again: fewer than clients are kept, so that one who asks stays."""
ALL_ROLES: frozenset[Role] = frozenset(("node", "viewer", "editor"))

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do what.

    Users are known by password (`credentials`), else by the name in their certificate; unknown clients have the
    roles of `anonymous`.
    """

    credentials: Credentials | None = None
    roles: Roles = field(default_factory=lambda: Roles(None))
    anonymous: frozenset[Role] = frozenset()
    open_paths: frozenset[str] = OPEN
    proxies: Proxies = field(default_factory=Proxies)

    def needed(self, scope: Scope) -> Role | None:
        """The role that a request needs; None: none."""
        if scope["path"] in self.open_paths or (scope["method"] == "OPTIONS" and scope["path"] in OPEN_TO_OPTIONS):
            return None
        if is_policy(scope["path"]):
            return "node"
        if of_git := asked(scope):
            return of_git.role
        return "viewer" if scope["method"] in ("GET", "HEAD") else "editor"


class Guard:
    """Hands on to `app` what may be asked, with the user's name as `user` of the scope.

    `api` stands behind it and answers the plain requests of known nodes, before there is a scope.
    """

    def __init__(self, app: ASGIApp, access: Access, api: PolicyApi | None = None) -> None:
        self._app = app
        self._access = access
        self._api = api
        self._noted: set[int] = set()

    def at_once(self, target: bytes, headers: Headers, peer: str | None) -> bytes | None:
        """The answer to a GET after its status line and what the server adds, if there is nothing to wait for."""
        if self._api is None or not target.startswith(PLAIN_TARGET) or not self._is_known_node(headers, peer):
            return None
        return self._api.at_once(target)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI 3)."""
        access = self._access
        if scope["path"] == WEBHOOK:  # it brings its own proof, and no user
            await self._app(scope, receive, send)
            return
        if reason := foreign(scope, access.proxies):
            await self._refuse(answers.foreign(reason), scope, receive, send)
            return
        role = access.needed(scope)
        scope[ASKER] = f"address {networks(self._address(scope))[0]}"
        if role is None or role in access.anonymous:
            scope[EDITOR] = "editor" in access.anonymous and _comes_straight(scope)
            if role == "editor" and not scope[EDITOR]:
                await self._refuse(answers.elsewhere(), scope, receive, send)
            else:
                await self._app(scope, receive, send)
            return
        user = self._known(scope)
        refusal = None
        if user is None:
            user, refusal = await self._meet(scope)
        if user is not None and role not in access.roles.of(user):
            refusal = answers.forbidden(role)
        if refusal is None:
            scope["user"], scope[EDITOR] = user, user is not None and "editor" in access.roles.of(user)
            scope[ASKER] = f"user {user}"
            await self._app(scope, receive, send)
        else:
            await self._refuse(refusal, scope, receive, send)

    def _known(self, scope: Scope) -> str | None:
        """Who asks, if that is known without a hash."""
        return self._remembered(scope["headers"], _peer(scope)) if self._access.credentials else _certified(scope)

    def _remembered(self, headers: Headers, peer: str | None) -> str | None:
        credentials = self._access.credentials
        if credentials is None:
            return None
        found = [value for name, value in headers if name == b"authorization"]
        user = credentials.remembered(found[0]) if len(found) == 1 else None
        if user is not None:
            self._note_client(credentials, headers, peer)
        return user

    def _note_client(self, credentials: Credentials, headers: Headers, peer: str | None) -> None:
        """Keep from where it asks, once and now and then: of many nodes with one password, only the first is hashed."""
        way = hash((peer, *(value for name, value in headers if name == b"x-forwarded-for")))
        if way not in self._noted:
            if len(self._noted) >= NOTED:
                self._noted.clear()
            self._noted.add(way)
            credentials.clients.add(self._client(headers, peer))

    def _is_known_node(self, headers: Headers, peer: str | None) -> bool:
        """May a client with these headers ask this, as far as that is known without a hash?"""
        access = self._access
        if "node" in access.anonymous:
            return True
        user = self._remembered(headers, peer)
        return user is not None and "node" in access.roles.of(user)

    async def _meet(self, scope: Scope) -> tuple[str | None, Answer | None]:
        """Who asks, or why that is not known."""
        headers = list(_values(scope, b"authorization"))
        if self._access.credentials is None or not headers:
            return None, answers.unauthorized("This needs a user and a password")
        if len(headers) > 1:
            return None, answers.unauthorized("There is more than one Authorization header")
        try:
            user, seconds = await self._access.credentials.user_of(headers[0], self._address(scope))
        except ValueError as error:
            return None, answers.unauthorized(str(error))
        except (TooBusy, asyncio.CancelledError):  # the service ends: the answer is due all the same
            return None, answers.busy()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(seconds)
        return user, None if user else answers.unauthorized("User or password is wrong")

    def _address(self, scope: Scope) -> str:
        return self._client(scope["headers"], _peer(scope))

    def _client(self, headers: Headers, peer: str | None) -> str:
        return self._access.proxies.client(peer, (value for name, value in headers if name == b"x-forwarded-for"))

    async def _refuse(self, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
        if is_policy(scope["path"]):
            scope[REFUSAL] = answer
            await self._app(scope, receive, send)
            return
        with_body = scope["method"] != "HEAD"
        if is_git(scope["path"]):
            await tell(send, answer.status, answer.body["message"], *extra_headers(answer), with_body=with_body)
            return
        form, content, more = b"application/json", answer.content, extra_headers(answer)
        fault = Fault(answer.status, answer.body["message"])
        if scope["path"].startswith("/api/"):
            form, content = MEDIA_TYPE.encode(), json.dumps(problem_details(fault)).encode()
        elif any(b"text/html" in value for value in _values(scope, b"accept")):
            form, content = b"text/html; charset=utf-8", refusal_page(fault)
            more += refusal_headers()
        headers = [(b"content-type", form), (b"cache-control", b"no-store"), *more]
        await send_whole(send, answer.status, headers, content, with_body=with_body)


def _peer(scope: Scope) -> str | None:
    return scope["client"][0] if scope["client"] else None


def _values(scope: Scope, wanted: bytes) -> Iterator[bytes]:
    return (value for name, value in scope["headers"] if name == wanted)


def _comes_straight(scope: Scope) -> bool:
    """Is it a client on this machine that asks without a name, with nothing in between?

    A page that a browser has from elsewhere, under a name that has come to stand for a loopback address, does not know
    that it is this machine that is asked; nor does a proxy that hands on the name by which others ask. On a Unix socket
    there is no browser. Any other proxy shows itself by what it adds, or by HTTP/1.0, which is how nginx asks unless it
    is told otherwise; no browser, git or curl does.
    """
    hosts = list(_values(scope, b"host"))
    if not hosts or scope["http_version"] == "1.0" or any(_is_of_proxy(name) for name, _ in scope["headers"]):
        return False
    return scope["client"] is None or all(_is_local(host.decode("latin-1")) for host in hosts)


def _is_of_proxy(header: bytes) -> bool:
    return header in PROXIED or header.startswith(b"x-forwarded-")


def _is_local(host: str) -> bool:
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if name.lower() == "localhost":
        return True
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _certified(scope: Scope) -> str | None:
    """The name in the client's certificate (the TLS extension of ASGI); without credentials no other client gets in."""
    found: str | None = scope.get("extensions", {}).get("tls", {}).get("client_cert_name")
    return found
