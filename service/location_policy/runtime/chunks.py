"""Copy bytes in chunks, so that a large copy never holds up the thread that answers meanwhile.

The kernel lets a thread copy for milliseconds before another one of the same priority has its turn, whether the
interpreter's lock is free or not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO

CHUNK = 65_536
"""Bytes that are copied in some ten microseconds."""


def chunks(content: bytes | memoryview) -> Iterator[memoryview]:
    """The content in pieces; after each, other threads that wait for the processor go first."""
    view = memoryview(content)
    for start in range(0, len(content), CHUNK):
        yield view[start : start + CHUNK]
        os.sched_yield()


class ChunkedWriter:
    """A file that takes what it is given in slices."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, content: bytes) -> int:
        """Write all of it."""
        return sum(map(self._file.write, chunks(content)))


class ChunkedReader:
    """A file that gives what is asked of it in slices, for pickle."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        """So many bytes; pickle asks so for few."""
        return self._file.read(size)

    def readline(self) -> bytes:
        """To the end of a line."""
        return self._file.readline()

    def readinto(self, target: memoryview) -> int:
        """As many bytes as there is room for; pickle asks so for many."""
        return sum(map(self._fill, chunks(target)))

    def _fill(self, piece: memoryview) -> int:
        found = self._file.read(len(piece))
        piece[: len(found)] = found
        return len(found)
