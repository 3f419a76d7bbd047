"""`/locations.git/tip`: which commit is in force, told at once, or held until it is another one.

It stands beside the paths of git: who follows fetches from there what is told here. With each request a follower says
who it is and what it answers from, so the requests that wait are the list of followers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from starlette.types import Receive, Scope, Send

from ... import __version__
from ...access.proxies import Proxies
from ...calls.hand_up import HEADER
from ...calls.history import CallHistory
from ...fleet.fleet import Fleet
from ...fleet.report import OURS, VIA, parse_report, parse_via
from ...rollout.state import ActiveState
from ...server.connection_places import ConnectionPlaces, is_loopback
from ...text import precise_moment_text
from ..edge.faults import SOON
from ..edge.git_http import PLACE, tell
from ..edge.policy_api import send_whole
from ..edge.request_body import Refused

PATH = f"{PLACE}/tip"
LONGEST = 60
"""Seconds for which a request is held at most."""

_OF_REFUSALS = {405: [(b"allow", b"GET, HEAD")], 503: [(b"retry-after", SOON.encode())]}
_WAIT = re.compile(r'\s*wait\s*=\s*(?:([0-9]+)|"([0-9]+)")\s*(?:;.*)?', re.IGNORECASE)
_TAG = re.compile(r'"([0-9a-f]+)"')

Headers = Mapping[str, str]


class Tip:
    """Answers from `active`; only where `is_served` says so, since what is told must be there to be fetched.

    Of the requests that are held one address has no more than it leaves to others, as of connections.
    """

    def __init__(
        self,
        active: ActiveState,
        fleet: Fleet,
        is_served: Callable[[], bool],
        proxies: Proxies,
        calls: CallHistory | None = None,
    ) -> None:
        """`calls` hears of those that followers hand up."""
        self._calls = calls
        self._active = active
        self._fleet = fleet
        self._is_served = is_served
        self._proxies = proxies
        self._places = ConnectionPlaces(fleet.most, lambda one: is_loopback(one) or proxies.believes(one))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI 3), of a client that may make it."""
        try:
            await self._answer(scope, receive, send)
        except Refused as refusal:
            more = _OF_REFUSALS.get(refusal.status, ())
            await tell(send, refusal.status, str(refusal), *more, with_body=scope["method"] != "HEAD")

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise Refused(405, "the tip can only be asked for")
        if not self._is_served():
            raise Refused(404, "git over HTTP is not served here")
        known, seconds, follower = self._hear(scope)
        self._require_commit()
        if seconds and known and not await self._hold(known, seconds, scope, receive):
            return
        commit = self._require_commit()
        if seconds and not _names(known, commit):
            self._fleet.turnstile.leave(follower)
        with_body = scope["method"] == "GET"
        await self._send(send, commit, is_known=_names(known, commit), waited=seconds > 0, with_body=with_body)

    def _hear(self, scope: Scope) -> tuple[str, int, str | None]:
        """What a client knows, for how many seconds it may be held, and who it is where it says so; raises Refused."""
        headers = _joined(scope)
        self._refuse_loop(headers)
        seconds = _seconds(headers) if scope["method"] == "GET" else 0
        return headers.get("if-none-match", ""), seconds, self._note(headers, scope)

    def _refuse_loop(self, headers: Headers) -> None:
        """Raises Refused where this service would come to follow itself."""
        ids, own = parse_via(headers.get(VIA, "")), self._fleet.id
        if own and own in ids:
            here, other = f"{OURS}{own}", f"{OURS}{ids[0]}"
            chain = f"{other} follows {here}, which follows it" if ids[0] != own else f"{here} follows itself"
            raise Refused(409, f"a loop: {chain}, directly or through others: let one of them follow another service")

    def _note(self, headers: Headers, scope: Scope) -> str | None:
        """Who asks, where it says so."""
        report = parse_report(headers)
        if report is None:
            return None
        peer = scope["client"][0] if scope["client"] else None
        forwarded = (value for name, value in scope["headers"] if name == b"x-forwarded-for")
        follower = self._fleet.followers.note(report, self._proxies.client(peer, forwarded))
        self._fleet.turnstile.come_back(follower)
        if self._calls and report.ids and (batch := headers.get(HEADER.lower())):
            self._calls.hear(report.ids[0], batch)
        return follower

    def _require_commit(self) -> str:
        commit = self._active.commit
        if commit is None:
            raise Refused(503, "no commit is active yet")
        return commit

    async def _hold(self, known: str, seconds: int, scope: Scope, receive: Receive) -> bool:
        """Wait until another commit is in force than the one that is known; whether the client is still there."""
        is_there, waits = True, self._fleet.tip_waits

        async def leave() -> None:
            nonlocal is_there
            while (await receive())["type"] != "http.disconnect":
                pass
            is_there = False

        peer = scope["client"][0] if scope["client"] else None
        if waits.has_ended:
            raise Refused(503, "the service ends")
        if not self._places.take(peer):
            raise Refused(503, "too many wait already")
        try:
            await waits.until(lambda: not _names(known, self._active.commit), seconds, leave)
        finally:
            self._places.leave(peer)
        return is_there

    async def _send(self, send: Send, commit: str, *, is_known: bool, waited: bool, with_body: bool) -> None:
        headers = [(b"etag", b'"%b"' % commit.encode()), (b"cache-control", b"no-store")]
        headers += [(b"preference-applied", b"wait")] if waited else []
        if is_known:
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        state = self._active.state
        told = {
            "commit": commit,
            "branch": state.branch,
            "since": precise_moment_text(state.snapshot.loaded_at) if state.snapshot else None,
            "state": state.name,
            "service": self._fleet.id,
            "version": __version__,
        }
        headers.append((b"content-type", b"application/json"))
        await send_whole(send, 200, headers, json.dumps(told).encode(), with_body=with_body)


def _joined(scope: Scope) -> Headers:
    """The headers by name; of one that stands there several times all values, as one list (RFC 9110, 5.3)."""
    joined: dict[str, str] = {}
    for raw_name, raw in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw.decode(errors="replace")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _seconds(headers: Headers) -> int:
    """For how long it may be held (RFC 7240, 4.3); what is no number of seconds is ignored, as the RFC has it."""
    for part in headers.get("prefer", "").split(","):
        if found := _WAIT.fullmatch(part):
            return min(LONGEST, int((found[1] or found[2])[:9]))
    return 0


def _names(tags: str, commit: str | None) -> bool:
    """Does `If-None-Match` name this commit (RFC 9110, 13.1.2)?"""
    return tags.strip() == "*" or commit in _TAG.findall(tags)
