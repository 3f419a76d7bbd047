"""Backup of what only the copy of a remote has, and no fetch brings back: the pin, and the notes on what was let over a
limit.

It is in files beside the copy, which a copy that is made anew is given. The remote has all else that a copy has.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from ...runtime.atomic_file import remove_abandoned, replacing, sync_folder
from ...runtime.regular_file import open_regular, read_regular
from ..repository import Repository

_HEADER = re.compile(rb"(?:[#@][^\n]*\n)*([0-9a-f]{40,64}) ([^\n]+)\n\n")
"""The beginning of a bundle that needs nothing, and has one ref (gitformat-bundle)."""
_READ = 1024
"""Bytes of a bundle in which its header is."""


def pin_file(copy: Path) -> Path:
    """Where the text of the tag is that holds a commit in force by hand."""
    return copy.with_suffix(".pin")


def notes_file(copy: Path) -> Path:
    """Where the notes are, as a bundle (git-bundle)."""
    return copy.with_suffix(".notes")


def write_pin(copy: Path, text: bytes) -> None:
    """Keep the text of a pin in place of another; raises OSError, and then nothing has changed."""
    path = pin_file(copy)
    remove_abandoned(path)
    with replacing(path) as file:
        file.write(text)
    sync_folder(path.parent)


def read_pin_text(copy: Path, limit: int) -> bytes | None:
    """The text of the pin that is kept; None where there is none that can be read, or it is larger than `limit`."""
    try:
        text = read_regular(pin_file(copy))
    except OSError:
        return None
    return text if len(text) <= limit else None


def remove_pin(copy: Path) -> None:
    """Keep no pin any more; raises OSError."""
    pin_file(copy).unlink(missing_ok=True)


def keep_notes(repository: Repository, ref: str) -> None:
    """Keep what a ref of notes is at, unless that is kept; raises RepositoryError, and OSError."""
    path, tip = notes_file(repository.directory), repository.named(ref)
    if tip and kept_notes(repository.directory) != (tip, ref):
        remove_abandoned(path)
        with replacing(path) as file:
            file.write(repository.bundle(ref))


def kept_notes(copy: Path) -> tuple[str, str] | None:
    """The commit and the ref of the notes that are kept; None where there are none."""
    try:
        with os.fdopen(open_regular(notes_file(copy), os.O_RDONLY), "rb") as file:
            found = _HEADER.match(file.read(_READ))
    except OSError:
        return None
    return (found[1].decode(), os.fsdecode(found[2])) if found else None
