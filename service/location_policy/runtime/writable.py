"""May files be written in a folder; if not, why, and what to do about it."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from .users import chown_name


class Unwritable(NamedTuple):
    """Why nothing can be written in a folder, to follow its name, and what to do."""

    why: str
    mend: str


def unwritable(folder: Path) -> Unwritable | None:
    """Why we can write nothing there, or in the nearest folder above it that is there; None where we can."""
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if os.access(existing, os.W_OK | os.X_OK) and existing.is_dir():
        return None
    if is_read_only(existing):
        mend = f"mount it for writing; under systemd ReadWritePaths={existing}, in a container a volume that is not :ro"
        return Unwritable("is on a file system that is mounted read-only", mend)
    if not existing.is_dir():
        return Unwritable("is not in a folder", f"{existing} is a file: name a folder")
    here, name = os.geteuid(), quote(str(existing))
    if existing.stat().st_uid == here:
        return Unwritable("may not be written by its owner", f"chmod u+rwx {name}")
    return Unwritable(f"may not be written by {chown_name(here)}", f"chown {chown_name(here)} {name}")


def is_read_only(folder: Path) -> bool:
    """Is the file system of a folder mounted read-only (statvfs(3))? It is not, where that is not known."""
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def is_full(folder: Path) -> bool:
    """Is there no room on the disk of a folder, for other users than root? There is, where that is not known."""
    try:
        return os.statvfs(folder).f_bavail == 0
    except OSError:
        return False
