"""The API of a Management Node: lists of objects in pages (Tastypie), as locations, profiles, nodes and finished calls.

A page is asked for by offset. The URL of the next page that an answer has is never followed: it only says that there is
one. So credentials go to the Management Node that was named, and nowhere else.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn, cast

from ...errors import NoAnswer
from ...text import quote
from ..http_client import Login, Origin, Question, Reply, ask
from .call_record import Call, read_call

PAGE = 1_000
"""Objects that are asked for at a time; the Management Node may give fewer."""
OBJECTS_LIMIT = 10_000
"""Objects of the configuration that are believed, of one kind."""
CALLS_PAGE = 500
"""Finished calls that are asked for at a time: a long one takes tens of kilobytes, and an answer has its limit."""
CALLS_LIMIT = 1_000_000
"""Finished calls that are believed; a Management Node keeps those of 10,000 conferences."""
PAUSE = 0.125
"""Seconds from the answer to the next question for calls: that leaves half of what may be asked to other clients."""
TRIES = 5
"""Of one page, when the Management Node says that it is asked too often (1,000 requests a minute, all clients)."""
WAIT = 5.0
"""Seconds before a page is asked for again, where the answer does not say how many."""

_CONFIGURATION = "/api/admin/configuration/v1/"
_HISTORY = "/api/admin/history/v1/"
_OTHER_TYPES = {
    "enable_service_lookup": "service configuration",
    "enable_participant_lookup": "participant properties",
    "enable_registration_lookup": "registration aliases",
    "enable_directory_lookup": "directory information",
    "enable_avatar_lookup": "avatars",
}
_ADDRESSES = ("address", "ipv6_address", "secondary_address", "static_nat_address")

Object = dict[str, object]


@dataclass(frozen=True, slots=True)
class SystemLocation:
    """A system location, with the URIs of its policy profile and of its primary overflow location."""

    uri: str
    name: str
    profile: str | None
    overflow: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyProfile:
    """A policy profile (the resource `policy_server`): the base URL, and what is asked there.

    `other_types` are the request types besides media location. `local_policy` is the script that has the last word on
    media location; None where there is none, or it is switched off.
    """

    uri: str
    name: str
    url: str
    asks_media_location: bool
    other_types: tuple[str, ...] = ()
    local_policy: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A conferencing node (the resource `worker_vm`); `location` is the URI of its system location.

    One that does not transcode is a proxying edge node, and hosts no media by itself. One that bursts runs only while
    it is needed.
    """

    name: str
    location: str
    addresses: tuple[str, ...]
    transcodes: bool
    is_in_maintenance: bool
    bursts: bool


@dataclass(frozen=True, slots=True)
class Manager:
    """A Management Node, to be asked until `deadline` (of the monotonic clock); `tell` is told of waits.

    Each question raises NoAnswer unless the whole list came.
    """

    origin: Origin
    login: Login
    context: ssl.SSLContext
    deadline: float
    tell: Callable[[str], None]

    def locations(self) -> list[SystemLocation]:
        """All system locations; at least one, since a platform has none only where the user may not see them."""
        objects = list(self._configuration("system_location"))
        if not objects:
            raise NoAnswer(f"{self.origin} names no system location", f"may {self.login.user} see them?")
        return [
            SystemLocation(
                uri,
                _text(one, "name"),
                _text(one, "policy_server", empty=True) or None,
                _text(one, "overflow_location1", empty=True) or None,
            )
            for uri, one in objects
        ]

    def profiles(self) -> list[PolicyProfile]:
        """All policy profiles."""
        return [
            PolicyProfile(
                uri,
                _text(one, "name"),
                _text(one, "url", empty=True),
                one.get("enable_media_location_lookup") is True,
                tuple(name for switch, name in _OTHER_TYPES.items() if one.get(switch) is True),
                _text(one, "internal_media_location_policy_template", empty=True)
                if one.get("enable_internal_media_location_policy") is True
                else None,
            )
            for uri, one in self._configuration("policy_server")
        ]

    def nodes(self) -> list[Node]:
        """All conferencing nodes."""
        return [
            Node(
                _text(one, "name"),
                _text(one, "system_location"),
                tuple(address for field in _ADDRESSES if (address := _text(one, field, empty=True))),
                transcodes=one.get("node_type") != "PROXYING" and one.get("transcoding") is not False,
                is_in_maintenance=one.get("maintenance_mode") is True,
                bursts=one.get("cloud_bursting") is True,
            )
            for _, one in self._configuration("worker_vm")
        ]

    def calls(self, since: datetime, until: datetime) -> Iterator[Call]:
        """Each call that ended in this time, as its page comes; none counts before the last has come."""
        between = "&".join(
            f"end_time__{bound}={moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
            for bound, moment in (("gte", since), ("lt", until))
        )
        objects = self._objects(f"{_HISTORY}participant/", CALLS_PAGE, CALLS_LIMIT, PAUSE, f"&{between}")
        return (read_call(one) for _, one in objects)

    def _configuration(self, resource: str) -> Iterator[tuple[str, Object]]:
        return self._objects(f"{_CONFIGURATION}{resource}/", PAGE, OBJECTS_LIMIT)

    def _objects(
        self, path: str, size: int, limit: int, pause: float = 0, more: str = ""
    ) -> Iterator[tuple[str, Object]]:
        """Every object with its URI. Each page must bring new ones alone, so the list ends, with any answers."""
        resource = path.rstrip("/").rpartition("/")[2]
        found: set[str] = set()
        while True:
            objects, total, has_more = _page(self._ask(f"{path}?limit={size}&offset={len(found)}{more}"))
            before = len(found)
            page = [(_text(one, "resource_uri"), one) for one in objects]
            found.update(uri for uri, _ in page)
            if len(found) > limit:
                raise NoAnswer(f"{self.origin} names more than {limit:,} objects of {resource}")
            if len(found) != before + len(objects) or (has_more and not objects):
                raise NoAnswer(f"the pages of {resource} repeat themselves, or have no end", "try again")
            yield from page
            if not has_more:
                break
            time.sleep(pause)
        if len(found) != total:
            message = f"{self.origin} counts {total:,} objects of {resource} and names {len(found):,}"
            raise NoAnswer(message, "try again")

    def _ask(self, path: str) -> object:
        for _ in range(TRIES):
            question, left = Question(path, self.login.header()), self.deadline - time.monotonic()
            reply = ask(self.origin, question, self.context, left, "--timeout SECONDS waits longer")
            if reply.status != 429:
                return self._document(reply, path)
            seconds = float(reply.retry_after) if reply.retry_after.isdecimal() else WAIT
            if seconds >= self.deadline - time.monotonic():
                break
            self.tell(f"{self.origin} is asked too often: once more in {seconds:g} s")
            time.sleep(seconds)
        raise NoAnswer(f"{self.origin} is asked too often, by all its clients", "try again in a minute")

    def _document(self, reply: Reply, path: str) -> object:
        if reply.status != 200:
            self._refuse(reply, path)
        try:
            return json.loads(reply.body)
        except (ValueError, RecursionError):
            kind = quote(reply.content_type or "no type")
            message = f"the answer of {self.origin} is not JSON, but {kind} of {len(reply.body):,} bytes"
            raise NoAnswer(message, "is it a Management Node?") from None

    def _refuse(self, reply: Reply, path: str) -> NoReturn:
        user = quote(self.login.user)
        match reply.status:
            case 401:
                message, hint = f"{self.origin} does not know {user} by this password", "correct --user or the password"
            case 403:
                message, hint = f"{user} may not read {path.partition('?')[0]} of {self.origin}", "give the user a role"
            case 404:
                message, hint = f"{self.origin} has no {path.partition('?')[0]}", "is it the Management Node?"
            case 301 | 302 | 303 | 307 | 308:
                target = quote(reply.location.partition("?")[0].rpartition("@")[2])
                message, hint = f"{self.origin} sends elsewhere, to {target}", "the password was not sent there"
            case status:
                message, hint = f"{self.origin} answers with status {status}", "try again"
        raise NoAnswer(message, hint)


def _page(document: object) -> tuple[list[Object], int, bool]:
    """The objects of a page, how many there are on all pages, and whether there is a next one."""
    match document:
        case {"meta": {"total_count": int(total), "next": str() | None as following}, "objects": list(objects)}:
            if all(isinstance(one, dict) for one in objects):
                return cast("list[Object]", objects), total, following is not None
    raise NoAnswer("the answer is not a page of objects", "is it a Management Node?")


def _text(one: Object, field: str, *, empty: bool = False) -> str:
    """A text of an object; null counts as empty."""
    value = one.get(field) or ""
    if not isinstance(value, str) or not (value or empty):
        raise NoAnswer(f"an object has {field} {quote(json.dumps(one.get(field)))}", "is it a Management Node?")
    return value
