"""A small file that is watched: what it says is read again when its content changes.

A file that cannot be used leaves what was read before in force, and is told once. Content is compared, not times: it is
read in a moment, and no change falls between two ticks of a clock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from ..errors import CannotStart, UnusableFile

LARGEST = 1_048_576
"""Bytes of a file that is read."""

log = logging.getLogger(__name__)

Value = TypeVar("Value")


class WatchedFile(Generic[Value]):
    """The file at `path` as `value`, which one thread swaps whole and any may read.

    Raises CannotStart or UnusableFile at first; `look` never raises.
    """

    def __init__(self, path: Path, read: Callable[[bytes, str], Value]) -> None:
        self._path = path
        self._read = read
        try:
            self._seen: bytes | str = _content(path)
            self.value = read(self._seen, str(path))
        except OSError as error:
            raise CannotStart(f"{path} cannot be read: {error.strerror}") from None

    def look(self, *, asked: bool = False) -> None:
        """Read it again if it differs from what was seen last; when `asked` to, tell again what is wrong."""
        try:
            content = _content(self._path)
            if content == self._seen and not asked:
                return
            before, self._seen = self._seen, content
            value = self._read(content, str(self._path))
        except OSError as error:
            self._tell(error.strerror or str(error), asked=asked)
        except UnusableFile as error:
            for problem in error.problems:
                log.error("the old one stays in use: %s", str(problem).partition("\n")[0])
        else:
            if content != before:
                self.value = value
                log.info("read again file=%s", self._path)

    def _tell(self, reason: str, *, asked: bool) -> None:
        if self._seen != reason or asked:
            log.error("the old one stays in use: %s cannot be read: %s", self._path, reason)
        self._seen = reason


def _content(path: Path) -> bytes:
    """All of it; raises OSError, also for one that is too large to be what it should be."""
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(0, f"it is larger than {LARGEST:,} bytes")
    return content
