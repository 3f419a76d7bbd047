"""`[overflow]` of `policy.toml` to the overflow locations of each location; what is wrong counts as absent."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ...text import quote, shorten
from ..csv_lines import CELLS_LIMIT

if TYPE_CHECKING:
    from ..policy_toml import RulesReader

NAMES_LIMIT = CELLS_LIMIT - 2
"""Overflow locations of one location: as many as a row has cells for, beside the location and the subnet."""


def read_overflow(table: dict[str, Any], reader: RulesReader) -> dict[str, Any]:
    """The table as `Rules` has it: the overflow locations by location, and the line of each."""
    found = {location: names for location, value in table.items() if (names := _entry(location, value, reader))}
    lines = {location: reader.line(("overflow", location)) for location in found}
    return {"overflow_table": MappingProxyType(found), "overflow_lines": MappingProxyType(lines)}


def _entry(location: str, value: object, reader: RulesReader) -> tuple[str, ...]:
    """The overflow locations of a location; none where they are wrong."""
    at = ("overflow", location)
    if not reader.is_name(location):
        message = f"{quote(location)} in [overflow] is no name of a location, which has no space around it"
        reader.add(at, "rules-type", message, 'write "Sydney" = ["Melbourne", "Singapore"]')
        return ()
    names = value if isinstance(value, list) else [value]
    if not names:
        reader.add(at, "rules-type", f"{quote(location)} has no location in its list below [overflow]", "delete it")
        return ()
    if wrong := [one for one in names if not reader.is_name(one)]:
        what = "a location, or a list of locations, to which calls overflow"
        hint = 'write Sydney = ["Melbourne", "Singapore"]'
        if isinstance(value, dict):
            hint = 'put the name of a location between quotation marks: "St. Leonards" = ["Melbourne"]'
        reader.wrong_type(at, what, wrong[0], hint, shown=f"overflow.{quote(shorten(location))}")
        return ()
    if len(names) > NAMES_LIMIT:
        message = (
            f"{quote(location)} has {len(names):,} overflow locations, more than the {NAMES_LIMIT} that there may be"
        )
        reader.add(at, "too-large", message, "delete those that are never come to")
        return ()
    return tuple(names)
