"""A file replaced whole: written aside, synced and renamed, so never half there."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

ABANDONED = 60.0
"""Seconds after which a file that is still aside belongs to a process that was killed: writing takes less."""


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A new file that takes the place of `path` when the block has ended; only its owner may read it until it is let.

    Raises OSError, and then nothing has changed.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise


def replace_file(path: Path, content: bytes, mode: int | None = None) -> None:
    """Put this content there; mode and owner stay, and a new file has `mode`, or what is usual.

    Raises OSError, and then nothing has changed.
    """
    with replacing(path) as file:
        file.write(content)
        if path.exists():
            old = path.stat()
            os.fchmod(file.fileno(), old.st_mode & 0o7777)
            with suppress(PermissionError):  # only root can give a file to its owner
                os.fchown(file.fileno(), old.st_uid, old.st_gid)
        else:
            os.fchmod(file.fileno(), _usual_mode() if mode is None else mode)


def sync_folder(folder: Path) -> None:
    """Let what was renamed in a folder outlive a power cut (fsync(2))."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_abandoned(path: Path) -> None:
    """Clear away what processes that were killed have left aside of a file.

    Another process may write there too, so what is new stays; a time to come is one of a clock set back.
    """
    for aside in path.parent.glob(f".{path.name}.*"):
        with suppress(OSError):  # it is another user's
            if abs(time.time() - aside.stat().st_mtime) > ABANDONED:
                aside.unlink()


def _usual_mode() -> int:
    """That of a file which a program makes without a word about it; the mask can only be read by setting one."""
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
