"""`Get-CsNetworkSubnet | Export-Csv` of Skype for Business: its subnets by site, and a table of sites to locations.

The columns are found by their headings: `SubnetID` (else `Identity`), `MaskBits` and `NetworkSiteID`. Windows
PowerShell puts a line `#TYPE …` before them. Such a list has no order that counts: a subnet stands for itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...config.csv_lines import Cell, cells_text
from ...config.location_names import name_findings
from ...config.row import Row
from ...config.subnet_hints import diagnose
from ...net.addresses import Network, parse_interface
from ...net.ranges import Names
from ...problems import CODES, Problem, Severity
from ...spelling import nearest
from ...text import quote
from .spreadsheet import Sheet

_SUBNETS = ("subnetid", "identity")
_SITE_HEADINGS = ("site", "siteid", "networksiteid", "identity", "location")


@dataclass(frozen=True, slots=True)
class SiteRow:
    """One subnet, and where the row is that it makes."""

    path: str
    line: int
    row: Row

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"{self.path}:{self.line}"


def is_export(sheet: Sheet) -> bool:
    """Is this a list of subnets as PowerShell saves it?"""
    headings = {cell.strip(" \t").casefold() for cell in sheet.cells(sheet.first())}
    return {"maskbits", "networksiteid"} <= headings and not headings.isdisjoint(_SUBNETS)


def read_sites(sheet: Sheet) -> tuple[Mapping[str, Names], tuple[Problem, ...]]:
    """The names of each site, by the site in lower case: rows `site,location,overflow…`; a heading is passed over."""
    sites: dict[str, Names] = {}
    problems = list(sheet.problems)
    for at, (number, cells) in enumerate(sheet.records()):
        if at == 0 and cells[0].casefold() in _SITE_HEADINGS:
            continue
        site, *names = cells[0].casefold(), *filter(None, cells[1:])
        found = list(name_findings([Cell(1, name) for name in names]))
        findings = [one for one in found if CODES[one.code].severity == "error"]
        problems += [
            Problem(sheet.path, number, 1, one.code, one.message, one.hint, CODES[one.code].severity) for one in found
        ]
        if not site or not names:
            what, hint = f"{quote(','.join(cells))} is not a site and its location", "write site,location"
            problems.append(Problem(sheet.path, number, 1, "too-few-columns", what, hint))
        elif site in sites and sites[site] != tuple(names):
            what = f"site {quote(cells[0])} stands above already, with another location"
            problems.append(Problem(sheet.path, number, 1, "repeated-location", what, "delete one of the two"))
        elif not findings:
            sites[site] = tuple(names)
    return sites, tuple(problems)


def read_site_rows(
    sheet: Sheet, sites: Mapping[str, Names], sites_path: str
) -> tuple[tuple[SiteRow, ...], tuple[Problem, ...]]:
    """The rows that an export makes, and all there is to say about its lines: errors for those that make none."""
    reader = _Reader(sheet, sites, sites_path)
    return tuple(reader.rows()), tuple(reader.problems)


class _Reader:
    def __init__(self, sheet: Sheet, sites: Mapping[str, Names], sites_path: str) -> None:
        self._sheet = sheet
        self._sites = sites
        self._sites_path = sites_path
        self.problems = list(sheet.problems)

    def rows(self) -> Iterator[SiteRow]:
        records = self._sheet.records()
        _, headings = next(records)
        columns = {heading.casefold(): at for at, heading in enumerate(headings)}
        subnet = next(columns[heading] for heading in _SUBNETS if heading in columns)
        wanted = subnet, columns["maskbits"], columns["networksiteid"]
        for number, cells in records:
            if len(cells) <= max(wanted):
                self._add(number, "too-few-columns", f"{len(cells)} cells where the headings are {len(headings)}")
                continue
            row = self._row(number, *(cells[at] for at in wanted))
            if row is not None:
                yield SiteRow(self._sheet.path, number, row)

    def _row(self, number: int, subnet: str, bits: str, site: str) -> Row | None:
        written = f"{subnet}/{bits}"
        names = self._sites.get(site.casefold())
        if not site:
            hint = "give it a site and export again, or add a row for it once the map is written"
            self._add(number, "unknown-location", f"left out: {quote(written)} has no site", hint, "warning")
        elif names is None:
            self._add(number, "unknown-location", *self._unknown(site))
        try:
            address, length = parse_interface(written)
        except ValueError:
            self._add(number, *diagnose(written))
            return None
        network = Network.holding(address, length)
        if network.first != address:
            self._add(number, "host-bits", f"{written} is {network}", severity="warning")
        return Row(names, network) if names else None

    def _unknown(self, site: str) -> tuple[str, str]:
        hint = f"add a line to {self._sites_path}: {cells_text((site, 'LOCATION'))}"
        if "?" in site:  # the encoding that Windows PowerShell takes by itself has no other letters
            hint = "export again with -Encoding UTF8: what is not ASCII has become ?"
        elif meant := nearest(site, self._sites):
            hint = f"{hint}; is {meant} meant?"
        return f"site {quote(site)} has no location in {self._sites_path}", hint

    def _add(self, number: int, code: str, message: str, hint: str | None = None, severity: Severity = "error") -> None:
        self.problems.append(Problem(self._sheet.path, number, 1, code, message, hint, severity))
