"""The file that says which location each site is, `site,location,overflow…`: read, and written with open lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from ...config.csv_lines import Cell, cells_text, is_heading_row
from ...config.location_names import name_findings
from ...errors import LocationPolicyError
from ...net.ranges import Names
from ...problems import CODES, Problem
from ...spelling import nearest
from ...text import count, quote
from .spreadsheet import Sheet, parted_text, read_sheet

_HEADINGS = ("site", "siteid", "networksiteid", "identity", "location", "country")


@dataclass(frozen=True, slots=True)
class Sites:
    """The names of each site, by the site in lower case; and the locations that a site may be named as."""

    path: str | None = None
    names: Mapping[str, Names] = field(default_factory=dict)
    left_open: frozenset[str] = frozenset()
    """Sites of lines without a location, in lower case."""
    locations: Mapping[str, str] | None = None
    """Names that are locations, by themselves in lower case; None where any name may be one."""
    problems: tuple[Problem, ...] = ()
    naming: Mapping[str, str] = field(default_factory=dict)
    """The first line that names each location, as `sites.csv:2`."""

    def of(self, site: str) -> Names | None:
        """Where the callers of a site go: as its line says, else to the location of its name; None: it is not said."""
        folded = site.casefold()
        if folded in self.names:
            return self.names[folded]
        if folded in self.left_open or (self.locations is not None and folded not in self.locations):
            return None
        return (site if self.locations is None else self.locations[folded],)

    def missing(self, site: str, subnets: int, *, compares: bool) -> tuple[str, str]:
        """What is said of a site that has no location, and the hint, which `compares` it with those that have one."""
        line = cells_text((site, "LOCATION"))
        number = count(subnets, "subnet")
        if self.path is None:
            hint = f"add {site} to known, or name a file with a line {line}: --sites FILE; --write-sites FILE makes it"
            return f"site {quote(site)} is not a location in known: {number}", hint
        if site.casefold() in self.left_open:
            return f"site {quote(site)} is left open in {self.path}: {number}", f"write its location there: {line}"
        hint = f"add a line to {self.path}: {line}"
        if "?" in site:  # the encoding that Windows PowerShell takes by itself has no other letters
            hint = "export again with -Encoding UTF8: what is not ASCII has become ?"
        elif compares and (meant := nearest(site, self.names)):
            hint = f"{hint}; is {meant} meant?"
        return f"site {quote(site)} has no location in {self.path}: {number}", hint


def read_sites(sheet: Sheet, locations: Iterable[str] | None) -> Sites:
    """The sites of a file: rows `site,location,overflow…`, a heading is passed over.

    A site may also be named as one of these locations, or as one that the file names.
    """
    names: dict[str, Names] = {}
    left_open: set[str] = set()
    naming: dict[str, str] = {}
    problems = [*sheet.problems, *filter(None, [sheet.open_quote()])]
    for at, (number, cells) in enumerate(sheet.records()):
        if at == 0 and (cells[0].casefold() in _HEADINGS or is_heading_row(cells, -1)):
            continue
        site, *rest = cells[0].casefold(), *filter(None, cells[1:])
        found = list(name_findings([Cell(1, name) for name in rest]))
        problems += [
            Problem(sheet.path, number, 1, one.code, one.message, one.hint, CODES[one.code].severity) for one in found
        ]
        if site and not rest and len(cells) > 1:
            left_open.add(site)
        elif not site or not rest:
            what, hint = f"{quote(','.join(cells))} is not a site and its location", "write site,location"
            problems.append(Problem(sheet.path, number, 1, "too-few-columns", what, hint))
        elif site in names and names[site] != tuple(rest):
            what = f"site {quote(cells[0])} stands above already, with another location"
            problems.append(Problem(sheet.path, number, 1, "repeated-location", what, "delete one of the two"))
        elif all(CODES[one.code].severity != "error" for one in found):
            names[site] = tuple(rest)
            for name in rest:
                naming.setdefault(name, f"{sheet.path}:{number}")
    is_location = by_fold(naming.keys() | set(locations or ()))
    return Sites(sheet.path, names, frozenset(left_open - names.keys()), is_location, tuple(problems), naming)


def by_fold(names: Iterable[str]) -> Mapping[str, str]:
    """Names by themselves in lower case."""
    return {name.casefold(): name for name in names}


def sites_text(sites: Mapping[str, Names | None], noun: str) -> bytes:
    """The content of a file with a line for each site or country, in order; one without a location is left open."""
    return _lines([(noun, "location", "overflow"), *_cells(sites)]).encode()


def with_sites(path: str, content: bytes, sites: Mapping[str, Names | None]) -> bytes:
    """The content of a file of sites with lines for these behind its own, in its form.

    Raises LocationPolicyError for one that has no such lines, or letters that cannot be read.
    """
    sheet = read_sheet(path, content)
    if sheet.entries or any(problem.code == "not-utf8" for problem in sheet.problems):
        raise LocationPolicyError(f"{path} cannot be added to", 'save it as "CSV UTF-8", and import with it again')
    text = content.decode("utf-16" if sheet.is_utf16 else "utf-8")
    end = "\r\n" if "\r\n" in text else "\r" if "\r" in text and "\n" not in text else "\n"
    text += end * (bool(text) and not text.endswith(end))
    new = text + _lines(_cells(sites), sheet.separator, end)
    return new.encode("utf-16" if sheet.is_utf16 else "utf-8")


def _cells(sites: Mapping[str, Names | None]) -> list[Names]:
    return [(site, *(names or ("",))) for site, names in sorted(sites.items(), key=lambda one: one[0].casefold())]


def _lines(cells: Iterable[Names], separator: str = ",", end: str = "\n") -> str:
    text = cells_text if separator == "," else partial(parted_text, separator)
    return "".join(f"{text(line)}{end}" for line in cells)
