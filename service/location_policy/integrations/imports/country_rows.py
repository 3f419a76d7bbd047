"""Rows of addresses by country, of several tables: each network has one country, and no other file has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...config.row import Row
from ...errors import LocationPolicyError
from ...net.addresses import Network
from ...problems import Problem
from ...text import count, listed, quote
from .countries import CountryTable, merged
from .site_file import Sites
from .spreadsheet import Sheet
from .table_kind import Kind

_SHOWN = 8
"""Countries that a message names."""


@dataclass
class CountryRows:
    """Tables as they are read, in order, and what there is to say about them."""

    sites: Sites
    names: Mapping[str, str]
    """The code of each country by its number, as GeoLite2 has them."""
    elsewhere: frozenset[Network]
    """Networks that another file of the map has."""
    problems: list[Problem] = field(default_factory=list)
    tables: list[CountryTable] = field(default_factory=list)

    def read(self, sheet: Sheet, kind: Kind, *, takes_all: bool, writes_sites: bool) -> tuple[CountryTable, list[Row]]:
        """A table and its rows; with `takes_all` what is not handed out too.

        Raises LocationPolicyError where nothing says what the countries are, or where their callers go, unless
        `writes_sites`.
        """
        table = self._table(sheet, kind, takes_all=takes_all, writes_sites=writes_sites)
        self.problems += table.problems
        self._tell_missing(table)
        self._hold_single(table)
        rows = list(merged(table.networks, self.sites.names))
        left = [row for row in rows if row.network not in self.elsewhere]
        if beside := len(rows) - len(left):
            what = f"left out: {count(beside, 'subnet')} that another file of the map has"
            self._note(table.path, 1, "duplicate-subnet", what)
        return table, left

    def _table(self, sheet: Sheet, kind: Kind, *, takes_all: bool, writes_sites: bool) -> CountryTable:
        if self.sites.path is None and not writes_sites:
            hint = (
                "name a file with country,location,overflow for each country: --sites FILE; --write-sites FILE makes it"
            )
            raise LocationPolicyError(f"{sheet.path} names countries, not locations", hint)
        table = CountryTable(sheet.path, kind.words)
        if kind.name == "registry":
            return table.registry(sheet, takes_all=takes_all)
        if kind.name == "ranges":
            return table.ranges(sheet)
        assert kind.columns
        if not self.names and "geoname_id" in kind.columns.named():
            hint = "name it too: GeoLite2-Country-Locations-en.csv"
            raise LocationPolicyError(
                f"{sheet.path} has numbers for countries, which its table of names explains", hint
            )
        return table.blocks(sheet, kind.columns, kind.line, self.names)

    def _tell_missing(self, table: CountryTable) -> None:
        missing = Counter(country for country in table.networks.values() if country not in self.sites.names)
        if missing and self.sites.path:
            shown = listed([f"{name.upper() or 'none'} ({number:,})" for name, number in missing.most_common()], _SHOWN)
            number = count(len(missing), "country")
            what = f"left out: {number} without a location in {self.sites.path}, with subnets: {shown}"
            self._note(table.path, 1, "unknown-location", what)

    def _hold_single(self, table: CountryTable) -> None:
        """Tell of networks that have a country already, in this table or one before it: which one is meant?"""
        again = [(line, network, country, table) for line, network, country in table.repeated]
        for before in self.tables:
            both = [network for network in table.networks if network in before.networks]
            again += [(table.lines[network], network, table.networks[network], before) for network in both]
        self.tables.append(table)
        for line, network, country, before in again:
            first, place = before.networks[network], f"{before.path}:{before.lines[network]}"
            if before is not table:
                del table.networks[network]
            if self.sites.names.get(country) == self.sites.names.get(first):
                self._note(table.path, line, "duplicate-subnet", f"left out: {network} is in {place} already")
            else:
                what = f"{network} is {quote(country.upper())} here, and {quote(first.upper())} in {place}"
                self.problems.append(Problem(table.path, line, 1, "duplicate-subnet", what, "delete one of the two"))

    def _note(self, path: str, line: int, code: str, message: str) -> None:
        self.problems.append(Problem(path, line, 1, code, message, severity="warning"))
