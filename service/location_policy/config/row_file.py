"""CSV bytes to rows and problems.

A row is one line, ended by LF, and each line is read by itself: a stray quotation mark cannot swallow the lines after
it, and line numbers agree with those of git blame. `LineCache` holds every line that was read before, and a file that
was read before lends what stands above and below the change: reading a file of which one line has changed costs one
line.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

from ..net.addresses import Network
from ..problems import CODES, GATHERED, Problem
from ..text import without_bom
from .csv_lines import (
    LINES_OF_CELL,
    Cell,
    Finding,
    end_of_cell,
    file_finding,
    filled_cells,
    placed,
    read_lines,
    several_lines,
    split_lines,
)
from .row import Line, Row, RowWithFindings, parse_line, row_of

PIECE = 1024 * 1024
"""Bytes, and what is left of a line, that are parted into lines at a time."""
REMEMBERED = 1_024
"""Bytes of a line that is remembered: long ones are few, or there to take memory."""
FIXED = frozenset(code for code in CODES if not CODES[code].adjustable)
"""What is an error under any rules."""


class LineCache(dict[bytes, Line]):
    """What each line means, by its bytes; a line that is asked for the first time is read.

    What is no row is not remembered: no configuration that has it is served, and there may be very many of them.
    """

    def __missing__(self, text: bytes) -> Line:
        line = parse_line(text)
        if len(text) <= REMEMBERED and (line is None or row_of(line)):
            self[text] = line
        return line


class Patience(NamedTuple):
    """How many lines with an error are read, and what an error is; the lines below them are not read."""

    most: int = GATHERED
    errors: Collection[str] = FIXED

    def after(self, file: RowFile) -> Patience:
        """What is left of it for the files that come after this one."""
        return self if file.is_clean else self._replace(most=self.most - self.wrong_in(file.lines))

    def wrong_in(self, lines: Sequence[Line]) -> int:
        """How many of these have an error."""
        if RowWithFindings not in set(map(type, lines)):
            return 0
        found = (line for line in lines if isinstance(line, RowWithFindings))
        return sum(any(one.code in self.errors for one in line.findings) for line in found)


@dataclass(frozen=True)  # without slots, for `texts`
class RowFile:
    """One file: its bytes, and what its lines mean, in order."""

    path: str
    content: bytes
    lines: tuple[Line, ...]
    size: int
    """Rows in the file."""
    networks: frozenset[Network]
    names: Mapping[tuple[str, ...], int]
    """How many rows have the same names."""
    is_clean: bool
    """Is there nothing to say about any line?"""
    is_cut: bool = False
    """Are there so many errors that not all lines were read?"""

    @cached_property
    def texts(self) -> tuple[bytes, ...]:
        """The lines as bytes."""
        return split_lines(self.content)

    @cached_property
    def _starts(self) -> array[int]:
        """Where each line begins: eight bytes for each, while lines by themselves take fifty."""
        first = len(self.content) - len(without_bom(self.content))
        return array("Q", chain((first,), (end.end() for end in re.finditer(b"\n", self.content))))

    def text(self, number: int) -> bytes:
        """A line as bytes, 1-based."""
        start = self._starts[number - 1]
        end = self._starts[number] - 1 if number < len(self._starts) else len(self.content)
        return self.content[start:end]

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Each row with its line number, 1-based."""
        if not self.size:
            return
        for number, line in filter(itemgetter(1), enumerate(self.lines, 1)):  # in C, over what may be comments
            if (row := row_of(line)) is not None:
                yield number, row

    def findings(self, takes: Callable[[str], bool] = lambda _: True) -> Iterator[Problem]:
        """What is wrong with single lines, under any rules; of the codes that are taken."""
        for number, found in self._found():
            yield from (self.problem(number, self._whole(number, one)) for one in found if takes(one.code))

    def numbers(self, code: str) -> set[int]:
        """The lines of which this is to be said."""
        return {number for number, found in self._found() if any(one.code == code for one in found)}

    def _found(self) -> Iterator[tuple[int, tuple[Finding, ...]]]:
        if not self.is_clean:
            for number, line in enumerate(self.lines, 1):
                if isinstance(line, RowWithFindings):
                    yield number, line.findings

    def _whole(self, number: int, finding: Finding) -> Finding:
        """The finding; where it is the beginning of a cell that ends on another line, with both lines."""
        if finding.code != "unbalanced-quote":
            return finding
        below = next(filter(None, (end_of_cell(self._texts_from(number), separator) for separator in ",;\t|")), None)
        return several_lines(number, number + below)._replace(column=finding.column) if below else finding

    def _texts_from(self, number: int) -> Iterator[str]:
        """The lines that a cell may go over, from this one on; each is read when it is asked for: lines may be long."""
        numbers = range(number, min(number + LINES_OF_CELL, len(self._starts) + 1))
        return (self.text(one).decode(errors="replace").removesuffix("\r") for one in numbers)

    def problem(self, number: int, finding: Finding) -> Problem:
        """The finding at its place."""
        return placed(self.path, number, finding)

    def cell(self, number: int, position: int) -> Cell:
        """A cell of a row, empty ones not counted: 0 is the location, -1 the subnet."""
        return filled_cells(self.text(number))[position]


def read_rows(
    path: str, content: bytes, memory: LineCache, before: RowFile | None = None, patience: Patience | None = None
) -> RowFile:
    """The lines of a file, which was like `before`; adds to `memory` those that it does not hold."""
    patience = patience or Patience()
    finding = file_finding(content)
    if finding:
        return _row_file(path, b"", (RowWithFindings(None, (finding,)),))
    if before and before.is_clean and before.size == len(before.networks):
        return _reread(before, path, content, memory, patience)
    return _read(path, content, memory, patience)


def _read(path: str, content: bytes, memory: LineCache, patience: Patience) -> RowFile:
    lines = read_lines(_part(content), memory.__getitem__, patience.wrong_in, patience.most)
    return replace(_row_file(path, content, lines), is_cut=len(lines) <= content.count(b"\n"))


def _part(content: bytes) -> Iterator[bytes]:
    """The lines as bytes, parted a piece at a time, since each is an object of its own."""
    start = len(content) - len(without_bom(content))
    while start >= 0:
        end = content.find(b"\n", start + PIECE)
        yield from content[start : end if end >= 0 else None].split(b"\n")
        start = end + 1 if end >= 0 else -1


def _row_file(path: str, content: bytes, lines: tuple[Line, ...]) -> RowFile:
    """The file of these lines; in C as far as it goes, since judging a push asks it of each commit."""
    rows: list[Row | RowWithFindings] = list(filter(None, lines))
    is_clean = RowWithFindings not in set(map(type, rows))
    if not is_clean:
        rows = [row for line in rows if (row := row_of(line))]
    names, networks = Counter(map(itemgetter(0), rows)), frozenset(map(itemgetter(1), rows))
    return RowFile(path, content, lines, len(rows), networks, names, is_clean)


def _reread(before: RowFile, path: str, content: bytes, memory: LineCache, patience: Patience) -> RowFile:
    """The file that was clean and had no network twice, and of which some lines differ."""
    start, end, old_end = _differing(before.content, content)
    first = content.count(b"\n", 0, start)
    last = first + before.content.count(b"\n", start, old_end)
    texts = content[start:end].split(b"\n") if start else split_lines(content[:end])  # a BOM stands at the start only
    changed = read_lines(texts, memory.__getitem__, patience.wrong_in, patience.most)
    if len(changed) < len(texts):
        return _read(path, content, memory, patience)
    gone = _row_file(path, b"", before.lines[first : last + 1])
    come = _row_file(path, b"", changed)
    lines = before.lines[:first] + changed + before.lines[last + 1 :]
    names = Counter(before.names)
    names.subtract(gone.names)
    names.update(come.names)
    return RowFile(
        path,
        content,
        lines,
        before.size - gone.size + come.size,
        before.networks.difference(gone.networks).union(come.networks),
        +names,
        come.is_clean,
    )


def _differing(old: bytes, new: bytes) -> tuple[int, int, int]:
    """Where the lines that differ begin, and where they end in the new and in the old, without the last LF."""
    limit, ends = min(len(old), len(new)), (len(old), len(new))
    start = new.rfind(b"\n", 0, _alike(limit, lambda low, high: old[low:high] == new[low:high])) + 1
    tail = _alike(
        limit - start, lambda low, high: old[ends[0] - high : ends[0] - low] == new[ends[1] - high : ends[1] - low]
    )
    after = new.find(b"\n", ends[1] - tail)
    end = after if after >= 0 else ends[1]
    return start, end, end + ends[0] - ends[1]


def _alike(limit: int, are_equal: Callable[[int, int], bool]) -> int:
    """How many bytes from one end on are alike: halves are compared in C, and the one that differs is halved again."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if are_equal(low, middle):
            low = middle
        else:
            high = middle - 1
    return low
