"""Remembered calls as JSON: a table with a row for each situation, which another program can read again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

import orjson

from ..errors import UnusableCalls
from ..text import fitting
from .history_file import Remembered
from .recent import summed
from .situation import Situation, merged, read_situation

FORMAT = "location-policy-calls"
VERSION = 1
COLUMNS = (*Situation._fields, "calls", "last")
"""The columns of the table: those of a situation, how many calls, and the day of the last of them."""
MOST = 50_000
"""Situations that are told; the rare ones are merged by network, and what is too much then is only counted."""
ROOM = 32 * 1024 * 1024
"""About as many bytes they may take, written down: what nodes send may be long, and few of it is merged."""
LARGEST = 64 * 1024 * 1024
"""Bytes of a file that is read."""

Fields = dict[str, Any]


class Aggregate(NamedTuple):
    """Calls since a day; `left_out` are those of which nothing but their number is known."""

    since: date
    calls: int
    found: Sequence[Remembered]
    left_out: int


def aggregate(found: Iterable[Remembered], since: date, most: int = MOST, room: int = ROOM) -> Aggregate:
    """What can be told of these, the most frequent first."""
    kept = sorted(found, key=lambda one: (-one[1], one[0][:6], one[0]))
    whole = sum(calls for _, calls, _ in kept)
    if len(kept) > most:
        wider = summed((merged(one), calls, last) for one, calls, last in kept[most // 2 :])
        wider.sort(key=lambda one: -one[1])
        kept = [*kept[: most // 2], *wider[: most - most // 2]]
    kept = fitting(kept, room=room)
    return Aggregate(since, whole, kept, whole - sum(calls for _, calls, _ in kept))


def aggregate_fields(told: Aggregate) -> Fields:
    """It as JSON."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "since": told.since.isoformat(),
        "calls": told.calls,
        "left_out": told.left_out,
        "columns": list(COLUMNS),
        "rows": [[*found, calls, date.fromordinal(last).isoformat()] for found, calls, last in told.found],
    }


def read_aggregate(content: bytes, place: str) -> Aggregate:
    """What a file says, or an answer of the API; raises UnusableCalls, which names its place."""
    if len(content) > LARGEST:
        raise UnusableCalls(f"{place} is too large for a file of calls")
    try:
        fields = orjson.loads(content)
        table = fields if fields.get("format") == FORMAT else fields["situations"]
        return _read(table)
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        message = str(error) if isinstance(error, _OtherVersion) else "it is no file of calls"
        raise UnusableCalls(f"{place}: {message}", "take it by GET /api/v1/calls?situations=yes") from None


class _OtherVersion(ValueError):
    pass


def _read(table: Fields) -> Aggregate:
    if table["format"] != FORMAT:
        raise ValueError("another format")
    if table["version"] != VERSION:
        raise _OtherVersion(f"it is of version {str(table['version'])[:20]}, and {VERSION} is known here")
    at = [table["columns"].index(name) for name in COLUMNS]
    found = [_read_row([row[place] for place in at]) for row in table["rows"]]
    return Aggregate(date.fromisoformat(table["since"]), _number(table["calls"]), found, _number(table["left_out"]))


def _read_row(row: list[Any]) -> Remembered:
    *fields, calls, last = row
    return read_situation(fields), _number(calls), _day(last)


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def _number(found: object) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise TypeError("it is no number")
    return found
