"""Open a file that is one: no symbolic link that another user has put there, and no pipe that would be waited for."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

MODE = 0o640
"""Of a file that is made: its owner writes it, its group reads it."""


def open_regular(path: Path, flags: int) -> int:
    """The descriptor of a regular file, made with `MODE` where `flags` say so (open(2)); raises OSError for any other.

    Only the last part of the path is looked at: the folders above it are those that the operator has named.
    """
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, MODE)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, f"{path.name} is a symbolic link", str(path)) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, f"{path.name} is not a regular file", str(path))
    return descriptor


def read_regular(path: Path) -> bytes:
    """The content of a regular file; raises OSError."""
    with os.fdopen(open_regular(path, os.O_RDONLY), "rb") as file:
        return file.read()
