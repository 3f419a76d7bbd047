"""Counts of calls that a follower hands up to the service that it follows, as a header of the request that waits there.

A batch has a number, and is sent again with the same until a request with it was answered; the service that hears it
takes it once. So a call is counted there once, or, where a batch is given up, not at all; twice only where that service
ends between hearing a batch and answering, since it knows the last number of each as long as it runs.
"""

from __future__ import annotations

import threading
import time
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from .situation import Situation, add, read_situation, settled

HEADER = "X-Location-Policy-Calls"
LONGEST = 6_000
"""Bytes of the header's value: proxies take lines of 8 kB."""
UNPACKED = 250_000
"""Bytes that it is unpacked."""
MOST_ROWS = 2_000
"""Situations of a batch: a header has room for very many that are alike, and each takes time to read."""
EVERY = 60.0
"""Seconds between two batches."""
AFTER_FAILURE = 600.0
"""Seconds in which nothing is handed up after a request with it has failed: it may be what was wrong."""
MOST = 5_000
"""Situations of a day that wait to be handed up; the rest are merged."""
LARGEST = 10_000_000
"""Calls of one situation in a batch that are believed; what are more come with the next."""
LONGEST_TEXT = 300
"""Characters of a text in a batch."""


class Batch(NamedTuple):
    """Counts of one day; `number` is another from batch to batch of a follower."""

    number: int
    day: int
    counts: Mapping[Situation, int]


class HandUp:
    """What waits to be handed up; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, dict[Situation, int]] = {}
        self._sent: tuple[str, int, Mapping[Situation, int]] | None = None
        self._due = 0.0
        self._number = time.time_ns() // 1_000_000

    def add(self, day: int, counts: Mapping[Situation, int]) -> None:
        """These calls are to be handed up too; of more than two days the oldest are forgotten."""
        with self._lock:
            waiting = self._waiting.setdefault(day, {})
            for found, calls in counts.items():
                add(waiting, found, calls, MOST)
            for old in sorted(self._waiting)[:-2]:
                del self._waiting[old]

    def headers(self) -> Mapping[str, str]:
        """What goes with a request now: a batch, or nothing."""
        with self._lock:
            if time.monotonic() < self._due or not (self._sent or self._begin()) or self._sent is None:
                return {}
            return {HEADER: self._sent[0]}

    def note_answered(self) -> None:
        """A request with `headers` was answered."""
        with self._lock:
            if self._sent is None or time.monotonic() < self._due:
                return
            _, day, counts = self._sent
            waiting = self._waiting.get(day, {})
            for found, calls in counts.items():
                left = waiting.get(found, 0) - calls
                if left > 0:
                    waiting[found] = left
                else:
                    waiting.pop(found, None)
            if not waiting:
                self._waiting.pop(day, None)
            self._sent, self._due = None, time.monotonic() + EVERY

    def note_failed(self) -> None:
        """It was not."""
        with self._lock:
            if self._sent is not None and time.monotonic() >= self._due:
                self._due = time.monotonic() + AFTER_FAILURE

    def _begin(self) -> bool:
        """Whether there is a batch to be sent: of the oldest day what fits, the most frequent first."""
        day = min((day for day, counts in self._waiting.items() if counts), default=None)
        if day is None:
            return False
        self._number += 1
        waiting = ((found, min(calls, LARGEST)) for found, calls in self._waiting[day].items())
        found = sorted(waiting, key=lambda item: -item[1])[:MOST_ROWS]
        while (excess := _excess(Batch(self._number, day, dict(found)))) > 1 and len(found) > 1:
            found = found[: int(len(found) / (excess + 0.1))] or found[:1]
        if excess > 1:
            del self._waiting[day][found[0][0]]
            return False
        self._sent = encode(Batch(self._number, day, dict(found))), day, dict(found)
        return True


def _excess(batch: Batch) -> float:
    """How many times as large as it may be a batch is."""
    return max(len(encode(batch)) / LONGEST, len(_written(batch)) / UNPACKED)


def encode(batch: Batch) -> str:
    """A batch as the value of a header."""
    return b64encode(zlib.compress(_written(batch), 9)).decode()


def _written(batch: Batch) -> bytes:
    rows = [[*found, calls] for found, calls in batch.counts.items()]
    return orjson.dumps([batch.number, batch.day, rows])


def decode(text: str) -> Batch | None:
    """The batch of a header; None for what is none."""
    if len(text) > LONGEST:
        return None
    try:
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(b64decode(text, validate=True), UNPACKED)
        number, day, rows = orjson.loads(content)
        if not unpacker.eof or len(rows) > MOST_ROWS:  # it is cut off, or too large
            return None
        counts: dict[Situation, int] = {}
        for row in rows:
            found, calls = _read(row)
            counts[found] = counts.get(found, 0) + calls
        return Batch(_whole(number, 1 << 62), _whole(day, 3_652_059), counts)
    except (ValueError, TypeError, zlib.error):
        return None


def _read(row: list[Any]) -> tuple[Situation, int]:
    *fields, calls = row
    found = read_situation(fields)
    if any(text and len(text) > LONGEST_TEXT for text in (*found[:8], *found.overflow, found.view)):
        raise ValueError("a text is too long")
    return settled(found._replace(overflow=found.overflow[:9])), _whole(calls, LARGEST)


def _whole(found: object, most: int) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or not 0 < found <= most:
        raise TypeError("it is no number, or too large")
    return found
