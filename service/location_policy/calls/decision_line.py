"""A line of the decision log: JSON of who asked for what, and what the answer was made from.

The lines are ASCII only: a program that splits lines, or a terminal, finds nothing to act on in a value. A line
has all on which an answer depends, so that the request can be answered again by another map.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import orjson

from ..config.policy_toml import parameter_name
from ..lookup.answers import Answer
from ..lookup.decision import Question

VERSION = 2
"""The form of a line; lines of the first form have no version."""
KEYS = {
    "version": "the form of the line: `2`; lines without it are of version 0.1, and have fewer keys",
    "time": "when it was answered, RFC 3339 in UTC",
    "request_id": "the request's own `request_id`; null in most releases of Pexip Infinity",
    "node_ip": "the conference node that asked, by its own account",
    "protocol": "as asked, in lower case",
    "remote_address": "the caller's address as asked, whether or not `[match]` names it",
    "ms_subnet": "the caller's subnet as asked, whether or not `[match]` names it",
    "node_location": "the location of the node that asked: `location` of the request",
    "proxy_node_location": "the location of the proxying edge node, as asked",
    "call_direction": "`dial_in`, `dial_out` or `non_dial`, as asked",
    "address": "the address that was looked up, from the parameter that `[match]` names; null where it names none",
    "outcome": "`match`, `default`, `answer`, `no-match`, `no-opinion`, `bad-address`, `not-ready` or `not-allowed`",
    "subnet": "the row's subnet",
    "source": "the row's file and line",
    "location": "the location that was named",
    "overflow": "the overflow locations, a list; null where no location was named",
    "view": "the view that took the call; null for the map at the top",
    "commit": "the active commit",
    "took_us": "microseconds from the request's arrival in the application to its answer",
}
"""The keys of a line, in their order, and what each means."""
NAMES = {
    "local_alias": "the alias that was called",
    "remote_alias": "the alias of the caller",
    "remote_display_name": "the name that the caller shows",
}
"""The keys that only `--log-names` adds."""

LONGEST = 256
"""Characters of a value from outside that are logged; the rest is cut off."""
SHORTEST = 320
"""Bytes that every line has at least beside a value."""

_ASKED = (
    "request_id",
    "node_ip",
    "protocol",
    "remote_address",
    "ms_subnet",
    "node_location",
    "proxy_node_location",
    "call_direction",
    "address",
    *NAMES,
)
"""The keys whose values come from outside."""
_OF_PEOPLE = tuple(parameter_name(name) for name in NAMES)
_OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z


def make_line(question: Question, answer: Answer, commit: str | None, took: int, *, with_names: bool) -> bytes:
    """The line of an answer that took this many nanoseconds."""
    first = question.parameters.first
    fields: dict[str, Any] = {
        "version": VERSION,
        "time": datetime.now(UTC),
        "request_id": first("request-id") or None,
        "node_ip": first("node-ip") or None,
        "protocol": question.protocol or None,
        "remote_address": first("remote-address") or None,
        "ms_subnet": first("ms-subnet") or None,
        "node_location": first("location") or None,
        "proxy_node_location": first("proxy-node-location") or None,
        "call_direction": first("call-direction") or None,
        "address": question.address or None,
        "outcome": answer.outcome,
        "subnet": answer.subnet,
        "source": answer.source,
        "location": answer.location,
        "overflow": answer.overflow,
        "view": answer.view,
        "commit": commit,
        "took_us": took // 1000,
    }
    if with_names:
        fields.update({name: first(asked) or None for name, asked in zip(NAMES, _OF_PEOPLE, strict=True)})
    return _encode(fields)


def _cut(value: str | None) -> str | None:
    return f"{value[:LONGEST]}…" if value and len(value) > LONGEST else value


def _encode(fields: dict[str, Any]) -> bytes:
    line = orjson.dumps(fields, option=_OPTIONS)
    if len(line) > LONGEST + SHORTEST:  # in a shorter one no value can be too long, and that is quicker to see
        line = orjson.dumps(fields | {name: _cut(fields[name]) for name in _ASKED if name in fields}, option=_OPTIONS)
    return line if line.isascii() else json.dumps(orjson.loads(line), separators=(",", ":")).encode() + b"\n"
