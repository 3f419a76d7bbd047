"""The last look that was asked for, and which process serves, in the state directory: for commands beside it.

A process that serves holds a lock on `serving`; who holds it is the system's word (fcntl(2), F_GETLK), so no number
of a process that has ended is ever signalled.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...runtime.atomic_file import replace_file
from ...runtime.regular_file import read_regular
from .syncs import Sync

LOCK_NAME = "serving"
FILE_NAME = "sync.json"

_FLOCK = "hhqqi4x"
"""struct flock of Linux where `long` has 64 bits: type, whence, start, length, process."""


def hold(state_directory: Path) -> int | None:
    """Say that this process serves from there, until it ends: the descriptor of the lock; None: another one does, or
    the file is not there and cannot be made.
    """
    path, how, kind = state_directory / LOCK_NAME, os.O_CLOEXEC | os.O_NOFOLLOW, fcntl.LOCK_EX
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | how, 0o640)
    except OSError:  # a directory that cannot be written is told by what has to write there
        try:
            descriptor, kind = os.open(path, os.O_RDONLY | how), fcntl.LOCK_SH
        except OSError:
            return None
    try:
        fcntl.lockf(descriptor, kind | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


class Serving:
    """Says that this process serves from a directory, until it is closed; for one thread."""

    def __init__(self, state_directory: Path) -> None:
        self._state_directory = state_directory
        self._lock: int | None = None

    def look(self, *, asked: bool = False) -> None:
        """Say so, unless it is said: the directory may be made anew, or may only now be written."""
        del asked
        if not self._is_said():
            self.close()
            self._lock = hold(self._state_directory)

    def close(self) -> None:
        """Say so no more."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _is_said(self) -> bool:
        if self._lock is None:
            return False
        with suppress(OSError):
            return os.path.samestat(os.fstat(self._lock), os.lstat(self._state_directory / LOCK_NAME))
        return False


def holder(state_directory: Path) -> int | None:
    """The process that serves from there, if one does."""
    try:
        descriptor = os.open(state_directory / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, *_, process = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    finally:
        os.close(descriptor)
    return process if kind != fcntl.F_UNLCK and process > 0 else None


def keep_sync(state_directory: Path, sync: Sync) -> None:
    """Write down what became of a look; where that cannot be done, nobody beside the service is told."""
    with suppress(OSError):
        replace_file(state_directory / FILE_NAME, json.dumps(sync.fields()).encode(), 0o640)


def kept_sync(state_directory: Path) -> dict[str, Any]:
    """The last one; empty: none has been written, or what is there is none."""
    try:
        found = json.loads(read_regular(state_directory / FILE_NAME))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
