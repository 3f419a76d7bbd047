"""The configuration API of a Management Node: lists of objects in pages (Tastypie), as system locations and profiles.

A page is asked for by offset. The URL of the next page that an answer has is never followed: it only says that there is
one. So credentials go to the Management Node that was named, and nowhere else.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn, cast

from ...errors import NoAnswer
from ...text import quote
from ..http_client import Login, Origin, Question, Reply, ask

PAGE = 1_000
"""Objects that are asked for at a time; the Management Node may give fewer."""
OBJECTS_LIMIT = 10_000
"""Objects of one kind that are believed."""
TRIES = 5
"""Of one page, when the Management Node says that it is asked too often (1,000 requests a minute, all clients)."""
WAIT = 5.0
"""Seconds before a page is asked for again, where the answer does not say how many."""

_BASE = "/api/admin/configuration/v1/"

Object = dict[str, object]


@dataclass(frozen=True, slots=True)
class SystemLocation:
    """A system location; `profile` is the URI of its policy profile."""

    uri: str
    name: str
    profile: str | None


@dataclass(frozen=True, slots=True)
class PolicyProfile:
    """A policy profile (the resource `policy_server`): the base URL, and whether media location is asked there."""

    uri: str
    name: str
    url: str
    asks_media_location: bool


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
        objects = list(self._objects("system_location"))
        if not objects:
            raise NoAnswer(f"{self.origin} names no system location", f"may {self.login.user} see them?")
        return [
            SystemLocation(uri, _text(one, "name"), _text(one, "policy_server", empty=True) or None)
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
            )
            for uri, one in self._objects("policy_server")
        ]

    def _objects(self, resource: str) -> Iterator[tuple[str, Object]]:
        """Every object with its URI. Each page must bring a new one, so the list ends, with any answers."""
        found: dict[str, Object] = {}
        while True:
            objects, total, has_more = _page(self._ask(f"{_BASE}{resource}/?limit={PAGE}&offset={len(found)}"))
            before = len(found)
            found |= {_text(one, "resource_uri"): one for one in objects}
            if len(found) > OBJECTS_LIMIT:
                raise NoAnswer(f"{self.origin} names more than {OBJECTS_LIMIT:,} objects of {resource}")
            if not has_more:
                break
            if len(found) != before + len(objects) or not objects:
                raise NoAnswer(f"the pages of {resource} repeat themselves, or have no end", "try again")
        if len(found) != total:
            message = f"{self.origin} counts {total:,} objects of {resource} and names {len(found):,}"
            raise NoAnswer(message, "try again")
        yield from found.items()

    def _ask(self, path: str) -> object:
        for _ in range(TRIES):
            reply = ask(
                self.origin, Question(path, self.login.header()), self.context, self.deadline - time.monotonic()
            )
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
                message, hint = f"{self.origin} does not know {user} by this password", "mend --user or the password"
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
