"""A table that another program has saved, as lines of cells: of any encoding, separator and line ends.

Excel saves what it calls CSV with semicolons where a comma stands in numbers, and marks UTF-8; a first line `sep=;`
tells it what parts the cells. PowerShell saves UTF-16 when it is asked for Unicode. An answer in JSON is read as such a
table.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from ...config.csv_lines import Finding, is_blank, is_ruler, is_utf8, line_text, other_format, placed, split_lines
from ...config.files import FILE_LIMIT, leftover
from ...config.row_checks import ROWS_LIMIT
from ...errors import UnusableTable
from ...problems import Problem
from ...text import BOM
from .json_table import read_json

csv.field_size_limit(FILE_LIMIT)  # a long cell is an error with its place, not one of the library

UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", "\uff0c": "commas of full width"}
_NAMED = re.compile(r'"?sep=([,;\t|])"?[,;\t| ]*', re.IGNORECASE)
"""The line by which Excel is told what parts the cells."""
_ADDRESS = r"(?:\d{1,3}(?:\.\d{1,3}){1,3}|[0-9a-f]*+:[0-9a-f:.]*+)(?:/[\d.]*+)?"
_SUBNET = re.compile(rf"\s*+{_ADDRESS}(?:[\s;,+&]++{_ADDRESS})*+\s*+", re.IGNORECASE)
"""One in a cell, or several."""
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(\?xml|!doctype|html|head|body|table|div|meta|style|!--)", re.IGNORECASE)
_PLAIN_EDGES = " \t\r\n\ufeff"
_EDGES = _PLAIN_EDGES + "".join(
    chr(code)
    for first, last in ((0x85, 0x85), (0xA0, 0xA0), (0xAD, 0xAD), (0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x2069))
    for code in range(first, last + 1)
)
"""What is dropped around a cell: space of every kind, and what cannot be seen."""
_EDGES += "\u1680\u3000"
_QUOTED = re.compile(
    r"""=?"(.*)"|'(.*)'|[\u201c\u201e](.*)[\u201c\u201d]|[\u2018\u201a](.*)[\u2018\u2019]|\u00ab(.*)\u00bb""", re.DOTALL
)
"""A cell between the quotation marks of a program or of a language, or as a formula, which keeps a spreadsheet from
making a number of it.
"""
_UTF32_MARKS = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
_FIRST = 8_000
"""Bytes in which git looks for a NUL."""
_LOOKED_AT = 20
"""Lines by which the separator is told."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The lines of one file, 1-based, each with its text; None for one that cannot be read (see `problems`)."""

    path: str
    lines: tuple[tuple[int, str | None], ...]
    separator: str
    is_marked: bool
    """Does it begin with a byte order mark of UTF-8?"""
    is_utf16: bool
    problems: tuple[Problem, ...]
    names_separator: bool = False
    """Was its first line one like `sep=;`? It is blank here."""
    entries: int = 0
    """Of an answer in JSON: how many it has."""
    announced: int = 0
    """How many there are, as its program says; 0 where it does not."""
    goes_on: bool = False
    """Says its program that another page follows behind all that is here?"""

    def cells(self, text: str) -> list[str]:
        """The cells of a line as they are, with the space around them."""
        return next(csv.reader([text], delimiter=self.separator), [])

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Each record with the number of its first line; a cell between quotation marks may go over several lines.

        Lines that cannot be read and those that say nothing are passed over.
        """
        lines = self._said()
        is_plain = all(text.isascii() and "'" not in text and '="' not in text for _, text in lines)
        is_wrapped = all(map(_is_wrapped, (text for _, text in lines)))
        for number, cells, _ in self._parsed(lines):
            if is_wrapped and len(cells) == 1 and "\n" not in cells[0]:
                cells = self.cells(cells[0])  # noqa: PLW2901
            yield number, [cell.strip(_PLAIN_EDGES) if is_plain else _clean(cell) for cell in cells]

    def open_quote(self) -> Problem | None:
        """What is said of a quotation mark without a partner, which would make one cell of the lines below it."""
        lines = self._said()
        if not any('"' in text for _, text in lines):
            return None
        number = next((number for number, _, is_open in self._parsed(lines) if is_open), None)
        if number is None:
            return None
        hint = 'close it, or write the cell as "…" with each mark of the name doubled'
        return Problem(self.path, number, 1, "unbalanced-quote", "a quotation mark has no partner", hint)

    def _said(self) -> list[tuple[int, str]]:
        return [(number, text) for number, text in self.lines if text is not None and not is_blank(text)]

    def _parsed(self, lines: Sequence[tuple[int, str]]) -> Iterator[tuple[int, list[str], bool]]:
        """Each record, and whether a quotation mark of its line has no partner; from there on a record is a line."""
        reader = csv.reader((f"{text}\n" for _, text in lines), delimiter=self.separator, strict=True)
        begins, width = 0, 0
        while begins < len(lines):
            number, text = lines[begins]
            try:
                cells = next(reader)
                is_open = reader.line_num > begins + 1 and any(self._holds_row(cell, width) for cell in cells)
            except csv.Error:  # what stands behind the end of a cell; or the table ends inside of one
                cells, is_open = self.cells(text), reader.line_num > begins + 1 or self._ends_in_cell(text)
            if is_open:
                rest = ((line, self.cells(other), False) for line, other in lines[begins + 1 :])
                yield from ((number, self.cells(text), True), *rest)
                return
            yield number, cells, False
            begins, width = reader.line_num, width or len(cells)

    def _ends_in_cell(self, text: str) -> bool:
        """Does a line lack nothing but the quotation mark at its end?"""
        with suppress(csv.Error):
            return any(csv.reader([f'{text}"'], delimiter=self.separator, strict=True))
        return False

    def _holds_row(self, cell: str, width: int) -> bool:
        """Has a cell of several lines one that is as wide as the table, and has a subnet?"""
        below = (self.cells(text) for text in cell.split("\n")[1:])
        return any(len(cells) >= max(width, 2) and any(map(_SUBNET.fullmatch, cells)) for cells in below)


def read_sheet(path: str, content: bytes) -> Sheet:
    """The file of this content.

    Raises UnusableTable for one that is no text, for HTML, and for JSON that cannot be read or has no entries.
    """
    if (size := max(content.count(b"\n"), content.count(b"\r"))) > ROWS_LIMIT:
        raise UnusableTable(f"{path} has {size:,} lines, more than the {ROWS_LIMIT:,} rows that a map may have")
    _refuse_what_is_no_table(path, content)
    if table := read_json(path, content):
        whole = (table.entries, table.announced, table.goes_on)
        return Sheet(path, table.lines, ",", False, False, (), False, *whole)
    encoding = _utf16(content)
    is_utf16 = encoding is not None
    if encoding:
        try:
            content = content.decode(encoding).encode()
        except UnicodeError:  # cut in the middle of a character, or half of a pair
            what = Finding(1, "not-utf8", "the file is neither UTF-8 nor whole UTF-16", 'save it as "CSV UTF-8"')
            return Sheet(path, (), ",", False, True, (placed(path, 1, what),))
    if b"\n" not in content:  # a spreadsheet's "CSV (Macintosh)" ends its lines with CR
        content = content.replace(b"\r", b"\n")
    texts = split_lines(content)
    found = [_text(raw) for raw in (texts if texts[-1] else texts[:-1])]
    problems = tuple(placed(path, number, one) for number, one in enumerate(found, 1) if isinstance(one, Finding))
    lines = tuple((number, None if isinstance(one, Finding) else one) for number, one in enumerate(found, 1))
    is_marked = content.startswith(BOM) and not is_utf16
    if named := _NAMED.fullmatch(lines[0][1] or "") if lines else None:
        return Sheet(path, ((1, ""), *lines[1:]), named[1], is_marked, is_utf16, problems, names_separator=True)
    said = (text for _, text in lines if text and not is_blank(text))
    separator = _separator(list(islice(said, _LOOKED_AT)))
    if separator == "|" and all(map(_is_barred, (text for _, text in lines if text and not is_blank(text)))):
        lines = tuple((number, text and _unbarred(text)) for number, text in lines)
    return Sheet(path, lines, separator, is_marked, is_utf16, problems)


def _refuse_what_is_no_table(path: str, content: bytes) -> None:
    """Raises UnusableTable for what no program exports as one."""
    if b"\0" in content[:_FIRST] and (left := leftover(path)):
        raise UnusableTable(f"{path} is {left}, not a table", "name the file that it stands beside")
    if other := other_format(content) or _binary(content):
        hint = 'save it as "CSV UTF-8"' if "workbook" in other else "name the file that has the subnets, as CSV"
        raise UnusableTable(f"{path} is {other}, not a CSV file", hint)
    if markup := _MARKUP.match(content):
        language = "XML" if markup[1].startswith(b"?") else "HTML, as a page that asks for a login is"
        raise UnusableTable(f"{path} is {language}, not a table", "export it as CSV, or ask the API of its program")


def _is_wrapped(text: str) -> bool:
    """Stands the whole line between quotation marks, as a spreadsheet writes what it has taken for one cell?"""
    text = text.strip()
    return len(text) > 1 and text[0] == text[-1] == '"'


def _clean(cell: str) -> str:
    """The cell without space and marks around it."""
    cell = cell.strip(_EDGES)
    quoted = _QUOTED.fullmatch(cell) if cell[:1] in "=\"'\u201c\u201e\u2018\u201a\u00ab" else None
    return next(one for one in quoted.groups() if one is not None).strip(_EDGES) if quoted else cell


def _is_barred(text: str) -> bool:
    """Is this a row of a table of a page, which has bars around its cells too, or a line between its rows?"""
    return text.lstrip(" \t").startswith("|") or is_ruler(text)


def _unbarred(text: str) -> str:
    """The row without the bars around it; blank for a line between rows."""
    bare = text.strip(" \t").removeprefix("|").removesuffix("|")
    return "" if is_ruler(text) else text if is_blank(text) else bare


def _utf16(content: bytes) -> str | None:
    """The encoding of a text in UTF-16, with a mark or without one, where every other byte of most letters is a NUL."""
    if content.startswith(UTF16_MARKS):
        return "utf-16"
    first = content[: _FIRST // 2 * 2]
    nuls = (first[::2].count(0), first[1::2].count(0))
    if min(nuls) > 0 or 4 * max(nuls) < len(first):
        return None
    return "utf-16-le" if nuls[1] else "utf-16-be"


def parted_text(separator: str, cells: Sequence[str]) -> str:
    """Cells as a line of a table that is parted so, without its end."""
    made = _Written()
    csv.writer(made, delimiter=separator, lineterminator="").writerow(cells)
    return "".join(made)


class _Written(list[str]):
    """What has been written, in memory."""

    write = list.append


def _binary(content: bytes) -> str | None:
    """What has a NUL among its first bytes (git's "buffer_is_binary"), and is no text with a stray one."""
    if content.startswith(_UTF32_MARKS):
        return "UTF-32"
    has_nul = b"\0" in content[:_FIRST] and not _utf16(content)
    return "a binary file" if has_nul and not is_utf8(content) else None


def _text(raw: bytes) -> str | Finding:
    text = line_text(raw)
    if isinstance(text, str) and "\r" in text:
        return Finding(text.index("\r") + 1, "bad-name", "a CR inside a line", "end each line with LF or CRLF")
    return text


def _separator(texts: Sequence[str]) -> str:
    """What leaves a subnet alone in a cell of most lines; of several, what parts the first line that is parted."""
    first = next((one for text in texts for one in SEPARATORS if one in text), ",")
    return max(SEPARATORS, key=lambda one: (sum(_parts(text, one) for text in texts), one == first))


def _parts(text: str, separator: str) -> bool:
    cells = next(csv.reader([text], delimiter=separator), [])
    return len(cells) > 1 and any(map(_SUBNET.fullmatch, cells))
