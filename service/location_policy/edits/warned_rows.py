"""The rows behind the warnings of a change: what each says, and for an upload where it stands in the uploaded file."""

from __future__ import annotations

from typing import NamedTuple

from ..config.row_file import LineCache, RowFile, read_rows
from ..net.addresses import Network
from ..problems import Problems
from ..repository.repository import Repository
from ..text import escape, shorten


class WarnedRow(NamedTuple):
    """What the row of a warning says, "" where it is of no line, and its `line` in the uploaded file, if known."""

    text: str
    line: int | None


def warned_rows(
    repository: Repository, tree: str, warnings: Problems, uploaded: RowFile | None
) -> tuple[WarnedRow, ...]:
    """The row of each warning that is listed, as the tree has it, in the same order."""
    memory = LineCache()
    contents = {path: repository.content_at(tree, path).split(b"\n") for path in {one.path for one in warnings}}
    texts = [_line(contents[one.path], one.line) for one in warnings]
    if uploaded is None:
        return tuple(WarnedRow(_shown(text), None) for text in texts)
    networks = [_network(text, memory) for text in texts]
    wanted = {*networks} - {None}
    lines = {row.network: line for line, row in uploaded.rows() if row.network in wanted}
    return tuple(
        WarnedRow(_shown(text), lines.get(network) if network else None)
        for text, network in zip(texts, networks, strict=True)
    )


def _line(lines: list[bytes], number: int) -> bytes:
    return lines[number - 1].strip() if 0 < number <= len(lines) else b""


def _network(text: bytes, memory: LineCache) -> Network | None:
    return next((row.network for _, row in read_rows("", text, memory).rows()), None)


def _shown(text: bytes) -> str:
    return escape(shorten(text.decode(errors="replace")))
