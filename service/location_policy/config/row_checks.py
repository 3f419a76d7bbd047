"""Checks of rows that are well formed by themselves: against the rules, and against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ..net.addresses import Network
from ..problems import CODES, Problem
from ..spelling import nearest
from ..text import quote
from .csv_lines import Cell, Finding, filled_cells, placed
from .expectations import ExpectationFile
from .files import ROWS_PATH, RULES_PATH
from .location_names import is_name, is_plain, name_findings, shown_beside
from .policy_toml import PAIR, Rules
from .row_file import RowFile
from .toml_positions import Place, key_place, name_places

ROWS_LIMIT = 2_000_000
"""Rows that a configuration may have, with those of all its views."""

SPELT = 100
"""Unknown names for which the nearest known one is looked for: a wrong file has thousands, at a millisecond each."""


def row_problems(
    files: tuple[RowFile, ...], rules: Rules, takes: Callable[[str], bool] = lambda _: True
) -> Iterator[Problem]:
    """What is wrong with rows, each by itself, under these rules, and beside the others; of codes that are taken."""
    for file in files:
        yield from file.findings(takes)
        yield from _rule_problems(file, rules, takes)
    yield from _duplicates(files, rules)


def too_many_rows(maps: Sequence[Sequence[RowFile]]) -> Iterator[Problem]:
    """The file with which there are too many rows, in the map at the top and those of views, if there is one."""
    size = 0
    for number, file in ((number, file) for number, files in enumerate(maps) for file in files):
        size += file.size
        if size > ROWS_LIMIT:
            what = "all maps together have" if number else "the map has"
            yield Problem(file.path, 1, 1, "too-large", f"{what} more than {ROWS_LIMIT:,} rows")
            return


def _rule_problems(file: RowFile, rules: Rules, takes: Callable[[str], bool]) -> Iterator[Problem]:
    """What is wrong with single rows under these rules."""
    fits = rules.overflow == "list" or max(map(len, file.names), default=0) <= 1 + PAIR
    if fits and (not rules.known or frozenset[str]().union(*file.names).issubset(rules.known)):
        return
    known = frozenset(rules.known)
    said: dict[tuple[str, ...], tuple[tuple[int, Finding], ...]] = {}
    wrong = 0
    for number, row in file.rows():
        if row.names not in said:
            said[row.names] = tuple(_names_findings(row.names, rules, known, spell=wrong < SPELT))
            wrong += bool(said[row.names])
        if findings := [one for one in said[row.names] if takes(one[1].code)]:
            cells = filled_cells(file.text(number))  # once: a row may have many findings
            for position, finding in findings:
                yield file.problem(number, finding._replace(column=cells[position].column))


def _names_findings(
    names: tuple[str, ...], rules: Rules, known: frozenset[str], *, spell: bool
) -> Iterator[tuple[int, Finding]]:
    for position, name in enumerate(names):
        if known and name not in known:
            yield position, Finding(1, "unknown-location", *unknown_location(name, rules, spell=spell))
    if rules.overflow == "pair" and len(names) - 1 > PAIR:
        yield PAIR + 1, Finding(1, "too-many-overflow", *too_many_overflow(len(names) - 1))


def too_many_overflow(number: int) -> tuple[str, str]:
    """What is said of so many overflow locations, and the hint."""
    message = f"{number} overflow locations are more than the {PAIR} of a pair"
    return message, f'delete some, or write overflow = "list" below [answer] in {RULES_PATH}'


def unknown_location(name: str, rules: Rules, *, spell: bool = True) -> tuple[str, str]:
    """What is said of a name that is not in `known`, and the hint."""
    meant = nearest(name, rules.known) if spell else None
    if meant is None:
        hint = f"add it to known in {RULES_PATH} if Pexip has a location of exactly this name"
        if not is_name(name):  # known cannot have it either
            hint = f"write a name that is in known in {RULES_PATH}"
        return f"{quote(name)} is not a known location", hint
    if is_plain(name) and not is_plain(meant):
        hint = f"put it into known in {RULES_PATH} in place of {quote(meant)}, which is not what it looks like"
        return f"{shown_beside(name, meant)} is not a known location", hint
    add = f", or add {quote(name)} to known in {RULES_PATH}" if is_plain(name) and is_name(name) else ""
    return f"{shown_beside(name, meant)} is not a known location", f"write {meant}{add}"


def unknown_expected(expected: ExpectationFile, rules: Rules) -> Iterator[Problem]:
    """Locations that no address can get."""
    unknown = expected.locations.difference(rules.known) if rules.known else frozenset[str]()
    for number, expectation in expected.expectations() if unknown else ():
        if expectation.location in unknown:
            found = unknown_location(expectation.location, rules, spell=len(unknown) <= SPELT)
            yield expected.problem(number, "unknown-location", *found, cell=1)


def rules_name_problems(rules: Rules, text: bytes) -> Iterator[Problem]:
    """What is wrong with the names in the rules: those that are known, and the one that answers where no row does."""
    flawed = {name: found for name in dict.fromkeys(rules.known) if (found := _findings_in_rules(name))}
    if flawed:
        place, places = key_place(text, "locations", "known"), name_places(text, "locations", "known")
        for name, findings in flawed.items():
            told = (one for one in findings if CODES[one.code].adjustable)  # others are told where a row has the name
            yield from (_in_rules(finding, places.get(name, place)) for finding in told)
    if rules.default is not None:
        place = key_place(text, "answer", "default")
        if rules.known and rules.default not in rules.known:
            yield Problem(RULES_PATH, *place, "unknown-location", *unknown_location(rules.default, rules))
        yield from name_in_rules(rules.default, place)


def name_in_rules(name: str, place: Place) -> Iterator[Problem]:
    """What is wrong with a name that stands at a place of the rules."""
    return (_in_rules(finding, place) for finding in _findings_in_rules(name))


def _findings_in_rules(name: str) -> list[Finding]:
    """What is wrong with a name; no spreadsheet opens the rules."""
    return [finding for finding in name_findings([Cell(1, name)]) if finding.code != "formula-name"]


def _in_rules(finding: Finding, place: Place) -> Problem:
    return placed(RULES_PATH, place[0], finding._replace(column=place[1]))


def _duplicates(files: tuple[RowFile, ...], rules: Rules) -> Iterator[Problem]:
    """Equal networks, each but the first with the place of the first."""
    networks = frozenset[Network]().union(*(file.networks for file in files))
    if len(networks) == sum(file.size for file in files):
        return
    first: dict[Network, tuple[str, int]] = {}
    for file in files:
        unsure = file.numbers("host-bits") if rules.severity("host-bits") == "error" else ()
        for number, row in file.rows():
            if number in unsure:
                continue  # which network was meant is not known yet
            path, line = first.setdefault(row.network, (file.path, number))
            if (path, line) != (file.path, number):
                column, text = file.cell(number, -1)
                what = text if text == str(row.network) else f"{text} is {row.network}, which"
                message = f"{what} is in {path}:{line} already"
                yield Problem(file.path, number, column, "duplicate-subnet", message, "delete one of the two rows")


def no_rows() -> Problem:
    """What is said of a map that answers nothing."""
    hint = f"add a row to {ROWS_PATH}, such as Sydney,Melbourne,Singapore,10.61.2.0/24"
    return Problem(ROWS_PATH, 1, 1, "no-rows", "the map has no row", hint)
