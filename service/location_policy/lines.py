"""One line of a CSV file: a row, nothing, or what is wrong with it.

What a line means depends on nothing but its bytes. A plain, well-formed line takes the short way through `_plain_row`;
every other one is taken apart cell by cell, with the column of each, by `_examine`. Both give the same row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple
from unicodedata import category

from .addresses import Address, Network, parse_interface
from .diagnosis import diagnose
from .problems import quote

NAME_LIMIT = 250
"""Characters of a location name (field limit of Pexip Infinity)."""

# Possessive, so that a long cell costs no memory: what follows a closing mark leaves only one way to read it.
_CELL = re.compile(r'[ \t]*+"((?:[^"]++|"")*+)"[ \t]*+(?:,|$)|([^,]*)(?:,|$)')
_CONFLICT = ("<<<<<<< ", "||||||| ", ">>>>>>> ")
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_WORD = re.compile(r"\w+")
_SUBNET_HEADINGS = frozenset(
    ("address", "cidr", "ip", "ipv4", "ipv6", "mask", "ms", "net", "network", "prefix", "range", "snet", "subnet")
)
_FORMULA = ("=", "+", "-", "@")
_EXAMPLE = "write Sydney,Melbourne,Singapore,10.61.2.0/24, or delete line {line}"
_SHOWN_ROW = 400
"""Characters of a row that a hint writes out."""


class Row(NamedTuple):
    """One network and where its callers' media goes: the location, then its overflow locations in order."""

    names: tuple[str, ...]
    network: Network


class Finding(NamedTuple):
    """A problem that does not know its file yet; `{line}` in a hint stands for the number of the line."""

    column: int
    code: str
    message: str
    hint: str | None = None


class Flawed(NamedTuple):
    """A line with something to say about it, and its row where it has one all the same."""

    row: Row | None
    findings: tuple[Finding, ...]


class Cell(NamedTuple):
    """The text of a cell without the space around it, and the column at which it starts."""

    column: int
    text: str


Line = Row | Flawed | None
"""What a line is; None for a blank line or a comment."""


def parse_line(raw: bytes) -> Line:
    """What one line means, without its LF."""
    try:
        text = raw.decode().removesuffix("\r")
    except UnicodeDecodeError as error:
        return Flawed(None, (_not_utf8(raw, error.start),))
    return _plain_row(text) or _examine(text)


def filled_cells(raw: bytes) -> list[Cell]:
    """The cells of a readable line that are not empty: the location first, the subnet last."""
    return [cell for cell in _cells(raw.decode().removesuffix("\r")) if cell.text]


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
    return names if clean and not names[0].startswith(("#", *_CONFLICT)) else None


def _examine(text: str) -> Line:
    if not text.strip(" \t") or text.lstrip(" \t").startswith("#"):
        return None
    cells = _cells(text)
    filled = [cell for cell in cells if cell.text]
    finding = _unreadable(text) or _misparted(text, filled) or _unbalanced(text) or _too_few(text, cells[0], filled)
    if finding or _is_heading(filled[-1].text):
        return Flawed(None, (finding or _heading(text),))
    return _examine_cells(cells[0], filled)


def _examine_cells(first: Cell, filled: list[Cell]) -> Line:
    *names, subnet = filled
    findings = list(name_findings(names))
    if not first.text:
        findings.insert(0, _empty_location(first))
    try:
        address, length = parse_interface(subnet.text)
    except ValueError:
        return Flawed(None, (*findings, Finding(subnet.column, *diagnose(subnet.text))))
    network = Network.holding(address, length)
    if network.first != address:
        hint = f"write {network}, or {_widest_at(address)} if that was meant"
        findings.append(Finding(subnet.column, "host-bits", f"{subnet.text} has host bits set", hint))
    if not first.text:
        return Flawed(None, tuple(findings))
    row = Row(tuple(name.text for name in names), network)
    return Flawed(row, tuple(findings)) if findings else row


def _cells(text: str) -> list[Cell]:
    return _quoted_cells(text) if '"' in text else _plain_cells(text)


def _plain_cells(text: str) -> list[Cell]:
    cells = []
    column = 1
    for cell in text.split(","):
        cells.append(Cell(column + len(cell) - len(cell.lstrip(" \t")), cell.strip(" \t")))
        column += len(cell) + 1
    return cells


def _quoted_cells(text: str) -> list[Cell]:
    cells = []
    for match in _CELL.finditer(text):
        if match.start() == len(text) and not (text == "" or text.endswith(",")):
            break
        quoted, plain = match.groups()
        value = quoted.replace('""', '"') if plain is None else plain
        start = match.start() + len(match[0]) - len(match[0].lstrip(" \t"))
        cells.append(Cell(start + 1, value.strip(" \t")))
    return cells


def _not_utf8(raw: bytes, position: int) -> Finding:
    column = len(raw[:position].decode()) + 1
    byte = raw[position : position + 1]
    meant = byte.decode("cp1252", errors="ignore")
    message = f"byte 0x{byte.hex().upper()} is not UTF-8" + (f"; in Windows-1252 it is {meant}" if meant else "")
    return Finding(column, "not-utf8", message, 'save the file as "CSV UTF-8"')


def _unreadable(text: str) -> Finding | None:
    """What keeps a line from being a row at all."""
    if "\0" in text:
        hint = 'save the file as "CSV UTF-8", or write the line anew in a text editor'
        return Finding(text.index("\0") + 1, "nul", "a NUL byte", hint)
    if text.startswith(_CONFLICT) or text == "=======":
        hint = "keep the rows that are right, and delete the lines with <<<<<<<, ======= and >>>>>>>"
        return Finding(1, "conflict-marker", "a merge was not finished here", hint)
    return None


def _misparted(text: str, filled: list[Cell]) -> Finding | None:
    """A line of one cell that has more when parted by something else."""
    separator = next((one for one in _SEPARATORS if one in text.strip(" \t")), None)
    if len(filled) != 1 or separator is None:
        return None
    row = ",".join(cell.strip(" \t") for cell in text.split(separator)).rstrip(",")
    if "," not in row.lstrip(","):
        return None
    if _is_heading(row.rpartition(",")[2]):
        return _heading(text)
    message = f"the cells are parted by {_SEPARATORS[separator]}, not by commas"
    hint = f"write {row}" if len(row) <= _SHOWN_ROW else "part them by commas"
    return Finding(filled[0].column, "wrong-separator", message, hint)


def _unbalanced(text: str) -> Finding | None:
    for match in _CELL.finditer(text):
        if match[2] and match[2].lstrip(" \t").startswith('"'):
            column = match.start() + match[2].index('"') + 1
            hint = 'close it, or write the cell as "…" with each mark of the name doubled'
            return Finding(column, "unbalanced-quote", "a quotation mark has no partner", hint)
    return None


def _too_few(text: str, first: Cell, filled: list[Cell]) -> Finding | None:
    if len(filled) > 1:
        return None
    if filled and not first.text:
        return _empty_location(first)
    message = f"{quote(text.strip())} is not a row, which has a location and a subnet"
    return Finding(first.column, "too-few-columns", message, _EXAMPLE)


def _empty_location(first: Cell) -> Finding:
    return Finding(first.column, "empty-location", "the first cell is empty", "name the location")


def _is_heading(last: str) -> bool:
    words = _WORD.findall(last.casefold().replace("_", " "))
    return bool(words) and _SUBNET_HEADINGS.issuperset(words)


def _heading(text: str) -> Finding:
    return Finding(1, "heading-row", f"{quote(text.strip())} is a row of column names", "delete line {line}")


def name_findings(names: list[Cell]) -> Iterator[Finding]:
    """What is wrong with the names of one row, whatever the rules say."""
    seen = set()
    for column, name in names:
        if len(name) > NAME_LIMIT:
            message = f"{quote(name)} has {len(name)} characters; Pexip takes {NAME_LIMIT}"
            yield Finding(column, "bad-name", message, "shorten it in Pexip and here")
        if not name.isprintable() and any(category(c) == "Cc" or c == "\ufeff" for c in name):
            hint = "end each line with LF or CRLF" if "\r" in name else "type the name anew"
            yield Finding(column, "bad-name", f"{quote(name)} has a control character", hint)
        if name.startswith(_FORMULA):
            message = f"{quote(name)} is run as a formula by a spreadsheet that opens the file"
            yield Finding(column, "formula-name", message, "begin the name with a letter")
        if name in seen:
            yield Finding(column, "repeated-location", f"{quote(name)} stands twice in the row", "delete one of them")
        seen.add(name)


def _widest_at(address: Address) -> Network:
    """The widest network that begins at this address: what was meant if the length is wrong, not the address."""
    value = int.from_bytes(address)
    free = (value & -value).bit_length() - 1
    return Network(address + bytes((len(address) * 8 - free,)))
