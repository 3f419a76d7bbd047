"""The shape of an answer to a conference node.

A node takes an answer whose `status` is exactly "success" and falls back to its own choice on any other; further keys
at the top level are ignored and stand in its support log. One unknown or empty location name voids the whole answer, so
what has no value is left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from .problems import quote
from .rules import OverflowForm
from .snapshot import Match

Outcome = Literal[
    "match",
    "default",
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


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and a JSON body, and what kind of answer it is."""

    status: int
    body: dict[str, Any]
    outcome: Outcome

    def encoded(self) -> bytes:
        """The body as it is sent, ASCII only."""
        return json.dumps(self.body).encode()

    def locations(self) -> tuple[str | None, list[str] | None]:
        """The location and its overflow locations in order, in either form; None and None where none is named."""
        if "result" not in self.body:
            return None, None
        location, *overflow = self.body["result"].values()
        return location, overflow[0] if overflow and isinstance(overflow[0], list) else overflow


def matched(match: Match, form: OverflowForm, protocol: str, commit: str | None) -> Answer:
    """The location of the row that matched."""
    location, *overflow = match.names
    body = {
        "status": "success",
        "policy.reason.matched": f"Sending {protocol.upper()} call to location {location}",
        "policy.subnet": str(match.network),
        "policy.source": f"{match.path}:{match.line}",
        **_commit(commit),
        "result": {"location": location, **_overflow(overflow, form)},
    }
    return Answer(200, body, "match")


def defaulted(location: str, protocol: str, commit: str | None) -> Answer:
    """The default location, for an address that no row covers."""
    body = {
        "status": "success",
        "policy.reason.matched": f"No matching subnet, sending {protocol.upper()} call to default location {location}",
        **_commit(commit),
        "result": {"location": location},
    }
    return Answer(200, body, "default")


def no_match(commit: str | None) -> Answer:
    """No row covers the address."""
    status = "policy.reason.no.subnetmatch - No matching subnet, sending to default location"
    return Answer(200, {"status": status, **_commit(commit)}, "no-match")


def no_opinion(commit: str | None) -> Answer:
    """The protocol has no match rule, or the request has no address."""
    status = "policy.reason.no.mssip - Not providing policy for this call"
    return Answer(200, {"status": status, **_commit(commit)}, "no-opinion")


def bad_address(value: str, parameter: str, commit: str | None) -> Answer:
    """The address is not one."""
    message = f"{quote(value)} is not an IPv4 or IPv6 address"
    status = f"policy.reason.bad.address - {parameter} is not an address"
    return Answer(400, {"status": status, "message": message, **_commit(commit)}, "bad-address")


def not_ready() -> Answer:
    """There is no snapshot yet."""
    status = "policy.reason.not.ready - No configuration is loaded yet, see /status"
    return Answer(503, {"status": status}, "not-ready")


def not_provided(path: str) -> Answer:
    """Another request type of the policy API, which Pexip is to answer by itself."""
    reason = "Only media location is answered here, at /policy/v1/participant/location"
    if path.startswith("/policy/v1/policy/"):
        reason = "The base URL in the policy profile must end before /policy"
    return Answer(404, {"status": f"policy.reason.not.provided - {reason}", "action": "continue"}, "not-provided")


def not_allowed(method: str) -> Answer:
    """A method that does not ask."""
    status = f"policy.reason.method.not.allowed - {quote(method)} is not GET or HEAD"
    return Answer(405, {"status": status}, "not-allowed")


def unauthorized(reason: str) -> Answer:
    """Nobody knows who asks."""
    return _refused(401, "unauthorized", reason)


def forbidden(role: str) -> Answer:
    """Who asks may not."""
    return _refused(403, "forbidden", f"This needs the role {role}")


def elsewhere() -> Answer:
    """Who asks has no name, and asks for this machine by another one than its own."""
    return _refused(403, "forbidden", "Without a user this needs the address of this machine, or localhost, as Host")


def busy() -> Answer:
    """Too many ask who have not been known before."""
    return _refused(503, "busy", "Too many credentials are being checked, try again")


def _refused(status: int, outcome: Outcome, reason: str) -> Answer:
    return Answer(status, {"status": f"policy.reason.{outcome} - {reason}", "message": reason}, outcome)


def _commit(commit: str | None) -> dict[str, str]:
    return {"policy.commit": commit} if commit else {}


def _overflow(names: list[str], form: OverflowForm) -> dict[str, Any]:
    if form == "list":
        return {"overflow_locations": names} if names else {}
    return dict(zip(("primary_overflow_location", "secondary_overflow_location"), names, strict=False))
