"""What a follower says of itself in the headers of a request: parsed, bounded, and never trusted further.

A header that is too long or malformed counts as one that was not sent. A text from outside is escaped here, once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from sys import intern
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from ..text import escape

NAME = "x-location-policy-name"
VERSION = "x-location-policy-version"
STATE = "x-location-policy-state"
COMMIT = "x-location-policy-commit"
PROBLEMS = "x-location-policy-problems"
BEHIND = "x-location-policy-behind"
VIA = "via"

OURS = "location-policy-"
"""What stands before the id of a service in `Via`."""
LONGEST_NAME = 64
"""Characters of a name or an address."""
LONGEST_VERSION = 32
LONGEST_PROBLEM = 300
LONGEST_SUMMARY = 2048
"""Bytes of the summary that a mirror gives of those behind it."""
LATE = 5
"""Followers behind a mirror that it names."""
MOST_BEHIND = 100_000
"""Followers behind a mirror that are believed."""
MOST_IDS = 100
"""Ids of a `Via` that are read."""
UNKNOWN = "unknown"
"""The state of a follower that does not say it."""

_STATE = re.compile(r"[a-z][a-z-]{0,15}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_HOP = re.compile(rf"\s*(?:HTTP/)?[\d.]+\s+{OURS}([0-9a-f]{{16}})\s*", re.IGNORECASE)


class Late(NamedTuple):
    """A follower behind a mirror that does not answer from what the mirror does."""

    name: str
    commit: str | None
    state: str


class Behind(NamedTuple):
    """Those behind a mirror: how many, how many of them answer from what it does, how many have each state."""

    total: int
    at_tip: int
    states: Mapping[str, int]
    late: Sequence[Late]

    def fields(self) -> dict[str, Any]:
        """It as programs read it."""
        return {**self._asdict(), "late": [one._asdict() for one in self.late]}


class Refusal(NamedTuple):
    """The commit that a follower refuses, and the first of its problems."""

    commit: str
    problem: str


class Report(NamedTuple):
    """What a follower says; `ids` is its own and those of the services behind it."""

    name: str
    version: str
    state: str
    commit: str | None
    refusal: Refusal | None
    behind: Behind | None
    ids: Sequence[str]


def parse_report(headers: Mapping[str, str]) -> Report | None:
    """What the headers say, by their names in lower case; None: they name no follower."""
    name = shown(headers.get(NAME, ""), LONGEST_NAME)
    if not name.strip():
        return None
    return Report(
        name,
        intern(shown(headers.get(VERSION, ""), LONGEST_VERSION)),
        _state(headers.get(STATE)),
        _commit(headers.get(COMMIT)),
        parse_refusal(headers.get(PROBLEMS, "")),
        parse_behind(headers.get(BEHIND, "")),
        parse_via(headers.get(VIA, "")),
    )


def parse_via(text: str) -> Sequence[str]:
    """The ids of ours in a header `Via` (RFC 9110, 7.6.3), in their order; proxies stand in it too."""
    return tuple(found[1].lower() for part in text.split(",") if (found := _HOP.fullmatch(part)))[:MOST_IDS]


def parse_refusal(text: str) -> Refusal | None:
    """A commit and a sentence, percent-encoded."""
    commit, _, problem = unquote_to_bytes(text[: 9 * LONGEST_PROBLEM]).decode(errors="replace").partition(" ")
    if not _COMMIT.fullmatch(commit) or not problem.strip():
        return None
    return Refusal(commit, shown(problem.strip(), LONGEST_PROBLEM))


def parse_behind(text: str) -> Behind | None:
    """A summary that fits together; None for any other."""
    if not text or len(text) > LONGEST_SUMMARY or not text.isascii():
        return None
    try:
        found = json.loads(text)
        total, at_tip = _number(found["total"], MOST_BEHIND), _number(found["at_tip"], MOST_BEHIND)
        states = {_known(name): _number(one, MOST_BEHIND) for name, one in found.get("states", {}).items()}
        late = [_late(one) for one in found.get("late", [])[:LATE]]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return Behind(total, at_tip, states, late) if at_tip <= total else None


def shown(text: str, longest: int) -> str:
    """A text from outside as it is shown: escaped, and no longer."""
    return escape(text[:longest])[:longest]


def _late(found: Any) -> Late:  # noqa: ANN401  what JSON has
    name, commit, state = found["name"], found.get("commit"), found.get("state")
    if not isinstance(name, str):
        raise TypeError("a name is a text")
    return Late(shown(name, LONGEST_NAME), _commit(commit), _state(state))


def _number(found: object, most: int) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= most:
        raise ValueError("it is no number, or too large")
    return found


def _known(name: str) -> str:
    if not _STATE.fullmatch(name):
        raise ValueError("it is no state")
    return name


def _state(found: object) -> str:
    return intern(found) if isinstance(found, str) and _STATE.fullmatch(found) else UNKNOWN


def _commit(found: object) -> str | None:
    """A commit; a thousand followers that answer from it share one text."""
    return intern(found) if isinstance(found, str) and _COMMIT.fullmatch(found) else None
