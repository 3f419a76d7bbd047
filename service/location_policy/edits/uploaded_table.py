"""A table that an editor uploads, line for line as rows of ours: of any encoding, separator and heading.

The forms are those of our own files, of pexsubnet with and without ids, and what a spreadsheet makes of them. Each line
keeps its number, and its columns unless cells that hold a comma or a quotation mark are parted by something else: what
is wrong is told where its author sees it. What a row says is judged as in a file of the map.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from ..config.csv_lines import other_format
from ..config.files import File
from ..config.row_file import LineCache, Patience, RowFile, read_rows
from ..config.validate import row_errors
from ..errors import ForeignUpload, UnusableTable, UnusableUpload
from ..integrations.imports.our_rows import blanked, heading_line, is_id, our_lines, said_rows
from ..integrations.imports.pexsubnet import broken_cells, is_numbered
from ..integrations.imports.spreadsheet import SEPARATORS, Sheet, read_sheet
from ..integrations.imports.table_kind import kind_of
from ..problems import Problem, ProblemCollector, Problems, joined
from ..text import quote

_SAVE_AS = 'save it as "CSV UTF-8" in the program that made it, and upload that'


@dataclass(frozen=True, slots=True)
class Upload:
    """The rows of an uploaded file, at the lines of that file."""

    file: RowFile
    forms: tuple[str, ...]
    """What was understood that is not so in our own files, in words."""
    has_comments: bool
    problems: Problems
    """Of lines that cannot be read at all."""

    def errors(self, others: Sequence[RowFile], beside: Sequence[File], view: str = "") -> Problems:
        """What keeps its rows from being a map with those of other files, at the top or in a view, beside these rules
        and expectations.
        """
        if not self.file.size:  # all else would follow from that
            return joined((self.problems, row_errors((self.file,), ()))) or Problems((self._no_rows(),))
        found = joined((self.problems, row_errors((*others, self.file), beside, view)))
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
    if other := other_format(content):
        raise UnusableUpload(f"{quote(name)} is {other}, not a CSV file", _SAVE_AS)
    try:
        sheet = _without_broken_cells(blanked(read_sheet(name, content)))
    except UnusableTable as error:
        raise UnusableUpload(error.message, error.hint or _SAVE_AS) from None
    is_with_ids, heading = _is_with_ids(sheet, locations), heading_line(sheet)
    file = read_rows(name, our_lines(sheet, is_with_ids=is_with_ids), memory, None, patience)
    if not file.size and (words := _foreign(sheet)):
        hint = "make rows of it with location-policy import, and choose what that has written"
        raise ForeignUpload(f"{quote(name)} is a table of {words}, not of rows", hint)
    has_comments = any(text.lstrip(b" \t").startswith(b"#") for text in file.texts)
    return Upload(file, tuple(_forms(sheet, heading, is_with_ids=is_with_ids)), has_comments, _gathered(sheet.problems))


def _without_broken_cells(sheet: Sheet) -> Sheet:
    """The table without lines over which one cell goes, which are told; of our own separator the rows tell it."""
    broken = {} if sheet.separator == "," else broken_cells(sheet)
    passed = {number for numbers in broken for number in numbers}
    lines = tuple((number, None if number in passed else text) for number, text in sheet.lines)
    return replace(sheet, lines=lines, problems=(*sheet.problems, *broken.values())) if broken else sheet


def _foreign(sheet: Sheet) -> str | None:
    """What `import` takes a table for that has columns of its own; None for one that could be meant as rows."""
    kind = kind_of(sheet, {}, has_sites=False)
    return kind.words if kind.columns or kind.name in ("registry", "ranges", "names") else None


def _gathered(problems: Sequence[Problem]) -> Problems:
    collector = ProblemCollector(lambda problem: problem.severity)
    collector.add(problems)
    return collector.found()


def _forms(sheet: Sheet, heading: int | None, *, is_with_ids: bool) -> Iterator[str]:
    if sheet.is_utf16:
        yield "Encoding: UTF-16"
    if sheet.separator != ",":
        yield f"Delimiter: {SEPARATORS[sheet.separator].removesuffix('s')}"
    if heading:
        yield f"Column names: line {heading}, skipped"
    if is_with_ids:
        yield "First column: ids, skipped"


def _is_with_ids(sheet: Sheet, locations: Container[str]) -> bool:
    """Has the table an id before each location, and not just three overflow locations?"""
    heading = heading_line(sheet)
    first = islice((cells for number, cells in said_rows(sheet) if number != heading), 2)
    pairs = [(cells[0].strip(), cells[1]) for cells in first if len(cells) > 1]
    has_ids = bool(pairs) and all(is_id(one) and one not in locations and not is_id(other) for one, other in pairs)
    return is_numbered(sheet) and has_ids
