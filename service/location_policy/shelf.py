"""What one worker has built, for the others: the last large map, in memory that all can read.

Whoever needs a map holds the lock while it looks and, where another map lies there, while it builds: the others wait
and find it. The system lets go of the lock of a process that dies. The name of a map is written after the map, so that
half a one has none.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import IO

from .nameless import locked, nameless
from .slices import SLICE, SlicedWriter

NAME = sha256().digest_size


class Shelf:
    """Has room for one thing, which has a name; made before the workers are."""

    def __init__(self) -> None:
        self._file = nameless(buffering=0)

    @contextmanager
    def fetch(self, name: str, make: Callable[[], IO[bytes]], *as_good: str) -> Iterator[IO[bytes]]:
        """The thing of this name, or of one that is `as_good`, to be read in the `with` block.

        Where none of them is there, that of this name is made and put there.
        """
        label, *others = (sha256(one.encode()).digest() for one in (name, *as_good))
        with locked(self._file):
            if os.pread(self._file.fileno(), NAME, 0) not in (label, *others):
                with make() as made:
                    self._put(label, made)
            self._file.seek(NAME)
            yield self._file

    def _put(self, label: bytes, made: IO[bytes]) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._file.write(bytes(NAME))
        made.seek(0)
        shutil.copyfileobj(made, SlicedWriter(self._file), SLICE)
        os.pwrite(self._file.fileno(), label, 0)
