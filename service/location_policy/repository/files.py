"""The files of a commit, with their content where it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..config.files import File, is_read, size_limit
from .objects import Entry, Objects

Knows = Callable[[str, str], bool]
"""Does who asks know the content of this path and blob already?"""


def knows_nothing(_path: str, _blob: str) -> bool:
    """Every content is news."""
    return False


def read_files(objects: Objects, entries: Iterable[Entry], knows: Knows) -> list[File]:
    """The files of these entries; those that `knows(path, blob)`, or that are too large, without content."""
    return [_read(objects, entry, knows) for entry in entries]


def _read(objects: Objects, entry: Entry, knows: Knows) -> File:
    path, kind, blob = entry
    if kind != "file" or not is_read(path) or knows(path, blob):
        return File(path, kind, 0, blob)
    size = objects.size(blob)
    return File(path, kind, size, blob, objects.content(blob, "blob") if size <= size_limit(path) else None)
