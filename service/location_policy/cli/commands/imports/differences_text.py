"""What an import says of the move from another server: the ranges whose answer differs, how many, and what to do."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ....config.files import RULES_PATH
from ....config.location_map import LocationMap
from ....integrations.imports.first_match import Difference
from ....integrations.imports.foreign_tables import Tables
from ....net.ranges import Names
from ....net.split import range_text
from ....plan.change_text import name_text
from ....problems import SHOWN
from ....text import count, escape
from .output import ImportOutput


def tell_differences(
    found: Sequence[Difference], tables: Tables, location_map: LocationMap, output: ImportOutput
) -> None:
    """Those first in which other locations are named, then those of form."""
    places = {row.network: f"{path}:{line}" for path, line, row in location_map.rows()} | dict(tables.places)
    for one in sorted(found, key=lambda one: one.is_form)[:SHOWN]:
        was = f" ({escape(one.old_row.place)}, the first that matches)" if one.old_row else ""
        mended = "; names corrected" * one.is_form
        now = f" ({escape(places[one.new_row])}, the longest that matches{mended})" if one.new_row else ""
        output.say(
            f"{range_text(one.range, one.size)}\n  was: {_answer(one.before)}{was}\n  is:  {_answer(one.after)}{now}"
        )
    if len(found) > SHOWN:
        output.say(f"… and {len(found) - SHOWN:,} more")
    if default := default_of(tables, location_map):
        output.say(f"every other address\n  was: no answer\n  is:  {name_text(default)} (default in {RULES_PATH})")


def default_of(tables: Tables, location_map: LocationMap) -> str | None:
    """The location that an address without a row gets now, and did not."""
    return None if tables.answering is None else location_map.rules.default


def _answer(names: Names | None) -> str:
    if names is None:
        return "no answer"
    overflow = ", ".join(map(name_text, names[1:]))
    return f"{name_text(names[0])}, overflow {overflow}" if overflow else name_text(names[0])


def tell_size(tables: Tables, found: Sequence[Difference], refused: int, *, has_default: bool) -> None:
    """What was read and what differs, in one line."""
    subnets = sum(map(len, tables.rows.values()))
    rows = sum(one.rows for one in tables.taken.values()) - sum(tables.passed.values())
    parts = [f"{count(subnets, 'subnet')} from {count(rows, 'row')}", count(len(tables.names()), "location")]
    parts += [f"{count(refused, 'line')} rejected"] * bool(refused)
    form = sum(one.is_form for one in found)
    of_form = f", {form:,} of them only by names that no location can have" * bool(form)
    if tables.answering is None:
        parts.append("no order of rows to compare with")
    elif found:
        parts.append(f"{len(found):,} {'range differs' if len(found) == 1 else 'ranges differ'}{of_form}")
    elif not has_default:
        parts.append("every address gets the answer that it got")
    print("; ".join(parts), file=sys.stderr)


def tell_refusal(tables: Tables, found: Sequence[Difference], refused: int) -> None:
    """Say that nothing is written, and how it would be."""
    print("location-policy: nothing is written", file=sys.stderr)
    hints = ["correct the lines that are rejected"] * bool(refused)
    answering = tables.answering or {}
    if any(one.new_row in tables.places and one.new_row not in answering for one in found):
        hints.append("leave out the rows that never answered with --keep-answers")
    hints.append("take it as it is with --accept-differences")
    print(f"  hint: {', or '.join(hints)}", file=sys.stderr)
