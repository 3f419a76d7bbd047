"""What a git that was ended leaves in a repository: half a pack, half an object, a lock (git, "lockfile.h").

A git that works writes, or is ended; so what was not written to for longer than it may stand still is left over.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from itertools import chain
from pathlib import Path

_HALVES = ("objects/pack/tmp_*", "objects/pack/.tmp-*", "objects/[0-9a-f][0-9a-f]/tmp_obj_*")
_LOCKS = ("*.lock", "refs/**/*.lock", "logs/**/*.lock", "objects/info/**/*.lock", "objects/pack/*.lock", "gc.pid")
_OF_FETCH = ("objects/pack/", "refs/remotes/", "refs/incoming/")
"""Where nothing but a fetch writes to the copy of a remote: a change on a page writes its objects loose."""
CLOCK = 1.0
"""Seconds by which the clock of a file system may be behind ours."""


def remove_leftovers(directory: Path, older: float, since: float | None = None) -> None:
    """Remove what was left `older` seconds ago or earlier, and was made by this user.

    `since`: the time (time.time) at which a fetch has begun that has ended; where only a fetch writes, what came after
    that is of this one.
    """
    now = time.time()
    for path in chain.from_iterable(map(directory.glob, (*_HALVES, *_LOCKS))):
        with suppress(OSError):  # it has gone just now, or cannot be taken away
            found = path.lstat()
            is_of_fetch = since is not None and found.st_mtime >= since - CLOCK and _is_of_fetch(path, directory)
            if found.st_uid == os.geteuid() and (is_of_fetch or found.st_mtime <= now - older):
                path.unlink()


def _is_of_fetch(path: Path, directory: Path) -> bool:
    return str(path.relative_to(directory)).startswith(_OF_FETCH)
