"""What the workers of a service know of each other: numbers and short notes, in memory that they share.

Each worker has a place, where only it writes and all read. What it has counted stays there when it dies, and who takes
its place counts on. Nothing is a file, so a disk that is full or read-only is no matter, and nothing is left behind.
A note that is read while it is written shows by its checksum and is read again.
"""

from __future__ import annotations

import json
import mmap
import os
import zlib
from bisect import bisect_right
from collections.abc import Callable, Sequence
from struct import Struct
from typing import Any

NOTE = 2048
"""Bytes of a note, at the most."""
SHORT = 100
"""Bytes of a text that is never cut: a time, the id of a commit."""
CELLS = 192
"""Numbers that a worker has a place for."""
TRIES = 1000
"""How often a note is read again that is just being written."""

BIRTH, CONNECTIONS, SERVING, BEAT, ANSWERED, COUNTS = range(6)
"""Where a worker's numbers are: which one of all it is (0: there is none), its open connections, whether it takes any,
when its event loop went round (nanoseconds), which reload it has ended; from `COUNTS` on what it counts."""
RELOADS, DEATHS, SPENT = range(3)
"""Where those on the board are: reloads begun, workers that have died, and what they used (milliseconds)."""

Cells = list[int] | memoryview
Facts = dict[str, Any]

_HEAD = Struct("=II")


class Note:
    """A few facts, written by one process and read by all."""

    def __init__(self, room: memoryview) -> None:
        self._room = room

    def write(self, facts: Facts) -> None:
        """Put these facts in place of those before, long texts cut; raises ValueError when there are too many."""
        text = _packed(facts, len(self._room) - _HEAD.size)
        self._room[: _HEAD.size + len(text)] = _HEAD.pack(len(text), zlib.crc32(text)) + text

    def read(self) -> Facts:
        """The facts; none where nothing was written, or where the writer died on the way."""
        for _ in range(TRIES):
            size, checksum = _HEAD.unpack_from(self._room)
            text = bytes(self._room[_HEAD.size : _HEAD.size + size])
            if text and zlib.crc32(text) == checksum:
                facts: Facts = json.loads(text)
                return facts
        return {}

    def wipe(self) -> None:
        """Nothing was written."""
        self._room[: _HEAD.size] = bytes(_HEAD.size)


class Place:
    """What one worker counts, and its note."""

    def __init__(self, cells: Cells, note: Note) -> None:
        self.cells = cells
        self.note = note

    @property
    def is_taken(self) -> bool:
        """Whether a worker is there."""
        return bool(self.cells[BIRTH])

    def leave(self) -> None:
        """The worker has gone; what it has counted stays."""
        for cell in range(COUNTS):
            self.cells[cell] = 0
        self.note.wipe()


class Crew:
    """The places of all workers, and a board on which the oldest and the supervisor write; `own` is of this process.

    `wake` lets the supervisor look.

    One worker by itself has a place too, whose numbers are plain ones: they cost less.
    """

    def __init__(self, size: int = 1) -> None:
        self.size = size
        self.main_pid = os.getpid()
        self.wake: Callable[[], None] = lambda: None
        *places, self.board = _alone() if size == 1 else _shared(size)
        self.places: Sequence[Place] = places
        self.own = places[0]
        self.own.cells[BIRTH] = int(size == 1)

    @property
    def leads(self) -> bool:
        """Whether this is the oldest worker, which writes what only one may write."""
        own = self.own.cells[BIRTH]
        return not any(0 < place.cells[BIRTH] < own for place in self.places)

    def total(self, cell: int) -> int:
        """What all workers have counted there."""
        return sum(place.cells[cell] for place in self.places)

    def present(self) -> list[tuple[Place, Facts]]:
        """The workers that are there and have said something, the oldest first."""
        taken = sorted((place for place in self.places if place.is_taken), key=lambda place: place.cells[BIRTH])
        return [(place, facts) for place in taken if (facts := place.note.read())]

    def pin_up(self, **facts: Any) -> None:  # noqa: ANN401  whatever JSON knows
        """Change facts on the board; for the oldest worker."""
        self.board.note.write({**self.board.note.read(), **facts})


def _packed(facts: Facts, room: int) -> bytes:
    """The facts as JSON; until there is room for all of it, what a text may take is halved."""
    text, longest = json.dumps(facts), room
    while len(text) > room and longest >= 2 * SHORT:
        longest //= 2
        text = json.dumps(_cut(facts, longest))
    return text.encode()


def _cut(value: Any, longest: int) -> Any:  # noqa: ANN401  whatever JSON knows
    """The same without the end of each text that takes more bytes, as JSON has it."""
    if isinstance(value, dict):
        return {name: _cut(one, longest) for name, one in value.items()}
    if isinstance(value, str):
        return value[: bisect_right(range(len(value)), longest, key=lambda end: len(json.dumps(value[: end + 1])))]
    return value


def _alone() -> list[Place]:
    return [Place([0] * CELLS, Note(memoryview(bytearray(NOTE)))) for _ in range(2)]


def _shared(size: int) -> list[Place]:
    each = CELLS * 8 + NOTE
    memory = memoryview(mmap.mmap(-1, (size + 1) * each))
    pieces = [memory[start : start + each] for start in range(0, len(memory), each)]
    return [Place(piece[NOTE:].cast("Q"), Note(piece[:NOTE])) for piece in pieces]
