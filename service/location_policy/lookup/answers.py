"""The shape of an answer to a conference node.

A node takes an answer whose `status` is exactly "success" and falls back to its own choice on any other; further keys
at the top level are ignored and stand in its support log. One unknown or empty location name voids the whole answer, so
what has no value is left out.
"""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple

from ..config.files import RULES_PATH
from ..config.policy_toml import PROTOCOLS, Rules
from ..net.addresses import Network
from ..text import quote

Outcome = Literal[
    "match",
    "default",
    "answer",
    "no-match",
    "no-opinion",
    "bad-address",
    "not-ready",
    "not-provided",
    "not-allowed",
    "unauthorized",
    "forbidden",
    "busy",
]


class Match(NamedTuple):
    """The row that answers: its network, its names (the location first), and the place where it stands.

    Where it has the location alone, `overflow_line` is the line of the rules from which its overflow locations are.
    """

    network: Network
    names: tuple[str, ...]
    path: str
    line: int
    overflow_line: int = 0


class Answer(NamedTuple):
    """An HTTP status and a JSON body (ASCII only), what kind of answer it is, and what it names."""

    status: int
    outcome: Outcome
    content: bytes
    subnet: str | None = None
    source: str | None = None
    location: str | None = None
    overflow: tuple[str, ...] | None = None
    view: str | None = None

    @property
    def body(self) -> dict[str, Any]:
        """What the content says."""
        found: dict[str, Any] = json.loads(self.content)
        return found


class _Phrase(NamedTuple):
    """What all answers share that name the same locations to the same protocol, but for the row in their middle."""

    location: str
    overflow: tuple[str, ...]
    before: bytes
    after: bytes


class AnswerEncoder:
    """The answers of one commit (None for a working copy) under its rules, or of a view of it; what they share is
    encoded once.
    """

    __slots__ = ("_answered", "_commit", "_no_address", "_phrases", "_rules", "_sources", "_unmatched", "_view")

    def __init__(self, rules: Rules, commit: str | None, view: str | None = None) -> None:
        self._rules = rules
        self._view = view
        self._commit = {**({"policy.view": view} if view else {}), **({"policy.commit": commit} if commit else {})}
        self._phrases: dict[tuple[str, tuple[str, ...], int], _Phrase] = {}
        self._sources: dict[str, bytes] = {}
        self._unmatched: dict[str, Answer] = {}
        self._answered: dict[str, Answer] = {}
        status = "policy.reason.no.mssip - Not providing policy for this call"
        self._no_address = self._answer(200, "no-opinion", {"status": status})

    def no_opinion(self, protocol: str) -> Answer:
        """What is said where the protocol has no match rule, or the request has no address."""
        if not protocol or protocol == "mssip" or protocol in self._rules.match:
            return self._no_address
        status = f"policy.reason.no.match - Not providing policy for {quote(protocol)} calls"
        return self._answer(200, "no-opinion", {"status": status})

    def answered(self, protocol: str) -> Answer:
        """The answer that every call of a view gets, also one without an address."""
        known = protocol if protocol in PROTOCOLS else ""
        return self._answered.get(known) or self._answered.setdefault(known, self._answered_now(known))

    def matched(self, match: Match, protocol: str) -> Answer:
        """The location of the row that matched."""
        network, names, path, line, at = match
        key = protocol, names, at
        location, overflow, before, after = self._phrases.get(key) or self._phrase(*key)
        source = self._sources.get(path) or self._source(path)
        subnet = str(network)
        content = b"%b%b%b%d%b" % (before, subnet.encode(), source, line, after)
        return Answer(200, "match", content, subnet, f"{path}:{line}", location, overflow, self._view)

    def unmatched(self, protocol: str) -> Answer:
        """What is said of an address that no row covers."""
        return self._unmatched.get(protocol) or self._unmatched.setdefault(protocol, self._unmatched_now(protocol))

    def bad_address(self, value: str, parameter: str) -> Answer:
        """The address is not one."""
        message = f"{quote(value)} is not an IPv4 or IPv6 address"
        status = f"policy.reason.bad.address - {parameter} is not an address"
        return self._answer(400, "bad-address", {"status": status, "message": message})

    def _phrase(self, protocol: str, names: tuple[str, ...], overflow_line: int) -> _Phrase:
        location, *overflow = names
        reason = f"Sending {protocol.upper()} call to location {location}"
        before = _encode({"status": "success", "policy.reason.matched": reason})[:-1] + b', "policy.subnet": "'
        result = {"location": location, **self._overflow(overflow)}
        after = b'", ' + _encode({**_table(overflow_line), **self._commit, "result": result})[1:]
        phrase = _Phrase(location, names[1:], before, after)
        return self._phrases.setdefault((protocol, names, overflow_line), phrase)

    def _source(self, path: str) -> bytes:
        return self._sources.setdefault(path, b'", "policy.source": ' + json.dumps(path).encode()[:-1] + b":")

    def _unmatched_now(self, protocol: str) -> Answer:
        if self._rules.default is None:
            status = "policy.reason.no.subnetmatch - No matching subnet, sending to default location"
            return self._answer(200, "no-match", {"status": status})
        reason = f"No matching subnet, sending {protocol.upper()} call to default location {self._rules.default}"
        return self._rowless("default", reason)

    def _answered_now(self, protocol: str) -> Answer:
        assert self._rules.answer is not None
        call = f"{protocol.upper()} call" if protocol else "call"
        return self._rowless("answer", f"Sending {call} to location {self._rules.answer[0]}")

    def _rowless(self, outcome: Outcome, reason: str) -> Answer:
        assert self._rules.rowless
        location, *overflow = self._rules.rowless
        body = {"status": "success", "policy.reason.matched": reason, **_table(self._rules.rowless_overflow_line)}
        result = {"location": location, **self._overflow(overflow)}
        return self._answer(200, outcome, body, result)._replace(location=location, overflow=tuple(overflow))

    def _answer(
        self, status: int, outcome: Outcome, body: dict[str, Any], result: dict[str, Any] | None = None
    ) -> Answer:
        whole = {**body, **self._commit, **({"result": result} if result else {})}
        return _answer(status, outcome, whole)._replace(view=self._view)

    def _overflow(self, names: list[str]) -> dict[str, Any]:
        if self._rules.overflow == "list":
            return {"overflow_locations": names} if names else {}
        return dict(zip(("primary_overflow_location", "secondary_overflow_location"), names, strict=False))


def _table(line: int) -> dict[str, Any]:
    """Where overflow locations stand that are those of the table."""
    return {"policy.overflow": f"{RULES_PATH}:{line}"} if line else {}


def not_ready() -> Answer:
    """There is no snapshot yet."""
    status = "policy.reason.not.ready - No configuration is loaded yet, see /status"
    return _answer(503, "not-ready", {"status": status})


def not_provided(path: str) -> Answer:
    """Another request type of the policy API, which Pexip is to answer by itself."""
    reason = "Only media location is answered here, at /policy/v1/participant/location"
    if path.startswith("/policy/v1/policy/"):
        reason = "The base URL in the policy profile must end before /policy"
    return _answer(404, "not-provided", {"status": f"policy.reason.not.provided - {reason}", "action": "continue"})


def not_allowed(method: str) -> Answer:
    """A method that does not ask."""
    status = f"policy.reason.method.not.allowed - {quote(method)} is not GET or HEAD"
    return _answer(405, "not-allowed", {"status": status})


def unauthorized(reason: str) -> Answer:
    """The client is not known."""
    return _refused(401, "unauthorized", reason)


def forbidden(role: str) -> Answer:
    """Who asks may not."""
    return _refused(403, "forbidden", f"This needs the role {role}")


def elsewhere() -> Answer:
    """Who asks has no name, and asks for this machine by another one than its own, or through a proxy."""
    reason = "Without a user this needs the address of this machine, or localhost, as Host, and no proxy in between"
    return _refused(403, "forbidden", reason)


def foreign(reason: str) -> Answer:
    """A page from elsewhere asks in the name of who looks at it."""
    return _refused(403, "forbidden", reason)


def busy() -> Answer:
    """Too many ask who have not been known before."""
    return _refused(503, "busy", "Too many credentials are being checked, try again")


def _refused(status: int, outcome: Outcome, reason: str) -> Answer:
    return _answer(status, outcome, {"status": f"policy.reason.{outcome} - {reason}", "message": reason})


def _answer(status: int, outcome: Outcome, body: dict[str, Any]) -> Answer:
    return Answer(status, outcome, _encode(body))


def _encode(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()
