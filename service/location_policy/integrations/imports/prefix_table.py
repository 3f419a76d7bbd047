"""A table of prefixes with a site each, as an IPAM, Active Directory or Teams exports it, made into rows with sites.

Such a table has no order that counts: a subnet stands for itself. Windows PowerShell puts a line `#TYPE …` before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ...config.subnet_hints import diagnose, is_address, range_networks, subnets_in
from ...net.addresses import Network, parse_interface
from ...net.ranges import Names
from ...problems import Problem, Severity
from ...text import count, quote
from .columns import blocks
from .other_subnets import other_subnets
from .pexsubnet import old_interface
from .spreadsheet import Sheet
from .table_row import Columns, is_below_table, is_joined, overflow_names, site_text, subnet_text, vrf_text

_LOOKED_AT = 200
"""Rows by which it is told what columns hold."""
_OF_RANGE = 16
"""Subnets that a range may be made up of."""
Find = Callable[[Sequence[str], Sequence[list[str]]], Columns | None]


class SitePrefix(NamedTuple):
    """A prefix, its site, and the line where it stands."""

    line: int
    network: Network
    site: str
    overflow: Names
    """Locations that the table names behind the site, where that is a location itself."""
    vrf: str


class PrefixTable:
    """The rows of a table, and all there is to say about its lines: errors for those that make no row."""

    def __init__(self, sheet: Sheet, first: int, columns: Columns, find: Find, *, takes_all: bool) -> None:
        """The table begins at the line `first`; `find` gives the columns of a part with its own heading. With
        `takes_all` what is not in use is read too.
        """
        self._path = sheet.path
        self._takes_all = takes_all
        self.problems = [*sheet.problems, *filter(None, [sheet.open_quote()])]
        self.passed = Counter[str]()
        """How many rows are passed over, by the reason."""
        self.size = sum(text is None and number >= first for number, text in sheet.lines)
        """Rows of the table, with those that cannot be read."""
        self.vrf_heading = "" if columns.vrf is None else columns.headings[columns.vrf]
        records = [one for one in sheet.records() if one[0] >= first]
        self._width = max(Counter(len(cells) for _, cells in records).most_common(1), default=(0, 0))[0]
        """Cells of most rows."""
        self._last = max((number for number, cells in records if any(map(is_address, cells))), default=len(sheet.lines))
        """The last line with a subnet."""
        beside = other_subnets(sheet.path, first, [cells for _, cells in records[1:_LOOKED_AT]], columns)
        self.problems += filter(None, [beside])
        self.prefixes = tuple(self._read(records, columns, find))

    def _read(self, records: Sequence[tuple[int, list[str]]], columns: Columns, find: Find) -> Iterator[SitePrefix]:
        parts = {id(headings): rows for headings, rows in blocks([cells for _, cells in records])}
        now: Columns | None = columns
        for number, cells in records:
            if id(cells) in parts:
                now = find(cells, parts[id(cells)])
            else:
                yield from self._row(number, cells, now)

    def _row(self, number: int, cells: list[str], columns: Columns | None) -> Iterator[SitePrefix]:
        is_ruler = not any(cell.strip("-=:+| ") for cell in cells)  # or a row of blank cells
        if is_ruler or (columns and tuple(cells) == columns.headings):
            return
        self.size += 1
        if columns is None:
            self.passed[cells[0].casefold()] += 1
            return
        is_below = number > self._last and is_below_table(cells, columns)
        reason = "below the table" if is_below else columns.unused(cells)
        if reason and not self._takes_all:
            self.passed[reason] += 1
            return
        if len(cells) <= columns.last:
            has = f"the headings are {len(columns.headings)}" if columns.headings else f"{columns.last + 1} are needed"
            self._add(number, "too-few-columns", f"{count(len(cells), 'cell')} where {has}")
            return
        if is_joined(cells, columns, width := max(self._width, len(columns.headings))):
            hint = "begin it on a line of its own: files were joined of which one has no end of its last line"
            what = f"{count(len(cells), 'cell')} where the table has {width}: another row begins on the same line"
            self._add(number, "wrong-separator", what, hint)
            return
        written = subnet_text(cells, columns)
        networks = self._networks(number, written)
        site = site_text(cells, columns)
        if networks and not site:
            hint = "give it a site and export again, or add a row for it once the map is written"
            self._add(number, "unknown-location", f"left out: {quote(written)} has no site", hint, "warning")
        for network in networks if site else ():
            yield SitePrefix(number, network, site, overflow_names(cells, columns), vrf_text(cells, columns))

    def _networks(self, number: int, written: str) -> Sequence[Network]:
        """The network that is written, or the few that make up a range; of several all."""
        if len(several := subnets_in(written)) > 1:
            return [network for one in several for network in self._networks(number, one)]
        try:
            address, length = parse_interface(written)
        except ValueError:
            meant = old_interface(written) if "." in written.partition("/")[2] else None
            if meant is None:
                return self._of_range(number, written)
            address, length = meant
        network = Network.holding(address, length)
        if network.first != address:
            self._add(number, "host-bits", f"{written} is {network}", severity="warning")
        return (network,)

    def _of_range(self, number: int, written: str) -> Sequence[Network]:
        networks = range_networks(written)
        if networks is None:
            self._add(number, *diagnose(written))
        elif len(networks) > _OF_RANGE:
            what = f"{quote(written)} is a range of {len(networks)} subnets, and at most {_OF_RANGE} are made of one"
            self._add(number, "not-a-subnet", what, "write each subnet of it in a row of its own")
        else:
            return networks
        return ()

    def _add(self, number: int, code: str, message: str, hint: str | None = None, severity: Severity = "error") -> None:
        self.problems.append(Problem(self._path, number, 1, code, message, hint, severity))
