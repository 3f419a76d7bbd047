"""CSV bytes to rows and problems.

A row is one line, ended by LF, and each line is read by itself: a stray quotation mark cannot swallow the lines after
it, and line numbers agree with those of git blame. `LineMemory` holds every line that was read before, so that reading
a file of which one line has changed costs one line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter

from .addresses import Network
from .cells import Cell, Finding, file_finding, filled_cells, placed, split_lines
from .lines import Flawed, Line, Row, parse_line
from .problems import Problem


class LineMemory(dict[bytes, Line]):
    """What each line means, by its bytes; a line that is asked for the first time is read."""

    def __missing__(self, text: bytes) -> Line:
        line = self[text] = parse_line(text)
        return line


@dataclass(frozen=True, slots=True)
class RowFile:
    """The lines of one file in order, as bytes and as what they mean."""

    path: str
    texts: tuple[bytes, ...]
    lines: tuple[Line, ...]
    size: int
    """Rows in the file."""
    networks: frozenset[Network]
    names: frozenset[tuple[str, ...]]
    is_clean: bool
    """Is there nothing to say about any line?"""

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Each row with its line number, 1-based."""
        for number, line in enumerate(self.lines, 1):
            row = line.row if isinstance(line, Flawed) else line
            if row is not None:
                yield number, row

    def findings(self) -> Iterator[Problem]:
        """What is wrong with single lines, whatever the rules say."""
        if self.is_clean:
            return
        for number, line in enumerate(self.lines, 1):
            if isinstance(line, Flawed):
                yield from (self.problem(number, finding) for finding in line.findings)

    def problem(self, number: int, finding: Finding) -> Problem:
        """The finding at its place."""
        return placed(self.path, number, finding)

    def cell(self, number: int, position: int) -> Cell:
        """A cell of a row, empty ones not counted: 0 is the location, -1 the subnet."""
        return filled_cells(self.texts[number - 1])[position]


def read_rows(path: str, content: bytes, memory: LineMemory) -> RowFile:
    """The lines of a file; adds to `memory` those that it does not hold."""
    finding = file_finding(content)
    if finding:
        return _row_file(path, (b"",), (Flawed(None, (finding,)),))
    texts = split_lines(content)
    return _row_file(path, texts, tuple(map(memory.__getitem__, texts)))


def _row_file(path: str, texts: tuple[bytes, ...], lines: tuple[Line, ...]) -> RowFile:
    """The file of these lines; in C as far as it goes, since judging a push asks it of each commit."""
    rows = list(filter(None, lines))
    is_clean = Flawed not in set(map(type, rows))
    if not is_clean:
        rows = [row for line in rows if (row := line.row if isinstance(line, Flawed) else line)]
    names, networks = frozenset(map(itemgetter(0), rows)), frozenset(map(itemgetter(1), rows))
    return RowFile(path, texts, lines, len(rows), networks, names, is_clean)
