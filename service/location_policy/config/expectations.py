"""`expectations.csv` to expectations and problems: what addresses must get after any change of the map.

A row is `address or subnet,location,why`. An empty location means: no answer. The why is all that follows, so that a
comma in it needs no quotation marks. Each line is read by itself, as the rows of the map are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..net.addresses import Network, parse_target
from ..problems import GATHERED, Problem, enough
from ..text import quote
from .csv_lines import (
    Cell,
    Finding,
    file_finding,
    filled_cells,
    heading,
    is_heading_row,
    part_target_line,
    placed,
    read_lines,
    split_lines,
)
from .files import EXPECTATIONS_PATH
from .location_names import name_findings
from .subnet_hints import diagnose

EXPECTATIONS_LIMIT = 100_000
"""Expectations that one configuration may have, with those of all its views."""

LESS = "let one subnet stand for its addresses"
"""What helps where there are too many."""

_EXAMPLE = "write 10.61.2.0/24,Sydney; nothing behind the comma means that nothing may answer"


class Expectation(NamedTuple):
    """Every address of the network gets this location; None: no answer, neither from a row nor by default."""

    network: Network
    location: str | None
    why: str = ""

    def __str__(self) -> str:
        is_address = self.network.length == 8 * len(self.network.first)
        return str(self.network).partition("/")[0] if is_address else str(self.network)


class ExpectationLine(NamedTuple):
    """What one line says, and what is to be said about it."""

    expectation: Expectation | None
    findings: tuple[Finding, ...] = ()


class ExpectationCache(dict[bytes, ExpectationLine]):
    """What each line means, by its bytes; a line that is asked for the first time is read."""

    def __missing__(self, text: bytes) -> ExpectationLine:
        line = parse_expectation(text)
        if line.expectation or not line.findings:  # of what is none there may be very many
            self[text] = line
        return line


@dataclass(frozen=True, slots=True)
class ExpectationFile:
    """The lines of the file at `path` in order, as bytes and as what they mean."""

    path: str = EXPECTATIONS_PATH
    texts: tuple[bytes, ...] = ()
    lines: tuple[ExpectationLine, ...] = ()
    expected: frozenset[Expectation] = frozenset()
    locations: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()
    """What is wrong with the file, under any rules and with any map."""

    def expectations(self) -> Iterator[tuple[int, Expectation]]:
        """Each expectation with its line number, 1-based."""
        return _numbered(self.lines)

    def problem(self, number: int, code: str, message: str, hint: str | None, cell: int = 0) -> Problem:
        """What is said of one cell of an expectation: 0 is the subnet, 1 the location."""
        column = filled_cells(self.texts[number - 1])[cell].column
        return Problem(self.path, number, column, code, message, hint)


def read_expectations(content: bytes, memory: ExpectationCache, path: str = EXPECTATIONS_PATH) -> ExpectationFile:
    """The lines of the file; adds to `memory` those that it does not hold."""
    finding = file_finding(content)
    if finding:
        return ExpectationFile(path, problems=(placed(path, 1, finding),))
    texts = split_lines(content)
    lines = read_lines(texts, memory.__getitem__, _unread_in, GATHERED)
    expected = frozenset(line.expectation for line in lines if line.expectation)
    if len(expected) > EXPECTATIONS_LIMIT:
        return ExpectationFile(path, problems=(_too_many(path, len(expected)),))
    locations = frozenset(expectation.location for expectation in expected if expectation.location)
    return ExpectationFile(path, texts, lines, expected, locations, tuple(enough(_problems(path, lines))))


def _unread_in(lines: Sequence[ExpectationLine]) -> int:
    """How many of these cannot be read, which is an error under any rules."""
    return sum(line.expectation is None and bool(line.findings) for line in lines)


def _numbered(lines: tuple[ExpectationLine, ...]) -> Iterator[tuple[int, Expectation]]:
    return ((number, line.expectation) for number, line in enumerate(lines, 1) if line.expectation)


def _problems(path: str, lines: tuple[ExpectationLine, ...]) -> Iterator[Problem]:
    for number, line in enumerate(lines, 1):
        yield from (placed(path, number, finding) for finding in line.findings)
    first: dict[Network, int] = {}
    for number, expectation in _numbered(lines):
        if lines[number - 1].findings:
            continue  # which network was meant is not known yet
        if first.setdefault(expectation.network, number) != number:
            message = f"{expectation} is in {path}:{first[expectation.network]} already"
            yield Problem(path, number, 1, "duplicate-subnet", message, "delete one of the two rows")


def parse_expectation(raw: bytes) -> ExpectationLine:
    """What one line means, without its LF."""
    parted = part_target_line(raw)
    if parted is None or isinstance(parted, Finding):
        return ExpectationLine(None, (parted,) if parted else ())
    text, cells = parted
    finding = _too_few(text, cells)
    if finding or is_heading_row([cell.text for cell in cells], 0):
        return ExpectationLine(None, (finding or heading(text),))
    return _examine(*cells)


def _examine(subnet: Cell, location: Cell, *why: Cell) -> ExpectationLine:
    findings = list(name_findings([location])) if location.text else []
    try:
        address, length = parse_target(subnet.text)
    except ValueError:
        others = (one for one in findings if one.code != "subnet-as-name")  # the two are the other way round
        return ExpectationLine(None, (_no_subnet(subnet, location), *others))
    network = Network.holding(address, length)
    if network.first != address:
        one = Network.holding(address, 8 * len(address))
        hint = f"write {network}, or {str(one).partition('/')[0]} if that one address was meant"
        findings.insert(0, Finding(subnet.column, "host-bits", f"{subnet.text} has host bits set", hint))
    told = ", ".join(cell.text for cell in why if cell.text)
    return ExpectationLine(Expectation(network, location.text or None, told), tuple(findings))


def _no_subnet(subnet: Cell, location: Cell) -> Finding:
    found = diagnose(subnet.text)
    try:
        parse_target(location.text)
    except ValueError:
        return Finding(subnet.column, *found)
    return Finding(
        subnet.column, found.code, found.message, f"write {location.text},{subnet.text}: the subnet is first"
    )


def _too_few(text: str, cells: list[Cell]) -> Finding | None:
    if len(cells) > 1 and cells[0].text:
        return None
    message = f"{quote(text.strip())} is not an expectation, which has a subnet and a location"
    return Finding(cells[0].column, "too-few-columns", message, _EXAMPLE)


def _too_many(path: str, number: int) -> Problem:
    message = f"{number:,} expectations are more than the {EXPECTATIONS_LIMIT:,} that there may be"
    return Problem(path, 1, 1, "too-large", message, LESS)
