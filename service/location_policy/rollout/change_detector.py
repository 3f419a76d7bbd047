"""Change detection: may the source say something else than it said when git was asked last?

The file system is asked, which costs a hundredth of what git costs. git is asked when a file has changed, for a while
after that, and now and then to be sure.
"""

from __future__ import annotations

import time

from ..repository.fingerprint import DecidingFiles, Fingerprint

CERTAIN = 30.0
"""Seconds after which git is asked even if the file system shows no change."""
SETTLING = 2.0
"""Seconds after a change in which git is asked again: in one tick of a file system's clock, which is as long on FAT, a
second change could look like the first."""


class ChangeDetector:
    """Compares the files of two moments; for one thread.

    What was seen before git was asked counts: what changes while git is asked is seen at the next look.
    """

    def __init__(self) -> None:
        self.files: DecidingFiles | None = None
        """Those that decided when git was asked last."""
        self._seen: Fingerprint | None = None
        self._asked_at = self._settled_at = 0.0

    def has_changed(self) -> bool:
        """Is git to be asked?"""
        if self.files is None or not self.files.is_complete or self._asked_at < self._settled_at:
            return True
        return time.monotonic() >= self._asked_at + CERTAIN or self.files.fingerprint() != self._seen

    def begin(self) -> tuple[float, Fingerprint | None]:
        """The moment before git is asked, for `end`."""
        return time.monotonic(), self.files.fingerprint() if self.files else None

    def end(self, begun: tuple[float, Fingerprint | None], files: DecidingFiles) -> None:
        """git was asked, and these files have decided."""
        self._asked_at, seen = begun
        if files != self.files or seen != self._seen:
            self._settled_at = time.monotonic() + SETTLING
        self._seen = seen if files == self.files else None
        self.files = files
