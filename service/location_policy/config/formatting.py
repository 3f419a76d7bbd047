"""A row, and a file of rows, in the one form in which they are kept: the reader of a diff sees what has changed.

A comment or a blank line begins a block. The rows of a block stand in the order of their addresses, IPv4 first, under
the comment that they stood under; what lies between two rows is never carried over to another row.
"""

from __future__ import annotations

from collections.abc import Iterable

from .csv_lines import cells_text
from .row import Row, row_of
from .row_file import RowFile


def row_text(row: Row) -> str:
    """The row as a line, without the LF."""
    return cells_text((*row.names, str(row.network)))


def rows_text(rows: Iterable[Row]) -> bytes:
    """Rows as the content of a file, in order."""
    ordered = sorted(rows, key=lambda row: (len(row.network), row.network))
    return "".join(f"{row_text(row)}\n" for row in ordered).encode()


def canonical_text(file: RowFile) -> bytes:
    """The content of a file of which every line can be read, with the same rows and the same comments."""
    parts: list[bytes] = []
    block: list[Row] = []
    for raw, line in zip(file.texts, file.lines, strict=True):
        if (row := row_of(line)) is not None:
            block.append(row)
            continue
        parts += [rows_text(block)] * bool(block)
        block = []
        said = raw.strip(b" \t\r")
        if said or (parts and parts[-1] != b"\n"):
            parts.append(said + b"\n")
    parts += [rows_text(block)] * bool(block)
    if parts and parts[-1] == b"\n":
        del parts[-1]
    return b"".join(parts)
