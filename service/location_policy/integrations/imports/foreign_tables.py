"""Tables from elsewhere to rows of ours: files of pexsubnet, exports with a site for each prefix, addresses by country.

Several files are tried one after the other, in the order in which they are given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

from ...config.csv_lines import Cell
from ...config.files import RULES_PATH
from ...config.known_names import slips
from ...config.location_names import name_findings, shown_beside
from ...config.row import Row
from ...config.row_file import LineCache, read_rows
from ...errors import LocationPolicyError
from ...net.addresses import Network
from ...net.ranges import Names
from ...problems import CODES, Problem, errors_in
from ...text import count, quote
from .countries import country_names
from .country_rows import CountryRows
from .first_match import answering_rows
from .our_rows import our_lines
from .pexsubnet import OldRow, read_old_rows
from .prefix_table import PrefixTable
from .site_file import Sites, by_fold, read_sites
from .spreadsheet import Sheet, read_sheet
from .table_kind import Kind, kind_of
from .vrfs import VrfCheck

Content = tuple[str, bytes]
"""The path of a file, as it is shown, and what is in it."""
_COMPARED = 20
"""Sites without a location that are compared with those that have one: more than are told."""


@dataclass(frozen=True, slots=True)
class NewRow:
    """One row that a table makes, and where its subnet stands there."""

    path: str
    line: int
    row: Row

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"{self.path}:{self.line}"


class Taken(NamedTuple):
    """What a file is taken for, and the rows that were read as such."""

    words: str
    rows: int


@dataclass(frozen=True, slots=True)
class Tables:
    """What is brought: the rows of each file, where each stands, and what there is to say."""

    rows: Mapping[str, tuple[Row, ...]]
    places: Mapping[Network, str]
    answering: Mapping[Network, OldRow] | None
    """The rows that answered until now, by their subnets; None where no server did."""
    problems: tuple[Problem, ...]
    near: Mapping[str, str]
    """Names that are nearly another, and which."""
    taken: Mapping[str, Taken]
    """What each file is taken for; without those that are taken for nothing."""
    unknown: frozenset[str]
    """Files of which nothing is known."""
    passed: Mapping[str, int]
    """How many rows are passed over since they are not in use, by the reason."""
    sites: Mapping[str, Names | None]
    """Every site, and where its callers go; None where that is not said."""
    listed: frozenset[str]
    """Sites that have a line in the file of sites, in lower case."""
    are_sites_locations: bool
    """Is each site taken for the location of its name, since nothing says otherwise?"""
    are_countries: bool
    """Are the sites countries?"""
    naming: Mapping[str, str]
    """Where the file of sites names each location first."""

    def names(self) -> list[str]:
        """Every name, in the order of the alphabet."""
        return sorted({name for rows in self.rows.values() for row in rows for name in row.names})


def read_tables(
    files: Iterable[Content],
    sites: Content | None,
    *,
    only_answering: bool = False,
    columns: Mapping[str, str] | None = None,
    takes_all: bool = False,
    locations: Collection[str] | None = None,
    elsewhere: Collection[Network] = (),
    writes_sites: bool = False,
) -> Tables:
    """The rows of these files; with `only_answering` those that no caller could come to are left out.

    `columns` names the columns of subnets, sites and masks where they are not found. With `takes_all` what is not in
    use is read too. A site may be one of the `locations`; None: it may be any. Networks that are `elsewhere` in the map
    are left out of addresses by country, which are wider. Raises LocationPolicyError for addresses by country without a
    file of sites, unless `writes_sites`, for a column that is not there, and for an answer of which pages are missing.
    """
    sheets = [read_sheet(path, content) for path, content in files]
    _hold_whole(sheets)
    kinds = [kind_of(sheet, columns or {}, has_sites=sites is not None) for sheet in sheets]
    names: dict[str, str] = {}
    for sheet, kind in zip(sheets, kinds, strict=True):
        names.update(country_names(sheet, kind.line) if kind.name == "names" else {})
    known = (
        read_sites(read_sheet(*sites), locations)
        if sites
        else Sites(locations=None if locations is None else by_fold(locations))
    )
    collector = _Collector(known, takes_all, writes_sites, CountryRows(known, names, frozenset(elsewhere)))
    for sheet, kind in zip(sheets, kinds, strict=True):
        collector.read(sheet, kind)
    answering = answering_rows(collector.old) if collector.has_old else None
    left_out = {row.place for row in collector.old} - {row.place for row in (answering or {}).values()}
    return collector.tables(answering, left_out if only_answering else set())


def _hold_whole(sheets: Sequence[Sheet]) -> None:
    """Is every entry there that the program has? Else what is not seen would seem to be gone."""
    answers = [sheet for sheet in sheets if sheet.entries or sheet.announced]
    entries, announced = sum(sheet.entries for sheet in answers), max((sheet.announced for sheet in answers), default=0)
    hint = "fetch the next pages too, and name them all, or put them one behind the other"
    if entries < announced:
        path = next(sheet.path for sheet in answers if sheet.announced)
        raise LocationPolicyError(f"{path} has {entries:,} of {announced:,} entries", hint)
    if answers and all(sheet.goes_on for sheet in answers):
        path = answers[-1].path
        raise LocationPolicyError(f"{path} has {count(entries, 'entry')}, and its program says that more follow", hint)


@dataclass
class _Collector:
    """Rows as they are read, in order."""

    sites: Sites
    takes_all: bool
    writes_sites: bool
    countries: CountryRows
    has_old: bool = False
    has_sites: bool = False
    old: list[OldRow] = field(default_factory=list)
    by_path: dict[str, list[OldRow | NewRow]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    taken: dict[str, Taken] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    passed: Counter[str] = field(default_factory=Counter)
    first: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    """Each site by its name in lower case: as it is written first, and where."""
    spelled: set[str] = field(default_factory=set)
    """Other spellings of sites, which are told."""
    subnets: Counter[str] = field(default_factory=Counter)
    """How many each site has."""
    judged: dict[Names, bool] = field(default_factory=dict)
    """Names that a table has given, and whether a row can have them."""
    vrfs: VrfCheck = field(default_factory=VrfCheck)
    by_country: set[str] = field(default_factory=set)
    """Countries, of which those without a line are left out."""

    def read(self, sheet: Sheet, kind: Kind) -> None:
        """Add the rows of a file."""
        rows: Sequence[OldRow | NewRow] = ()
        size, told = 0, len(self.problems)
        if kind.name == "unknown":
            self.unknown.append(sheet.path)
            self.problems += sheet.problems or filter(None, [sheet.open_quote() or kind.problem])
        elif kind.name == "pexsubnet":
            old, problems = read_old_rows(sheet)
            self.has_old = True
            self.old += old
            self.problems += problems
            rows, size = old, len(old)
        elif kind.name == "rows":
            file = read_rows(sheet.path, our_lines(sheet), LineCache())
            found = [replace(one, severity=CODES[one.code].severity) for one in file.findings()]
            self.problems += [*sheet.problems, *found]
            refused = {problem.line for problem in found if problem.severity == "error"}
            rows = [NewRow(sheet.path, line, row) for line, row in file.rows() if line not in refused]
            size = file.size
        elif kind.name == "prefixes" and kind.columns:
            table = PrefixTable(sheet, kind.line, kind.columns, kind.find, takes_all=self.takes_all)
            rows, size = list(self._with_sites(table, sheet.path)), table.size
        elif kind.name not in ("names", "empty"):
            rows, size = self._by_country(sheet, kind)
        if kind.words and kind.name != "names":
            self.taken[sheet.path] = Taken(kind.words, size)
        if not size and kind.name not in ("names", "unknown") and not errors_in(self.problems[told:]):
            self._note(sheet.path, 1, "no-rows", "the file has no row" if sheet.lines else "the file is empty")
        self.by_path[sheet.path] = list(rows)

    def _with_sites(self, table: PrefixTable, path: str) -> Iterator[NewRow]:
        self.has_sites = True
        self.problems += table.problems
        self.passed += table.passed
        for one in table.prefixes:
            folded = one.site.casefold()
            self.subnets[folded] += 1
            first, *_ = self.first.setdefault(folded, (one.site, path, one.line))
            self._tell_spelling(one.site, first, path, one.line)
            names = self.sites.of(first)
            if names and folded not in self.sites.names:
                names = names + one.overflow
                if not self._can_be(names, path, one.line):
                    continue
            if names and not (table.vrf_heading and self.vrfs.is_repeated(path, one, names)):
                yield NewRow(path, one.line, Row(names, one.network))
        self.problems += filter(None, [self.vrfs.problem(path, table.vrf_heading)])

    def _by_country(self, sheet: Sheet, kind: Kind) -> tuple[list[NewRow], int]:
        told = len(self.countries.problems)
        table, rows = self.countries.read(sheet, kind, takes_all=self.takes_all, writes_sites=self.writes_sites)
        self.problems += [*sheet.problems, *filter(None, [sheet.open_quote()]), *self.countries.problems[told:]]
        self.passed += table.passed
        self.subnets.update(table.networks.values())
        for country in filter(None, set(table.networks.values())):
            self.first.setdefault(country, (country.upper(), table.path, 1))
        self.by_country.update(table.networks.values())
        return [NewRow(table.path, 1, row) for row in rows], table.size

    def _are_locations(self) -> bool:
        return self.sites.path is None and self.sites.locations is None

    def _tell_spelling(self, site: str, first: str, path: str, line: int) -> None:
        """Say once of each other spelling by case of a site that names its location that it is the same site."""
        if site != first and site not in self.spelled and self._are_locations():
            self.spelled.add(site)
            what = f"site {quote(site)} is taken for {quote(first)}: case does not count"
            self._note(path, line, "name-near-miss", what)

    def _can_be(self, names: Names, path: str, line: int) -> bool:
        """Can these be the names of a row? What keeps them from it is told once."""
        if names not in self.judged:
            found = list(name_findings([Cell(1, name) for name in names]))
            self.judged[names] = all(CODES[one.code].severity != "error" for one in found)
            self.problems += [
                Problem(path, line, 1, one.code, one.message, one.hint, CODES[one.code].severity) for one in found
            ]
        return self.judged[names]

    def tables(self, answering: Mapping[Network, OldRow] | None, left_out: set[str]) -> Tables:
        """What was read, each subnet once."""
        first: dict[Network, OldRow | NewRow] = {}
        kept: dict[str, list[Row]] = {path: [] for path in self.by_path}
        for path, rows in self.by_path.items():
            for row in rows:
                if row.place in left_out:
                    self._note(path, row.line, "shadowed-subnet", "left out: no caller could come to this row")
                elif row.row is None:
                    continue
                elif before := first.get(row.row.network):
                    self._duplicate(row, row.row, before)
                else:
                    first[row.row.network] = row
                    kept[path].append(row.row)
        near = slips(Counter(name for row in first.values() if row.row for name in row.row.names))
        used = self.sites.problems if self.subnets else ()
        problems = [*used, *self.problems, *self._missing_sites(), *_near_miss_problems([*first.values()], near)]
        order = {path: at for at, path in enumerate(self.by_path)}
        ordered = sorted(problems, key=lambda problem: (order.get(problem.path, -1), problem.line))
        place_of = cache("{}:{}".format)  # of a table by country all rows have one
        places = {network: place_of(row.path, row.line) for network, row in first.items()}
        found = {path: tuple(rows) for path, rows in kept.items()}
        sites = {place[0]: self._names_of(folded, place[0]) for folded, place in self.first.items()}
        return Tables(
            found,
            places,
            answering,
            tuple(ordered),
            near,
            self.taken,
            frozenset(self.unknown),
            self.passed,
            sites,
            self.sites.left_open.union(self.sites.names),
            bool(self.first) and self.has_sites and self._are_locations(),
            bool(self.by_country),
            self.sites.naming,
        )

    def _names_of(self, folded: str, site: str) -> Names | None:
        """Where a site or a country goes; a country is no location."""
        return self.sites.names.get(folded) if folded in self.by_country else self.sites.of(site)

    def _missing_sites(self) -> Iterator[Problem]:
        """Each site that has no location, once, with its number of subnets."""
        missing = [
            (folded, *place)
            for folded, place in self.first.items()
            if folded not in self.by_country and self.sites.of(place[0]) is None
        ]
        for at, (folded, site, path, line) in enumerate(missing):
            what, hint = self.sites.missing(site, self.subnets[folded], compares=at < _COMPARED)
            yield Problem(path, line, 1, "unknown-location", what, hint)

    def _duplicate(self, row: OldRow | NewRow, its: Row, before: OldRow | NewRow) -> None:
        if isinstance(row, OldRow) or its == before.row:
            what = f"left out: {its.network} is in {before.place} already"
            self._note(row.path, row.line, "duplicate-subnet", what)
        else:
            what, hint = f"{its.network} is in {before.place} already, in another location", "delete one of the two"
            self.problems.append(Problem(row.path, row.line, 1, "duplicate-subnet", what, hint))

    def _note(self, path: str, line: int, code: str, message: str) -> None:
        self.problems.append(Problem(path, line, 1, code, message, severity="warning"))


def _near_miss_problems(rows: Sequence[OldRow | NewRow], near: Mapping[str, str]) -> Iterator[Problem]:
    """Told at the first row of each such name."""
    first: dict[str, OldRow | NewRow] = {}
    for row in rows:
        for name in row.row.names if row.row else ():
            first.setdefault(name, row)
    for name, better in near.items():
        how = "differs only in case from" if name.casefold() == better.casefold() else "is nearly"
        what = f"{shown_beside(name, better)} {how} {quote(better)} in {first[better].place}"
        hint = f"write {better}, or if Pexip has a location of each name, add both to known in {RULES_PATH}"
        yield Problem(first[name].path, first[name].line, 1, "name-near-miss", what, hint, "warning")
