"""The whole map as one CSV file: the rows of all files, in their order, without comments and blank lines.

Where no row has more than two overflow locations each has the classic four columns, with blank cells for those that
are not there. A row has the overflow locations that it answers with, also those of the table: read again, the file is
the same map.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..config.csv_lines import cells_text
from ..config.policy_toml import PAIR
from .snapshot import Snapshot

_BATCH = 10_000
"""Rows that are written at once."""


def csv_parts(snapshot: Snapshot) -> Iterator[bytes]:
    """The file, part by part."""
    positions = [0] * snapshot.size
    for position, row in enumerate(snapshot.by_address()):
        positions[row] = position
    is_classic = all(len(names) - 1 <= PAIR for names in snapshot.names)
    heads = [_head(names, is_classic=is_classic) for names in snapshot.names]
    for start in range(0, snapshot.size, _BATCH):
        rows = range(start, min(start + _BATCH, snapshot.size))
        lines = (f"{heads[snapshot.names_of[row]]}{snapshot.network_at(positions[row])}\n" for row in rows)
        yield "".join(lines).encode()


def _head(names: tuple[str, ...], *, is_classic: bool) -> str:
    blank = ("",) * (1 + PAIR - len(names)) if is_classic else ()
    return cells_text((*names, *blank)) + ","
