"""The files of a commit, with their content where it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..config.files import TOTAL_LIMIT, File, Sum, is_read, size_limit
from .objects import Entry, Objects

Knows = Callable[[str, str], bool]
"""Does who asks know the content of this path and blob already?"""


def knows_nothing(_path: str, _blob: str) -> bool:
    """Every content is news."""
    return False


def read_files(objects: Objects, entries: Iterable[Entry], knows: Knows) -> list[File]:
    """The files of these entries; those that `knows(path, blob)`, or that are too large, without content.

    A content that is in several places is read once, and is one object.
    """
    total, contents = Sum(TOTAL_LIMIT), dict[str, bytes]()
    return [_read(objects, entry, knows, total, contents) for entry in sorted(entries)]


def _read(objects: Objects, entry: Entry, knows: Knows, total: Sum, contents: dict[str, bytes]) -> File:
    path, kind, blob = entry
    if kind != "file" or not is_read(path):
        return File(path, kind, 0, blob)
    size = objects.size(blob)
    if size > size_limit(path) or not total.has_room(blob, size) or knows(path, blob):
        return File(path, kind, size, blob)
    if blob not in contents:
        contents[blob] = objects.content(blob, "blob")
    return File(path, kind, size, blob, contents[blob])
