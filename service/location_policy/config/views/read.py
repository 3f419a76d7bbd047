"""`[[view]]` of `policy.toml` to views; what is wrong is noted at its line, and counts as absent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeGuard

from ...spelling import nearest
from ...text import quote
from ..csv_lines import CELLS_LIMIT
from ..files import RULES_PATH
from ..policy_toml import known_here
from .view import DIRECTIONS, NAME_LENGTH, PARAMETERS, VALUES_LIMIT, VIEWS_LIMIT, View

if TYPE_CHECKING:
    from ..policy_toml import RulesReader

NAMES_LIMIT = CELLS_LIMIT - 1
"""Locations of an answer: as many as a row has cells for, beside the subnet."""

_KEYS = ("name", *PARAMETERS, "answer", "default", "match")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_NO_NAMES = ("default",)
"""What an answer without a row is called, and so no view."""
_LISTED = f"{', '.join(PARAMETERS[:-1])} or {PARAMETERS[-1]}"
_BLANK = " \t"


def read_views(tables: object, reader: RulesReader) -> tuple[View, ...]:
    """The views in their order."""
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        reader.wrong_type(("view",), "tables", tables, "write [[view]] on a line of its own")
        return ()
    if len(tables) > VIEWS_LIMIT:
        message = f"{len(tables):,} views are more than the {VIEWS_LIMIT} that there may be"
        hint = f"join those that answer alike, or delete [[view]] at line {reader.line(('view', str(VIEWS_LIMIT)))}"
        reader.add(("view", str(VIEWS_LIMIT)), "too-large", message, hint)
        return ()
    found = [_view(number, table, reader) for number, table in enumerate(tables)]
    views = list(_distinct([view for view in found if view], reader))
    values = sum(len(values) for view in views for values in view.conditions.values())
    if values > VALUES_LIMIT:
        message = f"the conditions of all views have {values:,} values, more than {VALUES_LIMIT:,}"
        reader.add(("view",), "too-large", message, "delete those that no node has")
        return ()
    return tuple(views)


def _view(number: int, table: dict[str, Any], reader: RulesReader) -> View | None:
    """A view; None where it has no name."""
    at = ("view", str(number))
    for key in table:
        if key not in _KEYS:
            meant = nearest(key, _KEYS)
            message = f"there is no key {quote(key)} in [[view]], which asks for {_LISTED} and nothing else"
            hint = f"write {meant}" if meant else known_here(_KEYS)
            reader.add((*at, key), "rules-unknown-key", message, hint)
    name = table.get("name")
    if not _is_view_name(name):
        what = f"1 to {NAME_LENGTH} letters of ASCII, digits, - and _, other than default"
        reader.wrong_type((*at, "name"), what, "" if name is None else name, 'write name = "edge"', shown="view.name")
        return None
    conditions = {
        parameter: _condition(name, parameter, table[parameter], (*at, parameter), reader)
        for parameter in PARAMETERS
        if parameter in table
    }
    answer, default, match = _answer(name, at, table.get("answer"), reader), table.get("default"), table.get("match")
    if default is not None and not reader.is_name(default):
        shown = f"default of view {name}"
        reader.wrong_type((*at, "default"), "a name without space around it", default, 'write default = "DMZ"', shown)
        default = None
    if match is not None and not isinstance(match, dict):
        hint = 'write match = { webrtc = "remote_address" }'
        reader.wrong_type((*at, "match"), "a table", match, hint, shown=f"match of view {name}")
        match = None
    read = None if match is None else reader.match(match, (*at, "match"))
    return View(name, number, conditions, answer, default, read)


def _answer(name: str, at: tuple[str, ...], wanted: object, reader: RulesReader) -> tuple[str, ...] | None:
    """The one answer of a view, its location first; None where its rows answer."""
    names = _listed(wanted)
    wrong = [one for one in names if not reader.is_name(one)] or ([wanted] if wanted == [] else [])
    if wrong:
        what = "a location, or a list of a location and its overflow locations"
        hint = 'write answer = ["Sydney", "Melbourne"]'
        reader.wrong_type((*at, "answer"), what, wrong[0], hint, shown=f"answer of view {name}")
        names = []
    if len(names) > NAMES_LIMIT:
        message = f"answer of view {name} has {len(names):,} locations, more than the {NAMES_LIMIT} that there may be"
        reader.add((*at, "answer"), "too-large", message, "delete those that are never come to")
        names = names[:NAMES_LIMIT]
    return tuple(names) or None


def _is_view_name(name: object) -> TypeGuard[str]:
    return (
        isinstance(name, str)
        and len(name) <= NAME_LENGTH
        and _NAME.fullmatch(name) is not None
        and name.lower() not in _NO_NAMES
    )


def _condition(view: str, parameter: str, value: object, at: tuple[str, ...], reader: RulesReader) -> tuple[str, ...]:
    """The values that a parameter may have, each once; none where they are wrong."""
    values = _listed(value)
    shown = f"{parameter} of view {view}"
    example = {"call_direction": '"dial_out"', "protocol": '["webrtc", "api"]'}.get(parameter, '["DMZ", "Edge Oslo"]')
    hint = f"write {parameter} = {example}"
    if not all(isinstance(one, str) for one in values):
        wrong = next(one for one in values if not isinstance(one, str))
        reader.wrong_type(at, "a text, or a list of texts", wrong, hint, shown)
        return ()
    if parameter == "call_direction":
        for one in values:
            if one and one.lower() not in DIRECTIONS:
                meant = nearest(one, DIRECTIONS)
                told = f'write {parameter} = "{meant}"' if meant else hint
                reader.wrong_type(at, ", ".join(DIRECTIONS[:-1]) + f" or {DIRECTIONS[-1]}", one, told, shown)
                return ()
    if impossible := next((one for one in values if not _can_be_asked(one)), None):
        message = f"{quote(impossible)} in {shown} is no value of a call, which is read without space and brackets"
        reader.add(at, "impossible-view", message, f'write {parameter} = "{_as_asked(impossible) or "DMZ"}"')
    elif "" in values or not values:
        message = f"{shown} has {'an empty value' if values else 'no value'}, so no call can meet it"
        reader.add(at, "impossible-view", message, f"delete it if the view takes any {parameter}, or {hint}")
    return tuple(dict.fromkeys(values))


def _can_be_asked(value: str) -> bool:
    """Can a request have this value? Space around it is taken off, and of what looks like a list the first item counts
    (`lookup/query_string.py`).
    """
    return value == _as_asked(value)


def _as_asked(value: str) -> str:
    text = value.strip(_BLANK)
    return text[1:-1].strip(_BLANK) if text[:1] == "[" and text[-1:] == "]" else text


def _listed(value: object) -> list[Any]:
    """The items of a list, or the one value that stands in its place."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _distinct(views: list[View], reader: RulesReader) -> Iterator[View]:
    """The views but those that have the name of one before them."""
    first: dict[str, View] = {}
    for view in views:
        other = first.setdefault(view.name.lower(), view)
        if other is view:
            yield view
            continue
        line = reader.line(("view", str(other.number), "name"))
        case = "" if other.name == view.name else ", in another case"
        message = f"the view {view.name} is in {RULES_PATH}:{line} already{case}"
        hint = "join the two, or give one another name"
        reader.add(("view", str(view.number), "name"), "duplicate-view", message, hint)
