"""Which columns of a table hold subnets, their masks, sites, and whether a prefix is in use: by heading, or as asked.

The headings are those of NetBox (prefixes, with `Site` until 4.1 and `Scope` from 4.2), phpIPAM, Infoblox NIOS (its CSV
export, `header-network`), BlueCat Address Manager, `Get-ADReplicationSubnet`, `Get-CsTenantNetworkSubnet` and
`Get-CsNetworkSubnet`. The building file of Microsoft's Call Quality Dashboard has none: its columns are known by place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from ...config.csv_lines import is_error_value, is_heading_row
from ...config.subnet_hints import is_address, is_mask
from ...errors import LocationPolicyError
from ...text import listed, quote
from .headings import (
    COUNTRIES,
    ENDS,
    KINDS,
    MASKS,
    OVERFLOW,
    READ,
    SITES,
    STARTS,
    STATES,
    SUBNETS,
    VRFS,
    columns_named,
    heading_key,
)
from .table_row import Cells, Columns, cell_at, clean_subnet, has_length

_OTHER_WORDS = "status state role vlan vrf tenant type description mask maskbits utilization children id prefix"
_OTHERS = frozenset(_OTHER_WORDS.split())
"""Headings that a table of locations and overflow locations does not have before its subnets."""
_HEADER = "header-"
"""How a line of column names begins in the CSV export of Infoblox NIOS; each line below it begins with the type."""
_MASK_TEXT = re.compile(r"/?[0-9]{1,3}")
_LOOKED_AT = 200
"""Rows by which it is told what a column holds."""
_SHOWN = 12
_BUILDING = 14, 18
"""Columns of a building file: 14, with `VPN` 15 (learn.microsoft.com, "Upload tenant and building data in CQD"), and
those that a spreadsheet adds behind them.
"""


def is_subnet(cell: str) -> bool:
    """Is this meant as a subnet, and not as the mask of one?"""
    return is_address(cell) and not _is_any_mask(cell)


def is_types(cells: Cells) -> bool:
    """Are these the column names of an export of Infoblox, for the lines below?"""
    return bool(cells) and cells[0].casefold().startswith(_HEADER)


def is_heading_at_top(cells: Cells) -> bool:
    """Are the cells of a first line the names of columns, in whatever language? A subnet would have a digit."""
    said = [cell.strip() for cell in cells if cell.strip()]
    if len(said) < 2 or any(map(is_address, said)) or is_error_value(said[-1]):
        return False
    return is_heading_row(said, -1) or not any(map(str.isdecimal, said[-1])) or _is_known(said)


def _is_known(headings: Cells) -> bool:
    plain = {heading_key(heading) for heading in headings}
    return not plain.isdisjoint(SUBNETS) and not plain.isdisjoint(SITES)


def known_headings(cells: Cells) -> int:
    """How many of these are names of columns that are read."""
    return sum(heading_key(cell) in READ for cell in cells)


def blocks(rows: Sequence[list[str]]) -> Iterator[tuple[list[str], list[list[str]]]]:
    """The parts of an export of Infoblox, each with its column names; a table of another program has none."""
    starts = [at for at, cells in enumerate(rows) if is_types(cells)]
    for start, end in pairwise([*starts, len(rows)]):
        yield rows[start], list(rows[start + 1 : end])


def subnet_column(headings: Cells, rows: Sequence[Cells]) -> int | None:
    """The column that holds subnets, with a mask or without."""
    return _subnet_column([heading_key(heading) for heading in headings], rows[:_LOOKED_AT])


def has_masks(headings: Cells, rows: Sequence[Cells], subnet: int) -> bool:
    """Does another column than that of the subnets hold their masks?"""
    return _mask_column([heading_key(heading) for heading in headings], rows[:_LOOKED_AT], subnet) is not None


def find_columns(headings: Cells, rows: Sequence[Cells], sites: Sequence[str] = SITES) -> Columns | None:
    """The columns of a table with this heading, held against its first rows; None where they are not found."""
    plain = [heading_key(heading) for heading in headings]
    rows = rows[:_LOOKED_AT]
    subnet = _subnet_column(plain, rows)
    named = [at for at in columns_named(plain, sites) if at != subnet]
    site = next((at for at in named if _is_filled(rows, at)), next(iter(named), None))
    end = None
    if subnet is None and (ends := _range_columns(plain, rows)):
        subnet, end = ends
    if subnet is None and site is None:
        return None
    if subnet is None or site is None:
        only = [at for at in range(len(headings)) if at not in (subnet, site) and _is_text(rows, at)]
        if subnet is None or len(headings) != 2 or len(only) != 1:
            return None
        site = only[0]
    kind = 0 if is_types(headings) else next(columns_named(plain, KINDS), None)
    state = next(columns_named(plain, STATES), None)
    overflow = tuple(at for at, heading in enumerate(plain) if heading.startswith(OVERFLOW) and at != site)
    vrf = next(columns_named(plain, VRFS), None)
    mask = _mask_column(plain, rows, subnet) if end is None else None
    return Columns(subnet, site, mask, state, kind, tuple(headings), overflow, end, vrf)


def _range_columns(plain: Sequence[str], rows: Sequence[Cells]) -> tuple[int, int] | None:
    """The columns of first and last addresses."""
    found = [[at for at in columns_named(plain, words) if _holds(rows, at, is_address)] for words in (STARTS, ENDS)]
    return (found[0][0], found[1][0]) if all(found) else None


def places_without_heading(rows: Sequence[Cells]) -> Columns | None:
    """The columns of a table without a heading, by what they hold: a building file, or a subnet, a mask, a name."""
    rows = rows[:_LOOKED_AT]
    width = max(map(len, rows), default=0)
    if width in range(*_BUILDING) and _holds(rows, 0, is_address) and _holds(rows, 2, _is_mask_text):
        return Columns(0, 3, 2)
    filled = [at for at in range(width) if _is_filled(rows, at)]
    subnets = [at for at in filled if _holds(rows, at, is_address) and not _holds(rows, at, _is_any_mask)]
    if len(subnets) != 1:
        return None
    mask = next((at for at in filled if at != subnets[0] and _holds(rows, at, _is_any_mask)), None)
    if any(has_length(cell_at(cells, subnets[0])) for cells in rows):
        mask = None
    others = [at for at in filled if at not in (subnets[0], mask)]
    names = [at for at in others if not _holds(rows, at, str.isdecimal)] or others  # rows may be numbered
    return Columns(subnets[0], names[0], mask) if len(names) == 1 else None


def asked_columns(asked: Mapping[str, str], headings: Cells, rows: Sequence[Cells]) -> Columns:
    """The columns that a user names, by heading or by number, and those of the others that are found.

    Raises LocationPolicyError for a name that no column has.
    """
    has_heading = not any(map(is_address, headings))
    plain, first = [heading_key(heading) for heading in headings] if has_heading else [], rows[:_LOOKED_AT]
    places = {what: _place(name, headings) for what, name in asked.items()}
    found = (find_columns(headings, rows) if has_heading else None) or Columns(0, 0)
    subnet = places.get("subnet", found.subnet)
    if "subnet" not in places and "site" in places:
        at = _subnet_column(plain, first)
        subnet = found.subnet if at is None else at
    mask = places.get("mask", _mask_column(plain, first, subnet) if plain else None)
    state = places.get("status", next(columns_named(plain, STATES), None))
    kind = 0 if has_heading and is_types(headings) else next(columns_named(plain, KINDS), None)
    own, vrf = tuple(headings) if has_heading else (), next(columns_named(plain, VRFS), None)
    return Columns(subnet, places.get("site", found.site), mask, state, kind, own, vrf=vrf)


def has_overflow(headings: Cells, first: int, last: int) -> bool:
    """Can these be the headings of a location at `first`, its overflow locations, and a subnet at `last`?"""
    plain = [heading_key(heading) for heading in headings]
    site = next(columns_named(plain, SITES), first)
    return site == first and _OTHERS.isdisjoint(plain[first:last])


def names_sites(headings: Cells) -> bool:
    """Is one of these the name of a column of sites?"""
    return not {heading_key(heading) for heading in headings}.isdisjoint(SITES)


def country_columns(headings: Cells, rows: Sequence[Cells]) -> Columns | None:
    """The columns of a table of networks with a country each, by its code where there is one; None for any other."""
    named = [*columns_named([heading_key(heading) for heading in headings], COUNTRIES)]
    if not named or names_sites(headings) or not (columns := find_columns(headings, rows, COUNTRIES)):
        return None
    with_codes = (at for at in named if _holds(rows[:_LOOKED_AT], at, _is_code))
    return replace(columns, site=next(with_codes, columns.site))


def columns_text(cells: Cells) -> str:
    """The names of columns as a message repeats them."""
    return listed([quote(cell) for cell in cells], _SHOWN)


def _subnet_column(plain: Sequence[str], rows: Sequence[Cells]) -> int | None:
    named = [*columns_named(plain, SUBNETS)]
    surely = next((at for at in named if _holds(rows, at, is_address)), None)
    if surely is not None or not rows:
        return surely if rows else next(iter(named), None)
    perhaps = next((at for at in named if any(is_address(clean_subnet(cell_at(cells, at))) for cells in rows)), None)
    if perhaps is not None:
        return perhaps
    width = len(plain) or max(map(len, rows), default=0)
    holding = [at for at in range(width) if _holds(rows, at, is_address) and not _holds(rows, at, _is_any_mask)]
    return holding[0] if len(holding) == 1 else None


def _mask_column(plain: Sequence[str], rows: Sequence[Cells], subnet: int) -> int | None:
    """The column of masks by its heading; else, beside subnets without a mask, the only one that holds nothing else."""
    if named := [at for at in columns_named(plain, MASKS) if at != subnet and _holds(rows, at, _is_any_mask)]:
        return named[0]
    if any(has_length(cell_at(cells, subnet)) for cells in rows):
        return None
    others = [at for at in range(len(plain)) if at != subnet and _is_filled(rows, at)]
    holding = [at for at in others if all(map(_is_written_mask, filter(None, (cell_at(cells, at) for cells in rows))))]
    return holding[0] if len(holding) == 1 else None


def _holds(rows: Sequence[Cells], at: int, what: Callable[[str], bool]) -> bool:
    """Are most cells of a column, but for empty ones, of this kind?"""
    filled = [clean_subnet(cell) for cells in rows if (cell := cell_at(cells, at))]
    return bool(filled) and 2 * sum(map(what, filled)) >= len(filled)


def _is_filled(rows: Sequence[Cells], at: int) -> bool:
    return any(cell_at(cells, at) for cells in rows)


def _is_text(rows: Sequence[Cells], at: int) -> bool:
    return _is_filled(rows, at) and not _holds(rows, at, is_address) and not _holds(rows, at, _is_any_mask)


def _is_code(cell: str) -> bool:
    return len(cell) == 2 and cell.isalpha()


def _is_mask_text(cell: str) -> bool:
    return _MASK_TEXT.fullmatch(cell) is not None


def is_net_mask(cell: str) -> bool:
    """Is this a mask as 255.255.255.0, and no last address of a range?"""
    return cell.startswith("255.") and cell != "255.255.255.255" and is_mask(cell)


def _is_any_mask(cell: str) -> bool:
    return _is_mask_text(cell) or (cell.startswith(("255.", "0.0.")) and is_mask(cell))


def _is_written_mask(cell: str) -> bool:
    """Is this a mask, and no other number?"""
    return _is_any_mask(cell) and not cell.isdecimal()


def _place(name: str, headings: Cells) -> int:
    wanted = heading_key(name)
    for at, heading in enumerate(headings):
        if heading == name or (wanted and heading_key(heading) == wanted):
            return at
    if name.isdecimal() and 0 < int(name) <= len(headings):
        return int(name) - 1
    raise LocationPolicyError(f"there is no column {quote(name)}", f"the columns are {columns_text(headings)}")
