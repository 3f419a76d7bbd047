"""Tables of addresses by country, merged into the fewest rows in which a location differs.

Three forms: the delegations of a regional registry (`apnic|JP|ipv4|1.0.16.0|4096|20110412|allocated`, "RIR Statistics
Exchange Format"), ranges from first to last address (DB-IP Lite), and networks with a country, which GeoLite2 names by
a number that its table of names explains. The longest prefix of a table decides, as it does in a map.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from ...config.row import Row
from ...config.subnet_hints import diagnose, range_networks
from ...net.addresses import Network, parse_address, parse_interface
from ...net.ranges import SIZES, Names, Range, walk
from ...problems import Problem
from .columns import country_columns, is_net_mask
from .pexsubnet import old_interface
from .spreadsheet import Sheet
from .table_row import Columns, subnet_text

_LOOKED_AT = 50
_SIZES = {"ipv4": 4, "ipv6": 16}
_COUNT = re.compile("[0-9]{1,12}")
_UNUSED = ("available", "reserved")
"""States of addresses that no registry has handed out."""


class CountryTable:
    """The networks of a table, each with its country in lower case, and what there is to say about its lines."""

    def __init__(self, path: str, words: str) -> None:
        self.path = path
        self.words = words
        """What it is taken for."""
        self.networks: dict[Network, str] = {}
        self.lines: dict[Network, int] = {}
        """Where each stands first."""
        self.repeated: list[tuple[int, Network, str]] = []
        """Networks that stand in the table again: the line, and the country there."""
        self.passed = Counter[str]()
        self.problems: list[Problem] = []
        self.size = 0

    def _read(self, rows: Iterable[tuple[int, Iterable[Network], str]]) -> CountryTable:
        for line, networks, country in rows:
            self.size += 1
            for network in networks:
                if network in self.networks:
                    self.repeated.append((line, network, country))
                else:
                    self.networks[network] = country
                    self.lines[network] = line
        return self

    def _wrong(self, number: int, text: str) -> None:
        self.problems.append(Problem(self.path, number, 1, *diagnose(text)))

    def registry(self, sheet: Sheet, *, takes_all: bool) -> CountryTable:
        """Read delegations; with `takes_all` what is not handed out too."""
        self._hold_whole(sheet)
        return self._read(self._delegations(sheet, takes_all=takes_all))

    def _hold_whole(self, sheet: Sheet) -> None:
        """Are there as many delegations as the summary says? Else it is a part of the file, on purpose or cut off."""
        announced, found = Counter[str](), Counter[str]()
        for _, text in sheet.lines:
            cells = (text or "").split("|", 6)
            if len(cells) > 6 and cells[3] != "*":
                found[cells[2]] += 1
            elif len(cells) == 6 and cells[3] == "*" and cells[2] in _SIZES and _COUNT.fullmatch(cells[4]):
                announced[cells[2]] += int(cells[4])
        for kind, number in announced.items():
            if found[kind] < number:
                what = f"{found[kind]:,} of {number:,} delegations of {kind} are here, as the summary counts them"
                hint = "if that is not a part taken on purpose, fetch the file again: it is cut off"
                self.problems.append(Problem(self.path, len(sheet.lines), 1, "no-rows", what, hint, "warning"))

    def _delegations(self, sheet: Sheet, *, takes_all: bool) -> Iterator[tuple[int, Iterable[Network], str]]:
        for number, text in sheet.lines:
            cells = (text or "").split("|")
            if len(cells) < 4 or cells[2] not in _SIZES or cells[3] == "*":
                continue
            if len(cells) < 7:
                what = f"{len(cells)} cells where a delegation has 7"
                self.problems.append(Problem(self.path, number, 1, "too-few-columns", what))
                continue
            if cells[6] in _UNUSED and not takes_all:
                self.passed[cells[6]] += 1
                continue
            try:
                address, size = parse_address(cells[3]), int(cells[4])
                networks = (
                    Range(first := int.from_bytes(address), first + size - 1).networks(4)
                    if cells[2] == "ipv4"
                    else (Network.holding(address, size),)
                )
                yield number, tuple(networks), cells[1].casefold()
            except (ValueError, OverflowError):
                self._wrong(number, f"{cells[3]}/{cells[4]}")

    def ranges(self, sheet: Sheet) -> CountryTable:
        """Read ranges from a first to a last address."""
        return self._read(self._ranges(sheet))

    def _ranges(self, sheet: Sheet) -> Iterator[tuple[int, Iterable[Network], str]]:
        for number, cells in sheet.records():
            try:
                first, last = parse_address(cells[0]), parse_address(cells[1])
                addresses = Range(int.from_bytes(first), int.from_bytes(last))
                country = cells[2].casefold()
            except (ValueError, IndexError):
                if number > 1:  # the first line may be a heading
                    self._wrong(number, "-".join(cells[:2]))
                continue
            if len(first) != len(last) or addresses.size < 1:
                self._wrong(number, "-".join(cells[:2]))
            else:
                yield number, tuple(addresses.networks(len(first))), country

    def blocks(self, sheet: Sheet, columns: Columns, line: int, names: Mapping[str, str]) -> CountryTable:
        """Read networks below the heading of this line, the countries of which have these names."""
        return self._read(self._blocks(sheet, columns, line, names))

    def _blocks(
        self, sheet: Sheet, columns: Columns, line: int, names: Mapping[str, str]
    ) -> Iterator[tuple[int, Iterable[Network], str]]:
        is_parted = columns.mask is not None or columns.end is not None
        for number, cells in sheet.records():
            if number <= line:
                continue
            if len(cells) <= columns.last:
                cells = [*cells, *[""] * (columns.last + 1 - len(cells))]  # noqa: PLW2901  as long as the heading
            country = cells[columns.site]
            written = subnet_text(cells, columns) if is_parted else cells[columns.subnet]
            try:
                yield number, _networks(written), names.get(country, country).casefold()
            except ValueError:
                self._wrong(number, written)


def is_registry(sheet: Sheet) -> bool:
    """Are these the delegations of a registry?"""
    rows = [text.split("|") for _, text in islice(sheet.lines, _LOOKED_AT) if text]
    return any(len(cells) > 5 and cells[2] in (*_SIZES, "asn") for cells in rows)


def is_ranges(rows: Sequence[Sequence[str]]) -> bool:
    """Are most of these ranges with a country of two letters?"""
    looked_at = rows[:_LOOKED_AT]
    return 2 * sum(len(cells) == 3 and len(cells[2]) == 2 and _is_range(cells) for cells in looked_at) > len(looked_at)


def block_columns(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Columns | None:
    """The columns of networks with a country; of GeoLite2 with the number that its table of names explains."""
    if {"network", "geoname_id"} <= set(headings):
        site = headings.index("geoname_id")
        return Columns(headings.index("network"), site, headings=tuple(headings))
    return country_columns(headings, rows)


def is_names(headings: Sequence[str]) -> bool:
    """Is this the table of names of GeoLite2?"""
    return {"geoname_id", "country_iso_code"} <= set(headings)


def country_names(sheet: Sheet, line: int) -> Mapping[str, str]:
    """The code of each country by its number in the blocks of GeoLite2, below the heading of this line."""
    records = (one for one in sheet.records() if one[0] >= line)
    _, headings = next(records)
    number, code = headings.index("geoname_id"), headings.index("country_iso_code")
    return {cells[number]: cells[code] for _, cells in records if len(cells) > max(number, code)}


def merged(networks: Mapping[Network, str], names: Mapping[str, Names]) -> Iterator[Row]:
    """The fewest rows that answer every address of these networks by the names of its country, in order; countries
    without names get no answer.
    """
    for size in SIZES:
        below = sorted(network for network in networks if len(network) == size + 1)
        whole, run = Range(0, (1 << size * 8) - 1), None
        for addresses, network in walk(whole, None, below):
            found = names.get(networks[network]) if network else None
            if run and run[1] == found:
                run = Range(run[0].first, addresses.last), found
                continue
            yield from _rows(run, size)
            run = addresses, found
        yield from _rows(run, size)


def _rows(run: tuple[Range, Names | None] | None, size: int) -> Iterator[Row]:
    if run and run[1]:
        for network in run[0].networks(size):
            yield Row(run[1], network)


def _networks(written: str) -> Sequence[Network]:
    """What a network is, written with its length, its mask, or as a range. Raises ValueError."""
    try:
        return (Network.holding(*parse_interface(written)),)
    except ValueError:
        if "." in written.partition("/")[2] and (meant := old_interface(written)):
            return (Network.holding(*meant),)
        if found := range_networks(written):
            return found
        raise


def _is_range(cells: Sequence[str]) -> bool:
    """Are these two addresses of one family, of which the second is no mask of the first?"""
    if is_net_mask(cells[1]):
        return False
    try:
        return len(parse_address(cells[0])) == len(parse_address(cells[1]))
    except ValueError:
        return False
