"""The files of call histories in a state directory: the one that a service takes, and those that none uses any more."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from .history_file import BESIDE, HistoryFile, UnusableHistory
from .recent import FILE_NAMES

ASIDE = ".aside"
"""What a file that is not used is called, behind its name."""
DAY = 24 * 60 * 60
"""Seconds."""


def free_place(directory: Path) -> tuple[Path, int]:
    """The first file that no other service has, and the lock on it; raises OSError."""
    for name in FILE_NAMES:
        if (lock := _lock(directory / name)) is not None:
            return directory / name, lock
    raise OSError("too many services keep a history there")


def put_aside(path: Path) -> None:
    """Rename a file that is not used, in place of one that was before; raises OSError."""
    path.rename(path.with_name(path.name + ASIDE))
    for beside in _whole(path)[1:]:
        with suppress(OSError):
            beside.unlink()


def forget_unused(directory: Path, own: Path, before: int, days: int) -> None:
    """Delete what was before this day from the files that no service uses, and each that has nothing else; one that
    cannot be read, or was put aside, once it was not written for so many days. What may not be deleted stays.
    """
    for name in FILE_NAMES:
        path = directory / name
        with suppress(OSError):
            _delete_if_old(path.with_name(name + ASIDE), days)
            if path != own and path.is_file():
                with _held(path) as is_ours:
                    if is_ours:
                        _forget(path, before, days)


def _forget(path: Path, before: int, days: int) -> None:
    try:
        with closing(HistoryFile(path)) as file:
            file.forget(before)
            is_empty = file.is_empty
    except (UnusableHistory, sqlite3.Error):
        _delete_if_old(path, days)
    else:
        if is_empty and path.name != FILE_NAMES[0]:  # by that it is known that calls are remembered here
            _delete(path)


def _delete_if_old(path: Path, days: int) -> None:
    written = [one.lstat().st_mtime for one in _whole(path) if os.path.lexists(one)]
    if written and not path.is_dir() and max(written) < time.time() - days * DAY:
        _delete(path)


def _delete(path: Path) -> None:
    for one in _whole(path):
        one.unlink(missing_ok=True)


def _whole(path: Path) -> list[Path]:
    """A file, and what SQLite keeps beside it."""
    return [path, *(path.with_name(path.name + ending) for ending in BESIDE)]


@contextmanager
def _held(path: Path) -> Iterator[bool]:
    """Whether no service has a file; none takes it within the `with` block."""
    lock = _lock(path)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)


def _lock(path: Path) -> int | None:
    """The lock on a file; None where a service has it. Raises OSError."""
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock
