"""What a row of a table has in its columns: its subnet, its site, its VRF, and whether its prefix is in use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...config.subnet_hints import is_address, is_mask, range_networks
from ...net.addresses import parse_interface
from ...spelling import look_alike
from ...text import quote
from .headings import TOTALS, heading_key

Cells = Sequence[str]
_STATE_WORDS = """
    container deprecated reserved available retired decommissioned planned free unused inactive obsolete
"""
_NOT_IN_USE = frozenset(_STATE_WORDS.split())
"""States of a prefix that no caller has: "Container", "Reserved" and "Deprecated" of NetBox, and what others say."""
_KIND_WORDS = """
    networkcontainer ipv6networkcontainer container block ip4block ip6block ipv4block ipv6block aggregate supernet
"""
_CONTAINERS = frozenset(_KIND_WORDS.split())
"""Types of an object that holds prefixes, and is none that callers have."""
_NO_FOLDER = ("", "0", "no", "false")
"""What phpIPAM says of a subnet in its column `isFolder`."""
_ENDS_IN_ADDRESS = re.compile(r"\d(?:\.\d{1,3}){3}(?:/\d{1,2})?\Z")
_DASHES = ("\u2014", "\u2013", "-", "--")


@dataclass(frozen=True, slots=True)
class Columns:
    """The places of cells in a row, 0-based."""

    subnet: int
    site: int
    mask: int | None = None
    state: int | None = None
    kind: int | None = None
    headings: tuple[str, ...] = ()
    """Of all columns; none where the table has no heading."""
    overflow: tuple[int, ...] = ()
    """Columns of overflow locations, in order."""
    end: int | None = None
    """Of the last addresses of ranges, which begin with the subnet."""
    vrf: int | None = None
    """Of the table of routes that a prefix is in, where the same one may stand twice."""

    @property
    def last(self) -> int:
        """The last of the cells that a row must have."""
        return max(at for at in (self.subnet, self.end, self.mask, self.site) if at is not None)

    def named(self) -> str:
        """The columns that are read, as their user knows them."""
        places = [at for at in (self.subnet, self.end, self.mask, self.site, *self.overflow) if at is not None]
        names = [quote(self.headings[at]) if self.headings else str(at + 1) for at in places]
        return f"columns {', '.join(names[:-1])} and {names[-1]}"

    def unused(self, cells: Cells) -> str | None:
        """Why the prefix of a row is not in use, in a word; None where it is."""
        kind = cell_at(cells, self.kind).casefold()
        if self.kind is not None and heading_key(self.headings[self.kind]) == "isfolder":
            kind = "" if kind in _NO_FOLDER else "folder"
        subnet = cell_at(cells, self.subnet)
        if kind == "folder" or subnet.endswith(" (folder)"):
            return "folder"
        if kind in _CONTAINERS:
            return "container"
        state = cell_at(cells, self.state).casefold()
        return state if state in _NOT_IN_USE else None


def is_below_table(cells: Cells, columns: Columns) -> bool:
    """Is this a total, or a note, as stand below a table?"""
    said = [cell for cell in cells if cell]
    if any(map(is_address, said)):
        return False
    return len(said) == 1 or (bool(said) and heading_key(said[0]) in TOTALS) or not site_text(cells, columns)


def is_joined(cells: Cells, columns: Columns, width: int) -> bool:
    """Stands another row, or the column names, on the line of a row of this width?"""
    beyond = [cell for cell in cells[width:] if cell]
    if not beyond or any(map(is_address, beyond)):
        return bool(beyond)
    return _is_glued(cells[width - 1]) or beyond == [*filter(None, columns.headings[1:])]


def _is_glued(cell: str) -> bool:
    """Ends it in an address, and is none?"""
    if not _ENDS_IN_ADDRESS.search(cell):
        return False
    try:
        parse_interface(cell if "/" in cell else f"{cell}/32")
    except ValueError:
        return True
    return False


def clean_subnet(cell: str) -> str:
    """The subnet of a cell without bullets and lines that tell its depth, as NetBox 3.2 had them (NetBox #9407); in
    ASCII, and with a slash before a mask, where that is the same subnet.
    """
    if "\u2022" in cell and cell.split():
        return cell.rsplit(maxsplit=1)[-1]
    if cell.isascii() and " " not in cell:
        return cell
    *marks, last = cell.split() or [""]
    if marks and is_address(last) and not any(map(str.isalnum, "".join(marks))):
        return last
    address, *masks = re.split(r"\s*[\s/]\s*", look_alike(cell))
    is_same = is_address(address) and all(mask.isdecimal() or is_mask(mask) for mask in masks)
    return "/".join((address, *masks)) if is_same and len(masks) < 2 else cell


def has_length(subnet: str) -> bool:
    """Does it say where it ends, as a prefix or as a range of addresses?"""
    return "/" in subnet or range_networks(subnet) is not None


def subnet_text(cells: Cells, columns: Columns) -> str:
    """A row's subnet as it is written, with the mask or length that stands beside it."""
    subnet = clean_subnet(cell_at(cells, columns.subnet))
    mask = cell_at(cells, columns.mask).removeprefix("/")
    if columns.end is not None:
        return f"{subnet}-{clean_subnet(cell_at(cells, columns.end))}"
    return f"{subnet}/{mask}" if mask and not has_length(subnet) else subnet


def site_text(cells: Cells, columns: Columns) -> str:
    """A row's site; of a distinguished name the value of its first part (RFC 4514)."""
    site = cell_at(cells, columns.site)
    if site[:3].casefold() != "cn=":
        return site
    first = re.split(r"(?<!\\),", site[3:], maxsplit=1)[0]
    return re.sub(r"\\(.)", r"\1", first).strip()


def vrf_text(cells: Cells, columns: Columns) -> str:
    """The VRF that a row's prefix is in; empty where the table says none."""
    return cell_at(cells, columns.vrf)


def overflow_names(cells: Cells, columns: Columns) -> tuple[str, ...]:
    """A row's overflow locations."""
    return tuple(filter(None, (cell_at(cells, at) for at in columns.overflow)))


def cell_at(cells: Cells, at: int | None) -> str:
    """The cell there; a dash, as NetBox puts for what is not there, is an empty one."""
    cell = cells[at] if at is not None and at < len(cells) else ""
    return "" if cell in _DASHES else cell
