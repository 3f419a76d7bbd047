"""What a table is taken for, by a look at the whole of it: its heading, and in which columns its subnets stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from ...config.csv_lines import is_blank
from ...config.subnet_hints import is_address
from ...errors import LocationPolicyError
from ...problems import Problem
from ...text import quote
from .columns import (
    asked_columns,
    blocks,
    columns_text,
    find_columns,
    has_masks,
    has_overflow,
    is_heading_at_top,
    is_subnet,
    is_types,
    known_headings,
    names_sites,
    places_without_heading,
    subnet_column,
)
from .countries import block_columns, is_names, is_ranges, is_registry
from .pexsubnet import is_numbered, old_subnet
from .spreadsheet import Sheet
from .table_row import Columns, clean_subnet, has_length

_LOOKED_AT = 20_000
"""Rows by which a table is told."""
_SHOWN_LINES = 50
_TITLE_LINES = 20
"""Lines above a table among which its heading is looked for."""
_RULER = re.compile(r"-+(?: +-+)+ *")
"""The line that Format-Table puts below the names of columns."""
_LIST_LINE = re.compile(r"[A-Za-z]\w* *: ")
"""A property as Format-List shows it."""
_LIS = {"subnet", "locationid"}
"""Columns of `Get-CsOnlineLisSubnet`, which tells no masks."""

Name = Literal["pexsubnet", "rows", "prefixes", "registry", "ranges", "blocks", "names", "empty", "unknown"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a table is: rows of pexsubnet or our own, prefixes with a site, addresses by country, or nothing known."""

    name: Name
    words: str = ""
    columns: Columns | None = None
    line: int = 1
    """Where the table begins, below a title."""
    problem: Problem | None = None
    """Why nothing of it is read."""
    asked: Mapping[str, str] | None = None
    """Columns that a user has named."""

    def find(self, headings: Sequence[str], rows: Sequence[list[str]]) -> Columns | None:
        """The columns of a part of the table that has a heading of its own."""
        if not self.asked:
            return find_columns(headings, rows)
        try:
            return asked_columns(self.asked, headings, rows)
        except LocationPolicyError:
            return None


def kind_of(sheet: Sheet, asked: Mapping[str, str], *, has_sites: bool) -> Kind:
    """The kind of a table, of which a user has named these columns; `has_sites`: is there a file of sites?

    Raises LocationPolicyError for a column that is not there.
    """
    if is_registry(sheet):
        return Kind("registry", "delegations of a registry by country")
    records = _without_title([one for one in islice(sheet.records(), _LOOKED_AT) if any(one[1])])
    rows = [cells for _, cells in records]
    if not rows:
        return Kind("unknown" if sheet.problems else "empty")
    if problem := _shown_by_powershell(sheet):
        return Kind("unknown", problem=problem)
    number, headings = records[0]
    if asked:
        columns = _of_first_block(rows, asked) or asked_columns(asked, headings, rows[1:])
        if columns.subnet == columns.site:
            hint = "name both: --column subnet=NAME --column site=NAME"
            raise LocationPolicyError(f"one column of {sheet.path} cannot hold subnets and sites", hint)
        return replace(_prefixes(sheet, number, columns, rows), asked=asked)
    has_heading = is_types(headings) or is_heading_at_top(headings)
    return _by_heading(sheet, number, rows) if has_heading else _by_place(sheet, number, rows, has_sites=has_sites)


def _shown_by_powershell(sheet: Sheet) -> Problem | None:
    """What is said of a table, or a list, as PowerShell shows it: columns beside each other, cut to the width."""
    texts = [(number, text) for number, text in islice(sheet.lines, _SHOWN_LINES) if text and not is_blank(text)]
    listed = [number for number, text in texts if _LIST_LINE.match(text)]
    ruled = [number for number, text in texts if _RULER.fullmatch(text)]
    if not ruled and 2 * len(listed) <= len(texts):
        return None
    what, hint = "this is what PowerShell shows, not a table", "pass it on to Export-Csv -Encoding UTF8 subnets.csv"
    return Problem(sheet.path, texts[0][0], 1, "wrong-separator", what, hint)


def _without_title(records: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """The records without lines above the heading, such as the title of a report, and of what day it is."""
    filled = [sum(map(bool, cells)) for _, cells in records]
    start = next((at for at, number in enumerate(filled) if number > 1), 0)
    first = next((at for at, (_, cells) in enumerate(records) if any(map(is_address, cells))), start)
    if first < start:
        return records
    known = {at: known_headings(records[at][1]) for at in range(start, min(first, start + _TITLE_LINES))}
    heading = max(known, key=known.__getitem__, default=start)
    return records[heading if known.get(heading, 0) > 1 else start :]


def _by_heading(sheet: Sheet, number: int, rows: Sequence[list[str]]) -> Kind:
    headings, below = rows[0], rows[1:]
    if columns := _of_first_block(rows, {}):
        return _prefixes(sheet, number, columns, rows)
    if is_names(headings):
        return Kind("names", "names of countries", line=number)
    if is_ranges(below) and not names_sites(headings):
        return _RANGES
    if columns := block_columns(headings, below):
        return Kind("blocks", f"networks with a country, {columns.named()}", columns, number)
    if _is_old(sheet, headings):
        return _old(sheet)
    if len(headings) > 2 and has_overflow(headings, 0, len(headings) - 1) and _is_last(below):
        return _OURS
    if columns := find_columns(headings, below):
        return _prefixes(sheet, number, columns, rows)
    if not below:
        return Kind("empty")
    return _unknown(sheet, number, headings, below)


def _by_place(sheet: Sheet, number: int, rows: Sequence[list[str]], *, has_sites: bool) -> Kind:
    if is_ranges(rows):
        return _RANGES
    if _is_old(sheet, ()):
        return _old(sheet)
    columns = places_without_heading(rows)
    is_ours = _is_last(rows)
    if columns and (columns.mask is not None or not is_ours or has_sites):
        return _prefixes(sheet, number, columns, rows)
    if is_ours:
        return _OURS
    return _unknown(sheet, number, rows[0], rows)


def _of_first_block(rows: Sequence[list[str]], asked: Mapping[str, str]) -> Columns | None:
    """The columns of the first part of an export of Infoblox that has prefixes; None for any other table."""
    find = Kind("prefixes", asked=asked).find
    found = (find(headings, below) for headings, below in blocks(rows))
    return next(filter(None, found), None)


_RANGES = Kind("ranges", "ranges of addresses with a country, columns 1, 2 and 3")
_OURS = Kind("rows", "rows of a location, its overflow locations and a subnet")


def _old(sheet: Sheet) -> Kind:
    form = "id,location,overflow,overflow,subnet" if is_numbered(sheet) else "location,overflow,overflow,subnet"
    return Kind("pexsubnet", f"rows of pexsubnet, {form}")


def _prefixes(sheet: Sheet, number: int, columns: Columns, rows: Sequence[list[str]]) -> Kind:
    """Prefixes with a site; nothing where no subnet has a mask."""
    has_ends = columns.mask is not None or columns.end is not None
    if not has_ends and (problem := _without_masks(sheet, number, columns.subnet, columns.headings, rows)):
        return Kind("unknown", problem=problem)
    return Kind("prefixes", f"prefixes with a site, {columns.named()}", columns, number)


def _without_masks(
    sheet: Sheet, number: int, subnet: int, headings: Sequence[str], rows: Sequence[list[str]]
) -> Problem | None:
    """What is said of a table whose subnets have no mask at all."""
    subnets = [clean_subnet(cells[subnet]) for cells in rows if len(cells) > subnet]
    subnets = [cell for cell in subnets if is_address(cell)]
    if not subnets or any(map(has_length, subnets)):
        return None
    name = quote(headings[subnet]) if headings else str(subnet + 1)
    what = f"the subnets of column {name} have no mask"
    if headings:
        what += f": the columns are {columns_text(headings)}"
    hint = "name the column of masks, --column mask=NAME, or export it too"
    if {heading.casefold() for heading in headings} >= _LIS:
        hint = "Get-CsOnlineLisSubnet tells none: take Get-CsTenantNetworkSubnet"
    return Problem(sheet.path, number, 1, "not-a-subnet", what, hint)


def _unknown(sheet: Sheet, number: int, headings: Sequence[str], rows: Sequence[list[str]]) -> Kind:
    """The one sentence that is said of a table that nothing is known of."""
    has_heading = rows[:1] != [headings]
    subnet = subnet_column(headings, rows)
    if subnet is not None and not has_masks(headings, rows, subnet):
        problem = _without_masks(sheet, number, subnet, headings if has_heading else (), rows)
        if problem:
            return Kind("unknown", problem=problem)
    holding = {at for cells in rows for at, cell in enumerate(cells) if is_address(clean_subnet(cell))}
    has_subnets = bool(holding)
    what = "no column is known to hold sites" if has_subnets else "no column holds subnets"
    what = "more than one column holds addresses" if len(holding) > 1 and subnet is None else what
    hint = "name them: --column subnet=NAME --column site=NAME"
    if has_subnets:
        hint += ", by heading or by number"
    message = f"{what}: the {'columns are' if has_heading else 'first row is'} {columns_text(headings)}"
    return Kind("unknown", problem=Problem(sheet.path, number, 1, "heading-row", message, hint))


def _is_old(sheet: Sheet, headings: Sequence[str]) -> bool:
    """Do most subnets stand where pexsubnet has them, behind a location and two overflow locations?"""
    at = 4 if is_numbered(sheet) else 3
    if sheet.entries or (headings and not has_overflow(headings, at - 3, at)):
        return False
    texts = islice((text for _, text in sheet.lines if text and not is_blank(text)), _LOOKED_AT)
    rows = [sheet.cells(text) for text in texts]
    old = sum(len(cells) > at and _is_old_subnet(cells, at) for cells in rows)
    holding = sum(any(is_address(cell.strip()) for cell in cells) for cells in rows)
    return 2 * old > holding


def _is_old_subnet(cells: Sequence[str], at: int) -> bool:
    """Has the row a subnet there and none before it, or, where no cell has one, what pexsubnet took for one?"""
    cell = cells[at].strip()
    if is_address(cell):
        return not any(is_address(before.strip()) for before in cells[:at])
    return not any(map(is_address, cells)) and not cell.isdecimal() and old_subnet(cells[at]) is not None


def _is_last(rows: Sequence[Sequence[str]]) -> bool:
    """Does the last filled cell of most rows hold a subnet, no mask of one, and the first none?"""
    filled = [[cell for cell in cells if cell] for cells in rows if any(cells)]
    ours = sum(len(cells) > 1 and is_subnet(cells[-1]) and not is_address(cells[0]) for cells in filled)
    return ours > 0 and 2 * ours >= len(filled)
