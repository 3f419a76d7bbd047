"""Files without a name, for processes that come from one another: what is in them, and a lock that goes with them."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

RETRY = 0.001
"""Seconds until a lock is asked for again that the system has refused."""


def nameless(buffering: int = -1) -> IO[bytes]:
    """A file without a name; in memory where that can be, since the file system may be read-only.

    What several processes read and write has no buffer (0): they share the place in it, and would not see what changes.
    """
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("location-policy"), "w+b", buffering)
    return tempfile.TemporaryFile(buffering=buffering)


@contextmanager
def locked(file: IO[bytes]) -> Iterator[None]:
    """No other process has the lock of this file; the system lets go of that of one that dies."""
    lock(file)
    try:
        yield
    finally:
        unlock(file)


def lock(file: IO[bytes]) -> None:
    """Wait for the lock of a file; it belongs to the process, not to the open file, which all share.

    The system knows no threads: where two processes each have a lock in one thread and wait for the other's in another,
    it takes that for a deadlock and refuses. Since each thread has one lock only, it is none, and ends by itself.
    """
    while not _is_granted(file):
        time.sleep(RETRY)


def _is_granted(file: IO[bytes]) -> bool:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno != errno.EDEADLK:
            raise
        return False
    return True


def unlock(file: IO[bytes]) -> None:
    """Let go of it, if this process has it."""
    fcntl.lockf(file, fcntl.LOCK_UN)
