"""Tables from elsewhere to rows of ours: files of pexsubnet, exports of Skype for Business.

Several files are tried one after the other, in the order in which they are given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...config.files import RULES_PATH
from ...config.known_names import slips
from ...config.location_names import shown_beside
from ...config.row import Row
from ...errors import LocationPolicyError
from ...net.addresses import Network
from ...problems import Problem
from ...text import quote
from .first_match import answering_rows
from .pexsubnet import OldRow, foreign_table, read_old_rows
from .skype_for_business import SiteRow, is_export, read_site_rows, read_sites
from .spreadsheet import Sheet, read_sheet

Content = tuple[str, bytes]
"""The path of a file, as it is shown, and what is in it."""


@dataclass(frozen=True, slots=True)
class Tables:
    """What is brought: the rows of each file, where each stands, and what there is to say."""

    rows: Mapping[str, tuple[Row, ...]]
    places: Mapping[Network, str]
    answering: Mapping[Network, OldRow] | None
    """The rows that answered until now, by their subnets; None where no server did."""
    lines: int
    """Rows that were read."""
    problems: tuple[Problem, ...]
    near: Mapping[str, str]
    """Names that are nearly another, and which."""

    def names(self) -> list[str]:
        """Every name, in the order of the alphabet."""
        return sorted({name for rows in self.rows.values() for row in rows for name in row.names})


def read_tables(files: Iterable[Content], sites: Content | None, *, only_answering: bool = False) -> Tables:
    """The rows of these files; with `only_answering` those that no caller could come to are left out.

    Raises LocationPolicyError for an export without a table of sites.
    """
    collector = _Collector(sites)
    sheets = [read_sheet(path, content) for path, content in files]
    for sheet in sheets:
        collector.read(sheet)
    answering = answering_rows(collector.old) if collector.has_old else None
    left_out = {row.place for row in collector.old} - {row.place for row in (answering or {}).values()}
    return collector.tables(answering, left_out if only_answering else set())


@dataclass
class _Collector:
    """Rows as they are read, in order."""

    sites_file: Content | None
    has_old: bool = False
    old: list[OldRow] = field(default_factory=list)
    by_path: dict[str, list[OldRow | SiteRow]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    sites: tuple[Mapping[str, tuple[str, ...]], str] | None = None

    def read(self, sheet: Sheet) -> None:
        """Add the rows of a file."""
        rows: Sequence[OldRow | SiteRow]
        if is_export(sheet):
            rows, problems = read_site_rows(sheet, *self._sites(sheet.path))
        elif foreign := foreign_table(sheet):
            rows, problems = (), foreign
        else:
            old, problems = read_old_rows(sheet)
            self.has_old = True
            self.old += old
            rows = old
        self.by_path[sheet.path] = list(rows)
        self.problems += problems

    def _sites(self, path: str) -> tuple[Mapping[str, tuple[str, ...]], str]:
        if self.sites is None:
            if self.sites_file is None:
                hint = "name a file with a line for each site: --sites FILE, with site,location,overflow"
                raise LocationPolicyError(f"{path} names sites, not locations", hint)
            sites, problems = read_sites(read_sheet(*self.sites_file))
            self.problems += problems
            self.sites = sites, self.sites_file[0]
        return self.sites

    def tables(self, answering: Mapping[Network, OldRow] | None, left_out: set[str]) -> Tables:
        """What was read, each subnet once."""
        first: dict[Network, OldRow | SiteRow] = {}
        kept: dict[str, list[Row]] = {path: [] for path in self.by_path}
        for path, rows in self.by_path.items():
            for row in rows:
                if row.place in left_out:
                    self._note(row, "shadowed-subnet", "left out: no caller could come to this row")
                elif row.row is None:
                    continue
                elif before := first.get(row.row.network):
                    self._duplicate(row, row.row, before)
                else:
                    first[row.row.network] = row
                    kept[path].append(row.row)
        near = slips(Counter(name for row in first.values() if row.row for name in row.row.names))
        problems = [*self.problems, *_near_miss_problems([*first.values()], near)]
        order = {path: at for at, path in enumerate(self.by_path)}
        ordered = sorted(problems, key=lambda problem: (order.get(problem.path, -1), problem.line))
        places = {network: row.place for network, row in first.items()}
        found = {path: tuple(rows) for path, rows in kept.items()}
        return Tables(found, places, answering, sum(map(len, self.by_path.values())), tuple(ordered), near)

    def _duplicate(self, row: OldRow | SiteRow, its: Row, before: OldRow | SiteRow) -> None:
        if isinstance(row, OldRow) or its == before.row:
            self._note(row, "duplicate-subnet", f"left out: {its.network} is in {before.place} already")
        else:
            what, hint = f"{its.network} is in {before.place} already, in another location", "delete one of the two"
            self.problems.append(Problem(row.path, row.line, 1, "duplicate-subnet", what, hint))

    def _note(self, row: OldRow | SiteRow, code: str, message: str) -> None:
        self.problems.append(Problem(row.path, row.line, 1, code, message, severity="warning"))


def _near_miss_problems(rows: Sequence[OldRow | SiteRow], near: Mapping[str, str]) -> Iterator[Problem]:
    """Told at the first row of each such name."""
    first: dict[str, OldRow | SiteRow] = {}
    for row in rows:
        for name in row.row.names if row.row else ():
            first.setdefault(name, row)
    for name, better in near.items():
        how = "differs only in case from" if name.casefold() == better.casefold() else "is nearly"
        what = f"{shown_beside(name, better)} {how} {quote(better)} in {first[better].place}"
        hint = f"write {better}, or if Pexip has a location of each name, add both to known in {RULES_PATH}"
        yield Problem(first[name].path, first[name].line, 1, "name-near-miss", what, hint, "warning")
