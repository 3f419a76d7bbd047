"""A line of JSON for each answer: who asked for what, and what the answer was made from.

The lines are ASCII only: a program that splits lines, or a terminal, finds nothing to act on in a value.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Self

import orjson

from ...config.policy_toml import parameter_name
from ...lookup.answers import Answer
from ...lookup.decision import Question
from ...lookup.query_string import Parameters
from ...runtime.line_writer import LineWriter

KEYS = {
    "time": "when it was answered, RFC 3339 in UTC",
    "request_id": "the request's own `request_id`; null in most releases of Pexip Infinity",
    "node_ip": "the conference node that asked, by its own account",
    "protocol": "as asked, in lower case",
    "address": "the caller's address as asked, from the parameter that `[match]` names",
    "outcome": "`match`, `default`, `answer`, `no-match`, `no-opinion`, `bad-address`, `not-ready` or `not-allowed`",
    "subnet": "the row's subnet",
    "source": "the row's file and line",
    "location": "the location that was named",
    "overflow": "the overflow locations, a list; null where no location was named",
    "view": "the view that took the call; null for the map at the top",
    "commit": "the commit in force",
    "took_us": "microseconds from the request's arrival in the application to its answer",
}
"""The keys of a line, in their order, and what each means."""
NAMES = {
    "local_alias": "the alias that was called",
    "remote_alias": "the alias of the caller",
    "remote_display_name": "the name that the caller shows",
}
"""The keys that only `--log-names` adds."""

UNLOGGED = frozenset(("not-provided", "unauthorized", "forbidden", "busy"))
"""Outcomes that are no decision on a call."""
LONGEST = 256
"""Characters of a value from outside that are logged; the rest is cut off."""

_REQUEST_ID = parameter_name("request_id")
_NODE_IP = parameter_name("node_ip")
_OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z


def make_line(question: Question, answer: Answer, commit: str | None, took: int, *, with_names: bool) -> bytes:
    """The line of an answer that took this many nanoseconds."""
    parameters = question.parameters
    fields = {
        "time": datetime.now(UTC),
        "request_id": _value(parameters, _REQUEST_ID),
        "node_ip": _value(parameters, _NODE_IP),
        "protocol": _cut(question.protocol),
        "address": _cut(question.address),
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
        fields.update((key, _value(parameters, parameter_name(key))) for key in NAMES)
    return _encode(fields)


def _value(parameters: Parameters, name: str) -> str | None:
    return _cut(parameters.first(name))


def _cut(value: str) -> str | None:
    if len(value) > LONGEST:
        return f"{value[:LONGEST]}…"
    return value or None


def _encode(fields: dict[str, Any]) -> bytes:
    line = orjson.dumps(fields, option=_OPTIONS)
    return line if line.isascii() else json.dumps(orjson.loads(line), separators=(",", ":")).encode() + b"\n"


class DecisionLog:
    """Writes the line of each answer to the file at `path`, which `-` makes standard output; see LineWriter."""

    def __init__(self, path: str, *, with_names: bool = False) -> None:
        self._writer = LineWriter(path, "decision log")
        self._with_names = with_names
        self.reopen = self._writer.reopen
        self.close = self._writer.close

    def start(self) -> Self:
        """Begin to write."""
        self._writer.start()
        return self

    @property
    def dropped(self) -> int:
        """How many lines were never written."""
        return self._writer.dropped

    def record(self, question: Question, answer: Answer, commit: str | None, took: int) -> None:
        """Log an answer; those to other request types than the location's, and to strangers, are passed over."""
        if answer.outcome not in UNLOGGED:
            self._writer.put(make_line(question, answer, commit, took, with_names=self._with_names))
