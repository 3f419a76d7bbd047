"""One line of a CSV file parsed: a row, nothing, or its problems, such as a bad subnet or host bits.

What a line means depends on nothing but its bytes. A plain, well-formed line takes the fast path through `_plain_row`;
every other one is taken apart cell by cell, with the column of each, by `_examine`. Both give the same row.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ..net.addresses import Network, parse_interface
from ..text import quote
from .csv_lines import (
    CONFLICT,
    ROW_FORM,
    Cell,
    Finding,
    cells_of,
    cells_text,
    error_at_start,
    heading,
    is_blank,
    is_heading_row,
    line_finding,
    line_text,
    meant_rows,
    misplaced_subnet,
)
from .location_names import name_findings
from .subnet_hints import diagnose, has_subnet, is_address, subnet_and_word, subnet_hint, subnets_in

_OCTETS = 4
_EXAMPLE = "write Sydney,Melbourne,Singapore,10.61.2.0/24, or delete line {line}"
_TO_NAME = f"{ROW_FORM}: put the location of the subnet before it, as in Sydney,10.61.2.0/24"
"""What is said of a line with nothing but a subnet, which is not to be lost."""
_BETWEEN = ":=>→-"
"""What people write, beside space, between a location and its subnet in a list."""
_BULLET = re.compile(r"^[-*•‣·–]\s+")
_FIRST_BETWEEN = re.compile(f"[{_BETWEEN}]+")


class Row(NamedTuple):
    """One network and where its callers' media goes: the location, then its overflow locations in order."""

    names: tuple[str, ...]
    network: Network


class RowWithFindings(NamedTuple):
    """A line with something to say about it, and its row where it has one all the same."""

    row: Row | None
    findings: tuple[Finding, ...]


Line = Row | RowWithFindings | None
"""What a line is; None for a blank line or a comment."""


def row_of(line: Line) -> Row | None:
    """The row of a line, where it has one."""
    return line.row if isinstance(line, RowWithFindings) else line


def parse_line(raw: bytes) -> Line:
    """What one line means, without its LF."""
    text = line_text(raw)
    if isinstance(text, Finding):
        return RowWithFindings(None, (text,))
    return _plain_row(text) or _examine(text)


def _plain_row(text: str) -> Row | None:
    """The row of a line without quotation marks and without anything to say about it."""
    if '"' in text or text.startswith("#"):
        return None
    first, *rest = [cell.strip(" \t") for cell in text.split(",")]
    while rest and not rest[-1]:
        rest.pop()
    if not rest:
        return None
    names = _clean_names((first, *filter(None, rest[:-1])))
    try:
        address, length = parse_interface(rest[-1])
    except ValueError:
        return None
    network = Network.holding(address, length)
    return Row(names, network) if names and network.first == address else None


@lru_cache(maxsize=65_536)
def _clean_names(names: tuple[str, ...]) -> tuple[str, ...] | None:
    """The names, one object for equal ones, when there is nothing to say about them."""
    clean = names[0] and not any(True for _ in name_findings([Cell(0, name) for name in names]))
    return names if clean and not names[0].startswith(("#", *CONFLICT)) else None


def _examine(text: str) -> Line:
    if is_blank(text):
        return None
    if text.lstrip(" \t").startswith("#") and (error := error_at_start(text)):
        # it was a comment, and is one where errors are let be
        return RowWithFindings(None, tuple(name_findings([error])))
    cells = cells_of(text)
    filled = [cell for cell in cells if cell.text]
    finding = line_finding(text, filled, -1) or _too_few(text, cells[0], filled)
    texts = [cell.text for cell in filled]
    if finding is None and is_heading_row(texts, -1):
        finding = heading(text, texts)
    if finding:
        return RowWithFindings(None, (_with_rows(finding),))
    return _examine_cells(cells[0], filled)


def _examine_cells(first: Cell, filled: list[Cell]) -> Line:
    *names, subnet = filled
    findings = _as_rows(list(name_findings(names)), filled)
    if not first.text:
        findings.insert(0, _empty_location(first))
    try:
        address, length = parse_interface(subnet.text)
    except ValueError:
        misplaced = misplaced_subnet(filled)
        if misplaced or not is_address(subnet.text):
            findings = [one for one in findings if one.code != "subnet-as-name"]
        told = misplaced or Finding(subnet.column, *diagnose(subnet.text), _of_octets(filled))
        return RowWithFindings(None, (*findings, _with_rows(told)))
    network = Network.holding(address, length)
    if network.first != address:
        hint = subnet_hint(address, length)
        findings.append(Finding(subnet.column, "host-bits", f"{subnet.text} has host bits set", hint))
    if not first.text:
        return RowWithFindings(None, tuple(findings))
    row = Row(tuple(name.text for name in names), network)
    return RowWithFindings(row, tuple(findings)) if findings else row


def _of_octets(filled: list[Cell]) -> tuple[str, ...]:
    """The row whose subnet has commas between its octets, as 10,61,2,0/24."""
    texts = [cell.text for cell in filled]
    *names, written = (*texts[:-_OCTETS], ".".join(texts[-_OCTETS:]))
    is_so = names and len(texts[-1]) < len("255/32") + 1 and is_address(written)
    return (cells_text((*names, written)),) if is_so else ()


def _with_rows(finding: Finding) -> Finding:
    """The finding with the rows that were meant as its hint, where each can be read as it is written there."""
    if not finding.rows or not all(map(_is_row, finding.rows)):
        return finding
    one = "write " if len(finding.rows) == 1 else "write a row for each subnet: "
    return finding._replace(hint=one + " and ".join(finding.rows))


def _is_row(text: str) -> bool:
    """Is this a row of which there is nothing to say? It is not asked what else it could be, which asks this again."""
    if '"' not in text:
        return _plain_row(text) is not None
    *names, subnet = [cell.text for cell in cells_of(text) if cell.text]
    try:
        address, length = parse_interface(subnet)
    except ValueError:
        return False
    return bool(names and _clean_names(tuple(names))) and Network.holding(address, length).first == address


def _as_rows(findings: list[Finding], filled: list[Cell]) -> list[Finding]:
    """The findings; those of subnets that should have a row for themselves with the rows as their hint."""
    first = next((finding for finding in findings if finding.code == "subnet-as-name"), None)
    if first is None:
        return findings
    rows = _joined_rows(filled) or meant_rows([part for cell in filled for part in _parts(cell.text)])  # once for all
    hint = f"{ROW_FORM}: give each subnet one, with its location"
    hint = _with_rows(first._replace(hint=hint, rows=rows)).hint or hint
    return [one._replace(hint=hint) if one.code == first.code else one for one in findings]


def _joined_rows(filled: list[Cell]) -> tuple[str, ...]:
    """The two rows of a line that has lost its end, as where a file without one is put before another."""
    texts = [cell.text for cell in filled]
    at, parts = next(((at, found) for at, text in enumerate(texts) if (found := subnet_and_word(text))), (0, None))
    return (cells_text((*texts[:at], parts[0])), cells_text((parts[1], *texts[at + 1 :]))) if parts else ()


def _parts(text: str) -> list[str]:
    """The subnets of a cell that has several, or a location and its subnet; else the cell by itself."""
    several = subnets_in(text)
    listed = several if len(several) > 1 or is_address(text) else _listed(text)
    return listed if all(listed) and is_address(listed[-1]) else [text]


def _too_few(text: str, first: Cell, filled: list[Cell]) -> Finding | None:
    if len(filled) > 1:
        return None
    if filled and not first.text:
        return _empty_location(first)
    shown = quote(text.strip(" \t"))
    message = f"{shown} is not a row, which has a location and a subnet"
    hint = _TO_NAME if is_address(first.text) or has_subnet(first.text) else _EXAMPLE
    return _with_rows(Finding(first.column, "too-few-columns", message, hint, _rows_in(text, first.text)))


def _rows_in(text: str, cell: str) -> tuple[str, ...]:
    """The rows that the only cell of a line was probably meant to be."""
    bare = text.strip(" \t")
    if bare.startswith('"') and len(cell) < len(bare) - 1:  # a spreadsheet has taken the whole line for one cell
        line = parse_line(cell.encode())
        if isinstance(line, Row):
            return (cell,)
        return next((one.rows for one in line.findings if one.rows), ()) if line else ()
    listed = _listed(cell)
    return meant_rows(listed) if is_address(listed[-1]) and not is_address(cell) else ()


def _listed(text: str) -> list[str]:
    """A location and a subnet as people write them in a list; the text itself where there are no two."""
    text = _BULLET.sub("", text)
    before, *last = text.rsplit(maxsplit=1) or [""]
    if last:
        return [before.rstrip(f"{_BETWEEN} \t"), last[0].lstrip(_BETWEEN)]
    return _FIRST_BETWEEN.split(text, maxsplit=1)


def _empty_location(first: Cell) -> Finding:
    return Finding(first.column, "empty-location", "the first cell is empty", "name the location")
