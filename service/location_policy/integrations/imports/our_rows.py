"""A table in our own columns, line for line as our files have it, whatever parts its cells, heads or numbers it.

Each line keeps its number, and its columns unless cells that hold a comma or a quotation mark are parted by something
else: what is wrong is told where its author sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...config.csv_lines import cells_of, cells_text, is_blank
from .columns import is_heading_at_top
from .spreadsheet import Sheet


def our_lines(sheet: Sheet, *, is_with_ids: bool = False) -> bytes:
    """The lines as they would be written here; a heading, and a row of blank cells, is a blank line."""
    sheet, heading = blanked(sheet), heading_line(sheet)
    texts = [
        "" if text is None or number == heading else _line(sheet, text, is_with_ids=is_with_ids)
        for number, text in sheet.lines
    ]
    return "".join(f"{text}\n" for text in texts).encode()


def blanked(sheet: Sheet) -> Sheet:
    """The same with blank lines for rows of empty cells, which a spreadsheet writes for those that have nothing."""
    empty = f'{sheet.separator} \t"'
    lines = ((number, text if text is None or text.strip(empty) else "") for number, text in sheet.lines)
    return replace(sheet, lines=tuple(lines))


def said_rows(sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    """The cells of lines that say something."""
    return ((number, sheet.cells(text)) for number, text in sheet.lines if text and not is_blank(text))


def heading_line(sheet: Sheet) -> int | None:
    """The line of the column names, if the first line that says something has them."""
    number, cells = next(said_rows(blanked(sheet)), (0, []))
    return number if is_heading_at_top(cells) else None


def is_id(cell: str) -> bool:
    """Can this be the number of a row?"""
    return cell.strip().isdecimal()


def _line(sheet: Sheet, text: str, *, is_with_ids: bool) -> str:
    """The same line as it would be written here, its cells at the same columns where that can be."""
    if is_blank(text):
        return text
    if sheet.separator != ",":
        is_plain = '"' not in text and "," not in text
        text = text.replace(sheet.separator, ",") if is_plain else cells_text(sheet.cells(text))
    cells = cells_of(text) if is_with_ids else []
    if len(cells) > 1 and is_id(cells[0].text):
        start = cells[1].column - 1
        return " " * start + text[start:]
    return text
