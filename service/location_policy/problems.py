"""One thing that is wrong, at one place: path, line, column, code, severity, message, hint.

`CODES` is the whole list of what can be wrong. A fixed code keeps a row or a file from having one meaning, or a promise
from being kept, and is always an error; the severity of an adjustable one can be set in the `[checks]` table of
`policy.toml`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from .text import count, escape, fitting, shorten

Severity = Literal["error", "warning", "off"]

Fields = dict[str, object]
"""What programs read, as JSON has it."""

GATHERED = 10_000
"""Errors, and as many warnings, that are gathered: then judging stops, and says `or more`."""
SHOWN = 200
"""Problems that an answer has; the rest is counted by code."""
ALIKE = 10
"""Of these, problems of one code that a terminal is told."""
GROUPED = 20
"""Values of one code of which a page tells how often each is wrong; the others are counted."""


class Code(NamedTuple):
    """What a code means, and how much it weighs unless `[checks]` says otherwise."""

    meaning: str
    severity: Severity = "error"
    adjustable: bool = False


CODES = {
    "not-utf8": Code("bytes that are not UTF-8"),
    "nul": Code("a NUL byte"),
    "too-large": Code(
        "a file over 128 MiB or all together over 256 MiB, each content once, a line over 64 KiB or of more than 64 "
        "cells, maps over 2,000,000 rows or 4,000,000 lines, over 100,000 expectations, each with those of all views, "
        "a commit over 200,000 files and folders or 10,000 CSV files, a path over 1,024 characters, a table beside the "
        "map over 16 MiB, a `policy.toml` over 1 MiB or of more than 100 views"
    ),
    "symlink": Code("a symbolic link where a file should be"),
    "submodule": Code("a submodule where a file should be"),
    "lfs-pointer": Code("a Git LFS pointer instead of the content"),
    "case-twin": Code("two paths that differ only in case, or in how Unicode spells them"),
    "conflict-marker": Code("a line left by a merge that was not finished"),
    "unbalanced-quote": Code('a `"` without its partner'),
    "wrong-separator": Code("cells separated by something other than commas"),
    "too-few-columns": Code("a row without a location and a subnet"),
    "heading-row": Code("a row of column names"),
    "not-a-subnet": Code("a last cell that is not a subnet in CIDR form"),
    "octal-octet": Code("an IPv4 address with leading zeros"),
    "empty-location": Code("a row whose first cell is empty"),
    "bad-name": Code("a location name over 250 characters or with control characters"),
    "too-many-overflow": Code('more than two overflow locations where `overflow = "pair"`'),
    "duplicate-subnet": Code("the same subnet in two rows"),
    "no-rows": Code("no row in the whole map"),
    "duplicate-view": Code("two views of one name, in any case"),
    "impossible-view": Code("a view that asks for a value which no call can have"),
    "view-without-rows": Code("a view that has neither a row nor an `answer`"),
    "view-with-both": Code("a view that has an `answer` for every call, and rows, a `default` or a `match` besides"),
    "broken-expectation": Code("an address that does not get what `expectations.csv` expects"),
    "bad-owner": Code("an owner in `owners.csv` that cannot approve: a second one, or not a name"),
    "rules-syntax": Code("a `policy.toml` that is not TOML"),
    "rules-unknown-key": Code("a key that `policy.toml` does not have"),
    "rules-type": Code("a value that its key in `policy.toml` cannot take"),
    "host-bits": Code(
        "a subnet with host bits set; as a warning it counts as the network that contains it", adjustable=True
    ),
    "unknown-location": Code("a name that is not in `known`", adjustable=True),
    "repeated-location": Code("the same name twice in one row", adjustable=True),
    "formula-name": Code("a name that a spreadsheet would run as a formula (= + - @)", adjustable=True),
    "subnet-as-name": Code("an address or a subnet where a location name should be", adjustable=True),
    "error-value": Code(
        "an error of a spreadsheet (#N/A, #REF!) where a location name should be; as a warning it begins a comment",
        adjustable=True,
    ),
    "invisible-character": Code(
        "a name with a character that cannot be seen, or a space that is not the usual one", adjustable=True
    ),
    "lost-character": Code("a name with U+FFFD, where a program has lost a letter", adjustable=True),
    "mojibake": Code("a name of which the letters were read in a wrong encoding", "warning", adjustable=True),
    "stray-csv": Code("a CSV file, or a `Policy.toml`, that is not read as its name says", "warning", adjustable=True),
    "stray-view": Code(
        "a folder below `views/` that no `[[view]]` names; nothing in it is read", "warning", adjustable=True
    ),
    "shadowed-view": Code("a view of which those before it take all calls", "warning", adjustable=True),
    "view-without-match": Code(
        "a view of calls by a protocol of which no rule says where their address is", "warning", adjustable=True
    ),
    "unknown-protocol": Code(
        "a protocol in `[match]` or in a view that Pexip Infinity does not name", "warning", adjustable=True
    ),
    "redundant-subnet": Code("a row that says what the next wider row around it says", "warning", adjustable=True),
    "shadowed-subnet": Code("a row of which longer rows take every address", "warning", adjustable=True),
    "unused-location": Code("a name in `known` that no row and no default uses", "warning", adjustable=True),
    "unused-overflow": Code("an entry of `[overflow]` whose location no row has alone", "warning", adjustable=True),
    "name-near-miss": Code(
        "without `known`: a name that differs from a commoner one by case, space or a letter",
        "warning",
        adjustable=True,
    ),
    "catch-all": Code(
        "a row for a large part of all addresses: a subnet of length 0 to 7, such as 0.0.0.0/0, but for fc00::/7",
        "warning",
        adjustable=True,
    ),
    "home-network": Code(
        "a row that takes callers at home: 192.168.0.0, 192.168.1.0 or 10.0.0.0 with /24 or longer",
        "warning",
        adjustable=True,
    ),
    "owner-approval": Code(
        "a push that changes what addresses get, without the approval of those whom `owners.csv` names",
        "warning",
        adjustable=True,
    ),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    `line` and `column` are 1-based, the column in characters: where the cell starts, or the one character that is
    wrong (`not-utf8`, `nul`, `unbalanced-quote`, `rules-syntax`). What is wrong with a whole file stands at 1:1.
    """

    path: str
    line: int
    column: int
    code: str
    message: str
    hint: str | None = None
    severity: Severity = "error"

    def __str__(self) -> str:
        place = f"{shorten(self.path)}:{self.line}:{self.column}"
        text = escape(f"{place}: {self.severity}: {shorten(self.message)} [{self.code}]")
        return f"{text}\n  hint: {escape(shorten(self.hint))}" if self.hint else text

    def fields(self) -> Fields:
        """Where it is, and what, as programs read it."""
        return {
            "path": shorten(self.path),
            "line": self.line,
            "column": self.column,
            "code": self.code,
            "severity": self.severity,
            "message": escape(shorten(self.message)),
            "hint": self.hint and escape(shorten(self.hint)),
        }


class Alike(NamedTuple):
    """Problems of one code that say the same of the same value: the first, how many there are, on how many lines."""

    first: Problem
    number: int
    lines: int


Counts = Mapping[tuple[Severity, str], int]
"""How many problems there are of a severity and a code."""


class Problems(tuple[Problem, ...]):  # noqa: SLOT001  a tuple takes no slots but empty ones
    """Problems in their order, as far as they are listed, and how many there are.

    `counts` has those that are not listed too. `cut` are the severities of which judging stopped to gather: of these
    there are at least so many. `alike` sums up what was listed before it was cut to the first.
    """

    counts: Counts
    cut: frozenset[Severity]
    alike: tuple[Alike, ...]

    def __new__(
        cls, listed: Iterable[Problem] = (), counts: Counts | None = None, cut: Iterable[Severity] = ()
    ) -> Problems:
        """Without `counts` there are no more than are listed."""
        made = super().__new__(cls, listed)
        made.counts = Counter((one.severity, one.code) for one in made) if counts is None else counts
        made.cut = frozenset(cut)
        made.alike = ()
        return made

    @property
    def total(self) -> int:
        """How many there are, listed or not."""
        return sum(self.counts.values())

    @property
    def is_cut(self) -> bool:
        """Are there perhaps more than are counted?"""
        return bool(self.cut)

    def by_code(self) -> dict[str, int]:
        """How many there are of each code, the commonest first."""
        found = Counter[str]()
        for (_, code), number in self.counts.items():
            found[code] += number
        return dict(found.most_common())

    def of(self, severity: Severity) -> Problems:
        """Those of one severity."""
        counts = {key: number for key, number in self.counts.items() if key[0] == severity}
        return Problems((one for one in self if one.severity == severity), counts, self.cut & {severity})

    def first(self, most: int = SHOWN) -> Problems:
        """The same with no more of them listed, nor more than an answer has room for."""
        shown = fitting((one.fields() for one in self), most)
        first = Problems(self[: len(shown)], self.counts, self.cut)
        first.alike = self.alike or tuple(_alike(self))
        return first

    def groups(self) -> list[Fields]:
        """The problems by code and value, for a reader of many: the rarer codes first, since a flood hides them, and in
        each the commonest value first.
        """
        by_code: dict[str, list[Alike]] = {}
        for one in sorted(self.alike or _alike(self), key=lambda one: -one.number):
            by_code.setdefault(one.first.code, []).append(one)
        totals = self.by_code()
        return [
            {
                "code": code,
                "meaning": CODES[code].meaning,
                "severity": found[0].first.severity,
                "total": totals[code],
                "kinds": [{**one.first.fields(), "number": one.number, "lines": one.lines} for one in found[:GROUPED]],
                "more": len(found[GROUPED:]),
            }
            for code, found in sorted(by_code.items(), key=lambda item: totals[item[0]])
        ]

    def counted(self, noun: str) -> str:
        """How many there are, as in `3 errors` and `10,000 errors or more`."""
        return count(self.total, noun) + " or more" * self.is_cut

    def fields(self) -> Fields:
        """The first ones and the number of each code, as programs read them."""
        return {"problems": [one.fields() for one in self.first()], **self.count_fields()}

    def count_fields(self) -> Fields:
        """How many there are, as programs read it; with `is_cut` at least so many."""
        return {"total": self.total, "counts": self.by_code(), "is_cut": self.is_cut}


NO_PROBLEMS = Problems()


def _alike(found: Iterable[Problem]) -> Iterator[Alike]:
    """What says the same, each once, in the order of the first."""
    groups: dict[tuple[str, str], list[Problem]] = {}
    for one in found:
        groups.setdefault((one.code, one.message), []).append(one)
    return (Alike(of[0], len(of), len({(one.path, one.line) for one in of})) for of in groups.values())


def joined(found: Iterable[Problems]) -> Problems:
    """All of these, one after the other."""
    parts = list(found)
    counts = Counter[tuple[Severity, str]]()
    for one in parts:
        counts.update(one.counts)
    return Problems(
        (one for part in parts for one in part), counts, frozenset[Severity]().union(*(p.cut for p in parts))
    )


def errors_in(problems: Iterable[Problem]) -> Problems:
    """Those that keep a configuration from being served."""
    return (problems if isinstance(problems, Problems) else Problems(problems)).of("error")


def enough(problems: Iterable[Problem]) -> Iterator[Problem]:
    """As many of each code as are gathered, for what is judged before it is known how much each code weighs."""
    seen = Counter[str]()
    for problem in problems:
        seen[problem.code] += 1
        if seen[problem.code] <= GATHERED:
            yield problem


def few_of_each(problems: Iterable[Problem], counts: Counts) -> list[tuple[Problem, int]]:
    """The first problems, a few of each code, for a terminal; the last of a code with how many more there are of it."""
    left = Counter[str]()
    for (_, code), number in counts.items():
        left[code] += number
    seen, few = Counter[str](), list[tuple[Problem, int]]()
    for problem in problems:
        if len(few) == SHOWN:
            break
        seen[problem.code] += 1
        if seen[problem.code] <= ALIKE:
            few.append((problem, left[problem.code] - ALIKE if seen[problem.code] == ALIKE else 0))
    return few


def alike_line(number: int, found: Problems, more: str) -> Iterator[str]:
    """How many problems of the same code are not told, and how to see them."""
    if number:
        yield f"  … and {number:,} {'or ' * found.is_cut}more like it: {more}"


class ProblemCollector:
    """Gathers problems, each with the severity that it has here, until there are enough of them.

    Warnings never take the place of an error: there are so many of either. Once there are enough errors nothing is
    looked for any more: what is added is an iterator, which is then not asked.
    """

    def __init__(self, severity: Callable[[Problem], Severity], most: int = GATHERED) -> None:
        self._severity = severity
        self._most = most
        self._full: set[Severity] = {"off"}
        self._numbers = Counter[Severity]()
        self.listed: list[Problem] = []

    @property
    def is_full(self) -> bool:
        """Are there enough errors?"""
        return "error" in self._full

    def takes(self, severity: Severity) -> bool:
        """Is one of this severity gathered still?"""
        return severity not in self._full

    def add(self, problems: Iterable[Problem]) -> None:
        """Gather these, as far as there is room for them."""
        if self.is_full:
            return
        for problem in problems:
            severity = self._severity(problem)
            if severity in self._full:
                continue
            self.listed.append(problem if problem.severity == severity else replace(problem, severity=severity))
            self._numbers[severity] += 1
            if self._numbers[severity] == self._most:
                self._full |= {severity}
                if severity == "error":
                    return

    def found(self) -> Problems:
        """All of them: the errors in the order of their places, then the warnings."""
        cut: set[Severity] = {"error", "warning"} if self.is_full else self._full - {"off"}
        return Problems(sorted(self.listed, key=_place), cut=cut)


def _place(problem: Problem) -> tuple[bool, str, int, int]:
    return problem.severity != "error", problem.path, problem.line, problem.column
