"""A table that an editor uploads, line for line as rows of ours: of any encoding, separator and heading.

The forms are those of our own files, of pexsubnet with and without ids, and what a spreadsheet makes of them. Each line
keeps its number, and its columns unless cells that hold a comma or a quotation mark are parted by something else: what
is wrong is told where its author sees it. What a row says is judged as in a file of the map.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from ..config.csv_lines import cells_of, cells_text, is_blank, is_heading
from ..config.files import File
from ..config.row_file import LineCache, Patience, RowFile, read_rows
from ..config.validate import row_errors
from ..errors import UnusableUpload
from ..integrations.imports.pexsubnet import is_numbered
from ..integrations.imports.spreadsheet import SEPARATORS, Sheet, read_sheet
from ..problems import Problem, ProblemCollector, Problems, joined
from ..text import quote

_SAVE_AS = 'save it as "CSV UTF-8" in the program that made it, and upload that'
_OTHER_FILES = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook (.xlsx)",
    b"\xd0\xcf\x11\xe0": "an Excel workbook (.xls)",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF",
}
"""What files begin with that are uploaded by mistake."""


@dataclass(frozen=True, slots=True)
class Upload:
    """The rows of an uploaded file, at the lines of that file."""

    file: RowFile
    forms: tuple[str, ...]
    """What was understood that is not so in our own files, in words."""
    has_comments: bool
    problems: Problems
    """Of lines that cannot be read at all."""

    def errors(self, others: Sequence[RowFile], beside: Sequence[File]) -> Problems:
        """What keeps its rows from being a map with those of other files, beside these rules and expectations."""
        if not self.file.size:  # all else would follow from that
            return joined((self.problems, row_errors((self.file,), ()))) or Problems((self._no_rows(),))
        found = joined((self.problems, row_errors((*others, self.file), beside)))
        order = sorted(found, key=lambda problem: (problem.path != self.file.path, problem.path, problem.line))
        return Problems(order, found.counts, found.cut)

    def _no_rows(self) -> Problem:
        hint = "a row is a location, up to two overflow locations and a subnet: Sydney,Melbourne,,10.61.2.0/24"
        return Problem(self.file.path, 1, 1, "no-rows", "the file has no row", hint)


def read_upload(
    name: str, content: bytes, memory: LineCache, locations: Container[str] = (), patience: Patience | None = None
) -> Upload:
    """The file of this name and content; a number that is one of the `locations` is no id.

    Raises UnusableUpload for what no line can be read of.
    """
    if not content.strip():
        raise UnusableUpload(f"{quote(name)} is empty", "choose the file that has the rows")
    if other := next((what for magic, what in _OTHER_FILES.items() if content.startswith(magic)), None):
        raise UnusableUpload(f"{quote(name)} is {other}, not a CSV file", _SAVE_AS)
    sheet = _blanked(read_sheet(name, content))
    is_with_ids, heading = _is_with_ids(sheet, locations), _heading(sheet)
    texts = [
        "" if text is None or number == heading else _line(sheet, text, is_with_ids=is_with_ids)
        for number, text in sheet.lines
    ]
    file = read_rows(name, "".join(f"{text}\n" for text in texts).encode(), memory, None, patience)
    has_comments = any(text.lstrip(" \t").startswith("#") for text in texts)
    return Upload(file, tuple(_forms(sheet, heading, is_with_ids=is_with_ids)), has_comments, _gathered(sheet.problems))


def _gathered(problems: Sequence[Problem]) -> Problems:
    collector = ProblemCollector(lambda problem: problem.severity)
    collector.add(problems)
    return collector.found()


def _forms(sheet: Sheet, heading: int | None, *, is_with_ids: bool) -> Iterator[str]:
    if sheet.is_utf16:
        yield "all is UTF-16"
    if sheet.separator != ",":
        yield f"cells are parted by {SEPARATORS[sheet.separator]}"
    if heading:
        yield f"line {heading} is a row of column names"
    if is_with_ids:
        yield "the first cell of a row is an id"


def _blanked(sheet: Sheet) -> Sheet:
    """The same with blank lines for rows of empty cells, which a spreadsheet writes for those that have nothing."""
    empty = f'{sheet.separator} \t"'
    lines = ((number, text if text is None or text.strip(empty) else "") for number, text in sheet.lines)
    return replace(sheet, lines=tuple(lines))


def _rows(sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    """The cells of lines that say something."""
    return ((number, sheet.cells(text)) for number, text in sheet.lines if text and not is_blank(text))


def _heading(sheet: Sheet) -> int | None:
    """The line of the column names, if the first line that says something has them."""
    number, cells = next(_rows(sheet), (0, []))
    filled = [cell for cell in cells if cell.strip()]
    return number if len(filled) > 1 and is_heading(filled[-1]) else None


def _is_with_ids(sheet: Sheet, locations: Container[str]) -> bool:
    """Has the table an id before each location, and not just three overflow locations?"""
    heading = _heading(sheet)
    first = islice((cells for number, cells in _rows(sheet) if number != heading), 2)
    pairs = [(cells[0].strip(), cells[1]) for cells in first if len(cells) > 1]
    has_ids = bool(pairs) and all(_is_id(one) and one not in locations and not _is_id(other) for one, other in pairs)
    return is_numbered(sheet) and has_ids


def _is_id(cell: str) -> bool:
    return cell.strip().isdecimal()


def _line(sheet: Sheet, text: str, *, is_with_ids: bool) -> str:
    """The same line as it would be written here, its cells at the same columns where that can be."""
    if is_blank(text):
        return text
    if sheet.separator != ",":
        is_plain = '"' not in text and "," not in text
        text = text.replace(sheet.separator, ",") if is_plain else cells_text(sheet.cells(text))
    cells = cells_of(text) if is_with_ids else []
    if len(cells) > 1 and _is_id(cells[0].text):
        start = cells[1].column - 1
        return " " * start + text[start:]
    return text
