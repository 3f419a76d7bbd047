"""One line of a CSV file parsed: a row, nothing, or its problems, such as a bad subnet or host bits.

What a line means depends on nothing but its bytes. A plain, well-formed line takes the fast path through `_plain_row`;
every other one is taken apart cell by cell, with the column of each, by `_examine`. Both give the same row.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple
from unicodedata import category, normalize

from ..net.addresses import Address, Network, parse_interface
from ..text import quote
from .csv_lines import CONFLICT, Cell, Finding, cells_of, heading, is_blank, is_heading, line_finding, line_text
from .subnet_hints import diagnose

NAME_LIMIT = 250
"""Characters of a location name (field limit of Pexip Infinity)."""

_FORMULA = ("=", "+", "-", "@")
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff"
"""Characters without width."""
_EXAMPLE = "write Sydney,Melbourne,Singapore,10.61.2.0/24, or delete line {line}"


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
    cells = cells_of(text)
    filled = [cell for cell in cells if cell.text]
    finding = line_finding(text, filled, -1) or _too_few(text, cells[0], filled)
    if finding or is_heading(filled[-1].text):
        return RowWithFindings(None, (finding or heading(text),))
    return _examine_cells(cells[0], filled)


def _examine_cells(first: Cell, filled: list[Cell]) -> Line:
    *names, subnet = filled
    findings = list(name_findings(names))
    if not first.text:
        findings.insert(0, _empty_location(first))
    try:
        address, length = parse_interface(subnet.text)
    except ValueError:
        return RowWithFindings(None, (*findings, Finding(subnet.column, *diagnose(subnet.text))))
    network = Network.holding(address, length)
    if network.first != address:
        hint = f"write {network}, or {_widest_at(address)} if that was meant"
        findings.append(Finding(subnet.column, "host-bits", f"{subnet.text} has host bits set", hint))
    if not first.text:
        return RowWithFindings(None, tuple(findings))
    row = Row(tuple(name.text for name in names), network)
    return RowWithFindings(row, tuple(findings)) if findings else row


def _too_few(text: str, first: Cell, filled: list[Cell]) -> Finding | None:
    if len(filled) > 1:
        return None
    if filled and not first.text:
        return _empty_location(first)
    message = f"{quote(text.strip())} is not a row, which has a location and a subnet"
    return Finding(first.column, "too-few-columns", message, _EXAMPLE)


def _empty_location(first: Cell) -> Finding:
    return Finding(first.column, "empty-location", "the first cell is empty", "name the location")


def name_findings(names: list[Cell]) -> Iterator[Finding]:
    """What is wrong with the names of one row, under any rules."""
    seen = set()
    for column, name in names:
        if len(name) > NAME_LIMIT:
            message = f"{quote(name)} has {len(name)} characters; Pexip takes {NAME_LIMIT}"
            yield Finding(column, "bad-name", message, "shorten it in Pexip and here")
        if not name.isprintable() and any(category(c) == "Cc" or c == "\ufeff" for c in name):
            hint = "end each line with LF or CRLF" if "\r" in name else "type the name anew"
            yield Finding(column, "bad-name", f"{quote(name)} has a control character", hint)
        if _is_formula(name):
            message = f"{quote(name)} is run as a formula by a spreadsheet that opens the file"
            yield Finding(column, "formula-name", message, "begin the name with a letter")
        if name in seen:
            yield Finding(column, "repeated-location", f"{quote(name)} stands twice in the row", "delete one of them")
        seen.add(name)


def _is_formula(name: str) -> bool:
    """Does it begin as a formula, also in full width, or behind a no-break space or another that is passed over?"""
    if name[:1].isascii():
        return name.startswith(_FORMULA)
    seen = normalize("NFKC", name[:NAME_LIMIT]).lstrip()
    return seen.lstrip(_UNSEEN).lstrip().startswith(_FORMULA)


def _widest_at(address: Address) -> Network:
    """The widest network that begins at this address: what was meant if the length is wrong, not the address."""
    value = int.from_bytes(address)
    free = (value & -value).bit_length() - 1
    return Network(address + bytes((len(address) * 8 - free,)))
