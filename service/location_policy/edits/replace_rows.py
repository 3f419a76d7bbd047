"""The files of a map with other rows in them: what stays, stays as it is written, byte for byte and in its place.

A row whose subnet is wanted with other locations is changed where it stands, and one that is not wanted is taken away.
The comment above a block of rows goes when all of them go, and no other does. What is new goes to the end of one file:
among the last rows, in the order of addresses, or below them where a comment stands over them, since it says nothing
about the new ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import NamedTuple

from ..config.formatting import row_text
from ..config.row import Line, Row, RowWithFindings, row_of
from ..config.row_file import LineCache, RowFile, read_rows
from ..net.addresses import Network
from ..net.ranges import Names
from ..text import bom_of


@dataclass(frozen=True, slots=True)
class Replacement:
    """The files that differ, None where nothing is left of one; how many rows stay, change, go and come."""

    contents: Mapping[str, bytes | None]
    kept: int
    changed: int
    gone: int
    come: int
    lost_comments: int
    """Lines of comments that are there no more."""


class _Text(NamedTuple):
    """A line without its LF, and its row."""

    raw: bytes
    row: Row | None


def replace_rows(
    contents: Mapping[str, bytes], wanted: RowFile, home: str, memory: LineCache, *, takes_text: bool, mends: bool
) -> Replacement:
    """These files with exactly the rows that are wanted, new ones in the file `home`.

    With `takes_text` that file gets the wanted lines as they are, comments too; a row that it has stays as it is
    written there. With `mends` a line with host bits is written anew, since it could not be served.
    """
    files = [read_rows(path, content, memory) for path, content in sorted(contents.items())]
    rows = {row.network: row for _, row in wanted.rows()}
    if takes_text:
        old = next((file for file in files if file.path == home), None)
        written = {home: _retold(old, wanted, mends=mends)}
    else:
        written = _Writer(dict(rows), mends=mends).written(files, home)
    changed = {path: content or None for path, content in written.items() if content != contents.get(path, b"")}
    return counted(files, wanted, changed, memory)


def counted(
    files: Sequence[RowFile], wanted: RowFile, changed: Mapping[str, bytes | None], memory: LineCache
) -> Replacement:
    """What comes of these files where their rows become those that are wanted, and these contents are written."""
    before = {row.network: row.names for file in files for _, row in file.rows()}
    after: dict[Network, Names] = {row.network: row.names for _, row in wanted.rows()}
    both = before.keys() & after.keys()
    kept = sum(before[network] == after[network] for network in both)
    now = [read_rows(path, content or b"", memory) for path, content in changed.items()]
    lost = _comments(file for file in files if file.path in changed) - _comments(now)
    gone, come = len(before) - len(both), len(after) - len(both)
    return Replacement(changed, kept, len(both) - kept, gone, come, lost.total())


def _comments(files: Iterable[RowFile]) -> Counter[bytes]:
    return Counter(raw.strip() for file in files for raw in file.texts if _is_comment(raw))


def _is_comment(raw: bytes) -> bool:
    return raw.lstrip(b" \t").startswith(b"#")


def _is_wrong(line: Line, *, mends: bool) -> bool:
    return mends and isinstance(line, RowWithFindings) and any(finding.code == "host-bits" for finding in line.findings)


@dataclass(slots=True)
class _Writer:
    """Writes files anew; `left` are the rows that have no place yet."""

    left: dict[Network, Row]
    mends: bool

    def written(self, files: Iterable[RowFile], home: str) -> dict[str, bytes]:
        """The contents of the files, in order; what is left over then goes home."""
        by_path = {file.path: file for file in files}
        texts = {path: self._texts(file) for path, file in by_path.items()}
        if self.left:
            end = _end(by_path.get(home))
            texts[home] = _with_new(texts.get(home, []), self.left.values(), end)
        return {path: _joined(by_path.get(path), lines) for path, lines in texts.items()}

    def _texts(self, file: RowFile) -> list[_Text]:
        texts: list[_Text] = []
        has_gap = False
        for head, body in _blocks(file):
            kept = [text for raw, line in body if (text := self._text(raw, line))]
            if body and not kept:
                has_gap = not texts or not texts[-1].raw.strip()
            elif has_gap and not body and not any(raw.strip() for raw in head):
                has_gap = False  # of the blank lines around what has gone one is enough
            else:
                texts += [*(_Text(raw, None) for raw in head), *kept]
                has_gap = False
        return texts[:-1] if has_gap else texts

    def _text(self, raw: bytes, line: Line) -> _Text | None:
        """What becomes of a row; None: it goes. So does a line that cannot be read."""
        row = row_of(line)
        new = self.left.pop(row.network, None) if row else None
        if new is None:
            return None
        if new == row and not _is_wrong(line, mends=self.mends):
            return _Text(raw, new)
        return _Text(row_text(new).encode() + raw[len(raw.removesuffix(b"\r")) :], new)


def _blocks(file: RowFile) -> Iterator[tuple[list[bytes], list[tuple[bytes, Line]]]]:
    """Comments and the rows below them; a blank line stands by itself."""
    head: list[bytes] = []
    body: list[tuple[bytes, Line]] = []
    for raw, line in _lines(file):
        if line is not None:
            body.append((raw, line))
            continue
        if body or (head and not raw.strip()):
            yield head, body
            head, body = [], []
        head.append(raw)
        if not raw.strip():
            yield head, []
            head = []
    if head or body:
        yield head, body


def _lines(file: RowFile) -> list[tuple[bytes, Line]]:
    """The lines as bytes and what they mean, without what is behind the last LF if that is nothing."""
    lines = list(zip(file.texts, file.lines, strict=True))
    return lines if file.texts[-1] else lines[:-1]


def _with_new(texts: list[_Text], rows: Iterable[Row], end: bytes) -> list[_Text]:
    """These lines and the new rows, each line with the end that the others have."""
    new = sorted((_Text(row_text(row).encode() + end, row) for row in rows), key=_address)
    if texts and end and not texts[-1].raw.endswith(end):  # the last line of a file without a last LF
        texts[-1] = _Text(texts[-1].raw + end, texts[-1].row)
    start = next((at for at in range(len(texts), 0, -1) if texts[at - 1].row is None), 0)
    if start and texts[start - 1].raw.strip():
        return [*texts, _Text(end, None), *new]
    return [*texts[:start], *merge(texts[start:], new, key=_address)]


def _address(text: _Text) -> tuple[int, Network]:
    assert text.row is not None
    return len(text.row.network), text.row.network


def _retold(old: RowFile | None, wanted: RowFile, *, mends: bool) -> bytes:
    """The wanted lines; a row that is in the old file too, as it is written there."""
    end = _end(old)
    lines = _lines(old) if old else []
    there = {row: raw for raw, line in lines if (row := row_of(line)) and not _is_wrong(line, mends=mends)}
    rows = [(raw + end, row_of(line)) for raw, line in _lines(wanted)]
    return _joined(old, [_Text(there.get(row, raw) if row else raw, row) for raw, row in rows])


def _end(file: RowFile | None) -> bytes:
    """What stands before the LF of a file's lines."""
    return b"\r" if file and file.texts[0].endswith(b"\r") else b""


def _joined(old: RowFile | None, texts: list[_Text]) -> bytes:
    """The content of the lines; a file that did not end in LF stays so as long as its last line does."""
    raws = [text.raw for text in texts]
    if old and raws == [raw for raw, _ in _lines(old)]:
        return old.content
    if not raws:
        return b""
    is_open = old and old.texts[-1] == raws[-1]
    mark = bom_of(old.content) if old else b""
    return mark + b"\n".join(raws) + (b"" if is_open else b"\n")
