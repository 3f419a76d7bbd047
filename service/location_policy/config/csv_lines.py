"""A line of CSV before its meaning: its text, its cells with the column of each, and what keeps it from having any.

All readers of such lines, as rows of the map or as expectations, tell the same mistakes in the same words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar

from ..problems import Problem
from ..text import quote, without_bom

# Possessive, so that a long cell costs no memory: what follows a closing mark leaves only one way to read it.
_CELL = re.compile(r'[ \t]*+"((?:[^"]++|"")*+)"[ \t]*+(?:,|$)|([^,]*)(?:,|$)')
LINE_LIMIT = 64 * 1024
"""Bytes that one line may have."""
CELLS_LIMIT = 64
"""Cells that one line may have, empty ones too."""
CONFLICT = ("<<<<<<< ", "||||||| ", ">>>>>>> ")
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_WORD = re.compile(r"\w+")
_SUBNET_HEADINGS = frozenset(
    ("address", "cidr", "ip", "ipv4", "ipv6", "mask", "ms", "net", "network", "or", "prefix", "range", "snet", "subnet")
)
_SHOWN_ROW = 400
"""Characters of a row that a hint writes out."""
_BATCH = 1_000
"""Lines that are read at a time."""
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


Read = TypeVar("Read")


class Finding(NamedTuple):
    """A problem that does not know its file yet; `{line}` in a hint stands for the number of the line."""

    column: int
    code: str
    message: str
    hint: str | None = None


class Cell(NamedTuple):
    """The text of a cell without the space around it, and the column at which it starts."""

    column: int
    text: str


class Parted(NamedTuple):
    """A line that can be read: its text, and all its cells."""

    text: str
    cells: list[Cell]


def split_lines(content: bytes) -> tuple[bytes, ...]:
    """The lines of a file, each without its LF."""
    return tuple(without_bom(content).split(b"\n"))


def read_lines(
    texts: Iterable[bytes], read: Callable[[bytes], Read], wrong_in: Callable[[Sequence[Read]], int], most: int
) -> tuple[Read, ...]:
    """What each line means; those below the batch that has the `most`-th wrong one are not read."""
    lines: list[Read] = []
    wrong = 0
    texts = iter(texts)
    while found := list(map(read, islice(texts, _BATCH))):
        lines += found
        wrong += wrong_in(found)
        if wrong >= most:
            break
    return tuple(lines)


def file_finding(content: bytes) -> Finding | None:
    """What keeps the whole file from being read line by line."""
    if content.startswith(_UTF16_BOMS):
        return Finding(1, "not-utf8", "the file is UTF-16", 'save it as "CSV UTF-8"')
    return None


def line_text(raw: bytes) -> str | Finding:
    """The text of a line, without the CR of a CRLF."""
    if len(raw) > LINE_LIMIT:
        return _too_long(len(raw))
    try:
        text = raw.decode().removesuffix("\r")
    except UnicodeDecodeError as error:
        return _not_utf8(raw, error.start)
    return _too_many_cells(text) if text.count(",") >= CELLS_LIMIT else text


def placed(path: str, number: int, finding: Finding) -> Problem:
    """The finding in its file, at this line."""
    hint = finding.hint and finding.hint.replace("{line}", str(number))
    return Problem(path, number, finding.column, finding.code, finding.message, hint)


def is_blank(text: str) -> bool:
    """Is this a line that says nothing: blank, or a comment?"""
    return not text.strip(" \t") or text.lstrip(" \t").startswith("#")


def filled_cells(raw: bytes) -> list[Cell]:
    """The cells of a readable line that are not empty."""
    return [cell for cell in cells_of(raw.decode().removesuffix("\r")) if cell.text]


def cells_of(text: str) -> list[Cell]:
    """All cells of a line, empty ones too."""
    return quoted_cells(text) if '"' in text else plain_cells(text)


def plain_cells(text: str) -> list[Cell]:
    """The cells of a line without quotation marks."""
    cells = []
    column = 1
    for cell in text.split(","):
        cells.append(Cell(column + len(cell) - len(cell.lstrip(" \t")), cell.strip(" \t")))
        column += len(cell) + 1
    return cells


def quoted_cells(text: str) -> list[Cell]:
    """The cells of a line that may have quotation marks."""
    return list(_quoted_cells(text))


def _quoted_cells(text: str) -> Iterator[Cell]:
    for match in _CELL.finditer(text):
        if match.start() == len(text) and not (text == "" or text.endswith(",")):
            break
        quoted, plain = match.groups()
        value = quoted.replace('""', '"') if plain is None else plain
        start = match.start() + len(match[0]) - len(match[0].lstrip(" \t"))
        yield Cell(start + 1, value.strip(" \t"))


def _too_long(size: int) -> Finding:
    message = f"the line has {size:,} bytes, more than the {LINE_LIMIT:,} that a line may have"
    return Finding(1, "too-large", message, "break it into shorter lines, or delete line {line}")


def _too_many_cells(text: str) -> str | Finding:
    """The text of a line with many commas, unless they part too many cells; a comment has none."""
    beyond = None if is_blank(text) else next(islice(_quoted_cells(text), CELLS_LIMIT, None), None)
    if beyond is None:
        return text
    message = f"the line has more than {CELLS_LIMIT} cells"
    return Finding(beyond.column, "too-large", message, "delete the cells that say nothing, or line {line}")


def _not_utf8(raw: bytes, position: int) -> Finding:
    column = len(raw[:position].decode()) + 1
    byte = raw[position : position + 1]
    meant = byte.decode("cp1252", errors="ignore")
    message = f"byte 0x{byte.hex().upper()} is not UTF-8" + (f"; in Windows-1252 it is {meant}" if meant else "")
    return Finding(column, "not-utf8", message, 'save the file as "CSV UTF-8"')


def line_finding(text: str, filled: list[Cell], subnet_at: int) -> Finding | None:
    """What keeps a line from being parted into cells; `subnet_at` is the place of the subnet: 0 first, -1 last."""
    return _unreadable(text) or _misparted(text, filled, subnet_at) or _unbalanced(text)


def part_target_line(raw: bytes) -> Parted | Finding | None:
    """A line of a table whose first cell is an address or a subnet, without its LF; None where it says nothing."""
    text = line_text(raw)
    if isinstance(text, Finding):
        return text
    if is_blank(text):
        return None
    cells = cells_of(text)
    return line_finding(text, [cell for cell in cells if cell.text], 0) or Parted(text, cells)


def _unreadable(text: str) -> Finding | None:
    """A line that no text editor has written, or that git has."""
    if "\0" in text:
        hint = 'save the file as "CSV UTF-8", or write the line anew in a text editor'
        return Finding(text.index("\0") + 1, "nul", "a NUL byte", hint)
    if text.startswith(CONFLICT) or text == "=======":
        hint = "keep the rows that are right, and delete the lines with <<<<<<<, ======= and >>>>>>>"
        return Finding(1, "conflict-marker", "a merge was not finished here", hint)
    return None


def _misparted(text: str, filled: list[Cell], subnet_at: int) -> Finding | None:
    """A line of one cell that has more when parted by something else."""
    separator = next((one for one in _SEPARATORS if one in text.strip(" \t")), None)
    if len(filled) != 1 or separator is None:
        return None
    row = ",".join(cell.strip(" \t") for cell in text.split(separator)).rstrip(",")
    if "," not in row.lstrip(","):
        return None
    if is_heading(row.split(",")[subnet_at]):
        return heading(text)
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


def is_heading(subnet: str) -> bool:
    """Is the cell where the subnet should be the name of a column?"""
    words = _WORD.findall(subnet.casefold().replace("_", " "))
    return bool(words) and _SUBNET_HEADINGS.issuperset(words)


def heading(text: str) -> Finding:
    """What is said of a row of column names."""
    return Finding(1, "heading-row", f"{quote(text.strip())} is a row of column names", "delete line {line}")
