"""Overflow locations lifted out of rows into the table of `policy.toml`, where all rows of a location say the same.

It changes no answer: both configurations are loaded and compared before anything is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from ..config.csv_lines import cells_text
from ..config.files import RULES_PATH, File
from ..config.location_map import LocationMap
from ..config.overflow.table_text import with_entries
from ..config.row import Row, row_of
from ..config.row_file import LineCache, RowFile, read_rows
from ..config.validate import load_map
from ..errors import LocationPolicyError
from ..net.ranges import Names
from ..plan.plan import make_plan
from ..text import bom_of


class Lift(NamedTuple):
    """What is to be written, the rules first, and of how many rows and locations overflow is said in the table then;
    `entries` are those that come to the table.
    """

    contents: Mapping[str, bytes]
    rows: int
    locations: int
    entries: Mapping[str, Names]


def lift_overflow(files: Sequence[File]) -> Lift:
    """What puts the overflow locations of rows into the table, as far as all rows of a location say the same.

    A location keeps those of its rows where one of them says something else, or where it is a default or an answer that
    would overflow then and does not now. Raises InvalidConfiguration, and LocationPolicyError where the table is
    written so that nothing can be put into it.
    """
    return lift_rows(load_map(files), files)


def lift_rows(old: LocationMap, files: Sequence[File], only: Collection[str] | None = None) -> Lift:
    """The same of files that make the map `old`; what is not in `only` stays as it is.

    Where these are not the rules, rows take what the table has already, and nothing comes to it.
    """
    lifted = _said_alike(old)
    if only is not None and RULES_PATH not in only:
        lifted = {location: names for location, names in lifted.items() if location in old.rules.overflow_table}
    there = {file.path: file for file in files}
    contents: dict[str, bytes] = {}
    entries = {location: names for location, names in lifted.items() if location not in old.rules.overflow_table}
    if entries:
        rules = there.get(RULES_PATH)
        try:
            contents[RULES_PATH] = with_entries((rules and rules.content) or b"", entries)
        except ValueError as error:
            hint = f"write [overflow] on a line of its own in {RULES_PATH}, and its entries below"
            raise LocationPolicyError(f"{RULES_PATH} cannot be changed: {error}", hint) from error
    rows: Counter[str] = Counter()
    for file in old.all_files if only is None else (file for file in old.all_files if file.path in only):
        changed = {names[0]: number for names, number in file.names.items() if lifted.get(names[0]) == names[1:]}
        if changed:
            contents[file.path] = _without_overflow(file, lifted)
            rows.update(changed)
    if contents:
        _prove(old, [*(one for path, one in there.items() if path not in contents), *_files(contents)])
    return Lift(contents, rows.total(), len(rows), entries)


def _said_alike(old: LocationMap) -> dict[str, Names]:
    """The overflow locations of each location of which all rows say the same, and say it themselves."""
    table = old.rules.overflow_table
    said: dict[str, set[Names]] = {}
    for one in old.maps:
        written = {names for file in one.files for names in file.names}
        rowless = one.rules.answer or ((one.rules.default,) if one.rules.default else None)
        if rowless and len(rowless) == 1:
            written.add(rowless)
        for names in written:
            said.setdefault(names[0], set()).add(old.rules.with_overflow(names)[1:])
    alike = {location: next(iter(found)) for location, found in said.items() if len(found) == 1}
    found = {location: names for location, names in alike.items() if names and table.get(location, names) == names}
    return dict(sorted(found.items()))


def taking_table(file: RowFile, table: Mapping[str, Names], there: Collection[Row], memory: LineCache) -> RowFile:
    """The file, in which rows that say what the table says have the location alone, but for those that are `there`."""
    return read_rows(file.path, _without_overflow(file, table, there), memory) if table else file


def _without_overflow(file: RowFile, lifted: Mapping[str, Names], there: Collection[Row] = ()) -> bytes:
    """The content in which rows of these locations have the location alone; other lines, and rows that are there, stay
    as they are.
    """
    lines = []
    for number, (raw, line) in enumerate(zip(file.texts, file.lines, strict=True), 1):
        row = row_of(line)
        if row is not None and lifted.get(row.names[0]) == row.names[1:] and row not in there:
            end = raw[len(raw.removesuffix(b"\r")) :]
            lines.append(cells_text((row.names[0], file.cell(number, -1).text)).encode() + end)
        else:
            lines.append(raw)
    return bom_of(file.content) + b"\n".join(lines)


def _files(contents: Mapping[str, bytes]) -> list[File]:
    return [File(path, "file", len(content), content=content) for path, content in contents.items()]


def _prove(old: LocationMap, files: Iterable[File]) -> None:
    plan = make_plan(old, load_map(files))
    if plan.effect or plan.removed:
        raise LocationPolicyError("overflow cannot be put into the table: an answer would change", "please report this")
