"""Lines to a file, written by a thread; never in the way of who has them.

A line is put aside where it is made. The thread writes what has come together, at the latest `INTERVAL` after the first
of it. What cannot be written waits and is tried again from where it stopped, so that no line is torn; what is too much
to wait is dropped and counted.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import threading
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Self

from ..errors import CannotStart

INTERVAL = 0.05
"""Seconds that a line waits at most before it is written."""
BATCH = 200
"""Lines that are written without waiting for more."""
LIMIT = 10_000
"""Lines that wait while nothing can be written."""
RETRY = 1.0
"""Seconds between two tries to write."""
GRACE = 1.0
"""Seconds that the last lines have to be written when the process ends."""

log = logging.getLogger(__name__)


class LineWriter:
    """Appends lines to the file at `path`, which `-` makes standard output; `title` is what it is called when it fails.

    Raises CannotStart where that cannot be opened. Nothing is written before it is started.
    """

    def __init__(self, path: str, title: str) -> None:
        self._path = path
        self._title = title
        self._lines: deque[bytes] = deque()
        self._wake: SimpleQueue[None] = SimpleQueue()  # its put may be called by a signal handler, Event.set may not
        self._is_closing = False
        self._is_reopening = False
        self._refused = 0
        try:
            self._sink = _Sink(_open(path), path, title)
        except OSError as error:
            raise CannotStart(f"the {title} {path} cannot be written: {error.strerror}") from None
        self._thread = threading.Thread(target=self._run, name="line-writer", daemon=True)

    def start(self) -> Self:
        """Begin to write."""
        self._thread.start()
        return self

    @property
    def dropped(self) -> int:
        """How many lines were never written."""
        return self._refused + self._sink.lost

    def put(self, line: bytes) -> None:
        """Put a line aside, with its line end."""
        if len(self._lines) >= LIMIT:
            self._refuse()
            return
        self._lines.append(line)
        if len(self._lines) in (1, BATCH):
            self._wake.put(None)

    def reopen(self) -> None:
        """Open the file anew, as after a rotation; may be called by a signal handler."""
        self._is_reopening = True
        self._wake.put(None)

    def close(self) -> None:
        """Write what is left, for `GRACE` at the most."""
        self._is_closing = True
        self._wake.put(None)
        self._thread.join(GRACE)
        if self._thread.is_alive():
            log.error("%s not written to its end file=%s: nobody takes its lines", self._title, self._path)

    def _refuse(self) -> None:
        if not self._refused:
            log.error("%s falls behind file=%s, lines are dropped", self._title, self._path)
        self._refused += 1

    # --- in the thread that writes ---

    def _run(self) -> None:
        while not self._is_closing:
            self._wait(RETRY if self._sink.is_waiting or self._lines else None)
            if not self._is_called():
                self._wait(INTERVAL)  # for more, or until there are enough
            if self._is_reopening:
                self._reopen_now()
            self._write()
        self._write()
        self._sink.end(len(self._lines))

    def _is_called(self) -> bool:
        return self._is_closing or self._is_reopening

    def _wait(self, seconds: float | None) -> None:
        with suppress(Empty):
            self._wake.get(timeout=seconds)

    def _reopen_now(self) -> None:
        self._is_reopening = False
        try:
            self._sink.turn_to(_open(self._path))
        except OSError as error:
            log.error("%s not reopened file=%s: %s; the old one is kept", self._title, self._path, error.strerror)

    def _write(self) -> None:
        """Write everything; a line that comes after the last look finds none before it and wakes the thread."""
        while self._sink.write() and self._lines:
            self._sink.take([self._lines.popleft() for _ in range(len(self._lines))])


class _Sink:
    """An open file, and what waits to be written to it; for one thread."""

    def __init__(self, file: int, path: str, title: str) -> None:
        self.lost = 0
        self._file = file
        self._path = path
        self._title = title
        self._waiting = b""
        self._is_torn = False
        self._is_failing = False

    @property
    def is_waiting(self) -> bool:
        """Whether something could not be written yet."""
        return bool(self._waiting)

    def take(self, lines: list[bytes]) -> None:
        """What is to be written next."""
        self._waiting = b"".join(lines)

    def write(self) -> bool:
        """Whether nothing waits any more."""
        if not self._waiting:
            return True
        try:
            while self._waiting:
                written = os.write(self._file, self._waiting)
                self._is_torn = self._waiting[written - 1 : written] != b"\n"
                self._waiting = self._waiting[written:]
        except OSError as error:
            self._fail(error)
            return False
        if self._is_failing:
            log.info("%s written again file=%s", self._title, self._path)
        self._is_failing = False
        return True

    def turn_to(self, file: int) -> None:
        """Go on in another file, which begins with a whole line."""
        if self._file != file:
            os.close(self._file)
        self._file = file
        if self._is_torn:
            self._waiting = self._waiting.partition(b"\n")[2]
            self.lost += 1
        self._is_torn = False

    def end(self, more: int) -> None:
        """Give up what waits, and this many lines more."""
        self._give_up(more)
        if self._path != "-":
            os.close(self._file)
        if self.lost:
            log.warning("%s ended file=%s lost=%d", self._title, self._path, self.lost)

    def _fail(self, error: OSError) -> None:
        if not self._is_failing:
            log.error("%s not written file=%s: %s", self._title, self._path, error.strerror)
        self._is_failing = True
        if error.errno == errno.EPIPE:  # the reader has gone, and with it any use in waiting
            self._give_up()

    def _give_up(self, more: int = 0) -> None:
        self.lost += self._waiting.count(b"\n") + more
        self._waiting = b""
        self._is_torn = False


def _open(path: str) -> int:
    """A file to append to, made where it is missing; a pipe without a reader is refused, not waited for."""
    if path == "-":
        if sys.stdout is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return sys.stdout.fileno()
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o640)
    os.set_blocking(file, True)
    return file
