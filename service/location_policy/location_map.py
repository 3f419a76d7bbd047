"""What a valid configuration is: its rules, its rows, and what is expected of them.

`load_map` is the one gate. The hook, the command line and the service all go through it, and whatever passes it
anywhere passes it everywhere. It finds all problems before it raises. The prefix tree is made from a map by `snapshot`:
judging a push needs none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from .addresses import Address, Network
from .breaches import Referee
from .cells import Cell, Finding
from .errors import InvalidConfiguration
from .expectations import Expectation, ExpectationFile
from .hygiene import single_row_problems, whole_map_problems
from .lines import Row, name_findings
from .owners import Owned, OwnerFile, read_owners
from .places import key_place
from .problems import Problem, errors_in, quote
from .rows import LineMemory, RowFile, read_rows
from .rules import PAIR, Rules, read_rules
from .sources import (
    EXPECTATIONS_PATH,
    OTHER_TABLES,
    OWNERS_PATH,
    ROWS_PATH,
    RULES_PATH,
    File,
    file_problems,
    is_rows,
)
from .spelling import nearest

ROWS_LIMIT = 2_000_000
"""Rows that one map may have."""

SPELT = 100
"""Unknown names for which the nearest known one is looked for: a wrong file has thousands, at a millisecond each."""


@dataclass(frozen=True, slots=True)
class LocationMap:
    """The rules, the rows by file in the order of their paths, what is worth a warning, what is expected, and whose
    address space is whose.
    """

    rules: Rules
    files: tuple[RowFile, ...]
    warnings: tuple[Problem, ...]
    expected: frozenset[Expectation] = frozenset()
    owned: tuple[Owned, ...] = ()

    @property
    def size(self) -> int:
        """How many rows there are."""
        return sum(file.size for file in self.files)

    def rows(self) -> Iterator[tuple[str, int, Row]]:
        """Each row with its path and its line number, 1-based."""
        for file in self.files:
            for number, row in file.rows():
                yield file.path, number, row

    def rows_at(self, address: Address) -> list[tuple[str, int, Row]]:
        """The rows that hold an address, the one that answers first, then those that it beats; as `rows` gives them."""
        holding = {Network.holding(address, length) for length in range(len(address) * 8 + 1)}
        files = [file for file in self.files if not holding.isdisjoint(file.networks)]
        rows = [(file.path, number, row) for file in files for number, row in file.rows() if row.network in holding]
        return sorted(rows, key=lambda found: -found[2].network.length)


def load_map(files: Iterable[File]) -> LocationMap:
    """The map that these files make; raises InvalidConfiguration with every problem when there is an error."""
    return Gate().load_map(files)


class Gate:
    """`load_map` with a memory, for many configurations that have most of their files and lines in common."""

    def __init__(self) -> None:
        self._lines = LineMemory()
        self._files: dict[tuple[str, str], RowFile] = {}
        self._referee = Referee()
        self._owners: tuple[bytes, OwnerFile] = (b"", OwnerFile())
        """The file read last, and what it says."""

    def knows(self, path: str, blob: str) -> bool:
        """Was this blob part of the configuration judged last, so that its content need not be read again?"""
        return (path, blob) in self._files or self._referee.knows(path, blob)

    def load_map(self, files: Iterable[File], *, was_served: bool = False, errors_only: bool = False) -> LocationMap:
        """The map that these files make.

        A configuration that an earlier version served keeps its right to be served: with `was_served`, errors that are
        a matter of severity are warnings, and so is all that is wrong with its expectations and owners. With
        `errors_only`, warnings that cost are not looked for. Raises InvalidConfiguration with every problem when an
        error is left.
        """
        ordered = sorted(files, key=lambda file: file.path)
        problems = list(file_problems(ordered))
        unreadable = {problem.path for problem in errors_in(problems)}
        readable = [file for file in ordered if file.path not in unreadable]
        rules_text = next((f.content for f in readable if f.path == RULES_PATH and f.content is not None), b"")
        written, rules_problems = read_rules(rules_text)
        rules = written.lenient() if was_served else written
        before = {file.path: file for file in self._files.values()}
        self._files = {(f.path, f.blob): self._row_file(f, before) for f in readable if is_rows(f.path)}
        expected = self._referee.read(readable)
        row_files = tuple(self._files.values())
        problems += [*rules_problems, *_default_problems(rules, rules_text), *_row_problems(row_files, rules)]
        if unreadable <= OTHER_TABLES and not any(file.size or not file.is_clean for file in row_files):
            problems.append(_no_rows())
        codes = rules.codes_of("error") if errors_only else rules.codes_of("error", "warning")
        whole = () if _has_map_errors(problems, rules) else whole_map_problems(row_files, rules, rules_text, codes)
        problems += [*whole, *single_row_problems(row_files, codes)]
        owners = self._owner_file(readable)
        problems += [*expected.problems, *_unknown_expected(expected, rules), *owners.problems]
        if not _has_map_errors(problems, rules):
            errors = errors_in(_judge(problems, rules))
            unsure = {problem.line for problem in errors if problem.path == EXPECTATIONS_PATH}
            problems += self._referee.judge(row_files, rules.default, unsure)
        judged = tuple(_judge(problems, rules, was_served=was_served))
        if errors_in(judged):
            raise InvalidConfiguration(judged)
        return LocationMap(written, row_files, judged, expected.expected, owners.owned)

    def _owner_file(self, files: Iterable[File]) -> OwnerFile:
        file = next((file for file in files if file.path == OWNERS_PATH), None)
        if file is None or file.content is None:
            return OwnerFile()
        if file.content != self._owners[0]:
            self._owners = file.content, read_owners(file.content)
        return self._owners[1]

    def _row_file(self, file: File, before: Mapping[str, RowFile]) -> RowFile:
        if file.content is None:
            return self._files[file.path, file.blob]
        return read_rows(file.path, file.content, self._lines, before.get(file.path))


def _judge(problems: list[Problem], rules: Rules, *, was_served: bool = False) -> Iterator[Problem]:
    """The problems in the order of their places, each with the severity that the rules give it."""
    for problem in sorted(problems, key=lambda problem: (problem.path, problem.line, problem.column)):
        severity = rules.severity(problem.code)
        if was_served and severity == "error" and _is_beside(problem):
            severity = "warning"
        if severity != "off":
            yield problem if problem.severity == severity else replace(problem, severity=severity)


def _has_map_errors(problems: list[Problem], rules: Rules) -> bool:
    """Is there an error in what is served? What is expected of it, and whose it is, is another matter."""
    return not all(map(_is_beside, errors_in(_judge(problems, rules))))


def _is_beside(problem: Problem) -> bool:
    """Is this about a file beside the map, not about what is served?"""
    return problem.path.casefold() in OTHER_TABLES


def _row_problems(files: tuple[RowFile, ...], rules: Rules) -> Iterator[Problem]:
    for file in files:
        yield from file.findings()
        yield from _rule_problems(file, rules)
    yield from _duplicates(files, rules)
    size = 0
    for file in files:
        size += file.size
        if size > ROWS_LIMIT >= size - file.size:
            yield Problem(file.path, 1, 1, "too-large", f"the map has more than {ROWS_LIMIT:,} rows")


def _rule_problems(file: RowFile, rules: Rules) -> Iterator[Problem]:
    """What is wrong with single rows under these rules."""
    fits = rules.overflow == "list" or max(map(len, file.names), default=0) <= 1 + PAIR
    if fits and (not rules.known or frozenset[str]().union(*file.names).issubset(rules.known)):
        return
    known = frozenset(rules.known)
    wrong: dict[tuple[str, ...], list[tuple[int, Finding]]] = {}
    for names in sorted(file.names):
        if findings := list(_names_findings(names, rules, known, spell=len(wrong) < SPELT)):
            wrong[names] = findings
    for number, row in file.rows():
        for position, finding in wrong.get(row.names, ()):
            yield file.problem(number, finding._replace(column=file.cell(number, position).column))


def _names_findings(
    names: tuple[str, ...], rules: Rules, known: frozenset[str], *, spell: bool
) -> Iterator[tuple[int, Finding]]:
    for position, name in enumerate(names):
        if known and name not in known:
            yield position, Finding(1, "unknown-location", *_unknown_location(name, rules, spell=spell))
    if rules.overflow == "pair" and len(names) - 1 > PAIR:
        message = f"{len(names) - 1} overflow locations are more than the {PAIR} of a pair"
        hint = f'delete some, or write overflow = "list" below [answer] in {RULES_PATH}'
        yield PAIR + 1, Finding(1, "too-many-overflow", message, hint)


def _unknown_location(name: str, rules: Rules, *, spell: bool = True) -> tuple[str, str]:
    meant = nearest(name, rules.known) if spell else None
    hint = (
        f"write {meant}, or add {quote(name)} to known in {RULES_PATH}"
        if meant
        else f"add it to known in {RULES_PATH} if Pexip has a location of exactly this name"
    )
    return f"{quote(name)} is not a known location", hint


def _unknown_expected(expected: ExpectationFile, rules: Rules) -> Iterator[Problem]:
    """Locations that no address can get."""
    unknown = expected.locations.difference(rules.known) if rules.known else frozenset[str]()
    for number, expectation in expected.expectations() if unknown else ():
        if expectation.location in unknown:
            found = _unknown_location(expectation.location, rules, spell=len(unknown) <= SPELT)
            yield expected.problem(number, "unknown-location", *found, cell=1)


def _default_problems(rules: Rules, text: bytes) -> Iterator[Problem]:
    if rules.default is None:
        return
    place = key_place(text, "answer", "default")
    if rules.known and rules.default not in rules.known:
        yield Problem(RULES_PATH, *place, "unknown-location", *_unknown_location(rules.default, rules))
    for finding in name_findings([Cell(1, rules.default)]):
        if finding.code == "bad-name":
            yield Problem(RULES_PATH, *place, finding.code, finding.message, finding.hint)


def _duplicates(files: tuple[RowFile, ...], rules: Rules) -> Iterator[Problem]:
    """Equal networks, each but the first with the place of the first."""
    networks = frozenset[Network]().union(*(file.networks for file in files))
    if len(networks) == sum(file.size for file in files):
        return
    first: dict[Network, tuple[str, int]] = {}
    for file in files:
        unsure = {problem.line for problem in file.findings() if problem.code == "host-bits"}
        for number, row in file.rows():
            if number in unsure and rules.severity("host-bits") == "error":
                continue  # which network was meant is not known yet
            path, line = first.setdefault(row.network, (file.path, number))
            if (path, line) != (file.path, number):
                column, text = file.cell(number, -1)
                what = text if text == str(row.network) else f"{text} is {row.network}, which"
                message = f"{what} is in {path}:{line} already"
                yield Problem(file.path, number, column, "duplicate-subnet", message, "delete one of the two rows")


def _no_rows() -> Problem:
    hint = f"add a row to {ROWS_PATH}, such as Sydney,Melbourne,Singapore,10.61.2.0/24"
    return Problem(ROWS_PATH, 1, 1, "no-rows", "the map has no row", hint)
