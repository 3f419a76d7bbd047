"""What is wrong with the names in `[overflow]`, and which of its entries nothing takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ...problems import Problem
from ...text import quote
from ..csv_lines import Cell, Finding
from ..files import RULES_PATH
from ..location_names import name_findings
from ..policy_toml import PAIR, SPELT, Rules
from ..row_checks import too_many_overflow, unknown_location
from ..row_file import RowFile
from ..toml_positions import Place, key_place, name_places

_Found = tuple[int, Finding]
"""What is wrong with a name, 0 that of the location itself."""


def overflow_problems(rules: Rules, text: bytes) -> Iterator[Problem]:
    """What is wrong with the table under these rules, entry by entry, each at its name."""
    known, told = frozenset(rules.known), 0
    for location, overflow in rules.overflow_table.items():
        found = list(_entry(location, overflow, rules, known, spell=told < SPELT))
        if found:
            # a name is looked for in the text from the beginning, so of very many wrong entries the line is told
            places = _places(text, location) if told < SPELT else {}
            told += 1
        here = key_place(text, "overflow", location) if found else (1, 1)
        names = (location, *overflow)
        for position, one in found:
            place = places.get(names[position], here) if position else here
            yield Problem(RULES_PATH, *place, one.code, one.message, one.hint)


def _entry(
    location: str, overflow: Sequence[str], rules: Rules, known: frozenset[str], *, spell: bool
) -> Iterator[_Found]:
    names = (location, *overflow)
    for position, name in enumerate(names):
        if known and name not in known:
            yield position, Finding(1, "unknown-location", *unknown_location(name, rules, spell=spell))
    for finding in name_findings([Cell(at, name) for at, name in enumerate(names)]):
        if finding.code == "repeated-location":
            name = quote(names[finding.column])
            message = f"{name} stands twice in the overflow of {quote(location)}"
            if names[finding.column] == location:
                message = f"{name} is in its own overflow"
            yield finding.column, finding._replace(message=message, hint="delete it there")
        elif finding.code != "formula-name":  # no spreadsheet opens the rules
            yield finding.column, finding
    if rules.overflow == "pair" and len(overflow) > PAIR:
        yield PAIR + 1, Finding(1, "too-many-overflow", *too_many_overflow(len(overflow)))


def _places(text: bytes, location: str) -> Mapping[str, Place]:
    """Those of the names in the list of an entry; none where it is no list."""
    line, _ = key_place(text, "overflow", location)
    written = text.split(b"\n")[line - 1].partition(b"=")[2].lstrip()
    return name_places(text, "overflow", location) if written[:1] == b"[" else {}


def table_places(rules: Rules) -> dict[str, Place]:
    """The names in the table, each with the line of the first entry that has it."""
    found: dict[str, Place] = {}
    for location, overflow in rules.overflow_table.items():
        for name in (location, *overflow):
            found.setdefault(name, (rules.overflow_lines[location], 1))
    return found


def unused_entries(files: Iterable[RowFile], rules: Rules, text: bytes) -> Iterator[Problem]:
    """Entries of which nothing takes the overflow locations: no row of any map has the location alone, nor is it a
    default or an answer.
    """
    alone = {rules.rowless or ()}.union(rules.of_view(view).rowless or () for view in rules.views)
    used = {names[0] for names in alone if names}.union(
        names[0] for file in files for names in file.names if len(names) == 1
    )
    for location in rules.overflow_table:
        if location not in used:
            message = f"no row has {quote(location)} alone, and so none takes its overflow locations from here"
            hint = "delete it, or the overflow locations in the rows that should take these"
            place = key_place(text, "overflow", location)
            yield Problem(RULES_PATH, *place, "unused-overflow", message, hint, "warning")
