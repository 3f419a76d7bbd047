"""A fingerprint of a repository: what the file system says of the files that decide what it serves; git is not asked.

As long as it is the same, git would answer as it did: moving a ref, packing refs, restoring them with old times or
changing the config makes another inode, size or ctime, which no program can set. Two changes between which a file
system's clock does not tick can look like one (git's "racy-git" is about this), so after a change git is asked for a
while.

A file is opened for its stat data, as git opens it: over NFS a plain stat may be a minute old, and opening a file asks
the server (nfs(5), "close-to-open").
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from stat import S_ISDIR
from typing import NamedTuple

from .git_dir import common_directory

SYMREF_DEPTH = 5
"""Symbolic refs that git follows, one after the other (refs.c, SYMREF_MAXDEPTH)."""

Fingerprint = tuple[tuple[int, ...], ...]

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


class DecidingFiles(NamedTuple):
    """The files that decide what refs and config say, there or not.

    `refs`: where refs are stored; `others`: other files; `is_complete`: false where the config includes files which
    only git can name.
    """

    refs: tuple[Path, ...]
    others: tuple[Path, ...]
    is_complete: bool = True

    def fingerprint(self) -> Fingerprint:
        """What the file system says of them now."""
        return tuple(map(_stamp, chain(self.refs, self.others)))

    def folders(self) -> tuple[Path, ...]:
        """The folders in which something happens when a ref moves; where one is missing, that in which it would be."""
        return tuple(dict.fromkeys(_nearest_folder(path.parent) for path in self.refs))


def deciding_files(directory: Path, refs: Iterable[str], others: Iterable[Path] = ()) -> DecidingFiles:
    """Those of the git directory of a repository or of a linked working copy, for these refs, and others besides."""
    common = common_directory(directory)
    places = tuple(dict.fromkeys((directory, common)))
    stored = [place / name for place in places for name in ("packed-refs", "reftable/tables.list")]
    loose = [path for ref in ("HEAD", *refs) for path in _loose(places, ref)]
    configs = [common / "config", directory / "config.worktree"]
    rest = [*configs, directory / "commondir", common / "objects", *others]
    return DecidingFiles(tuple(dict.fromkeys((*stored, *loose))), tuple(rest), not any(map(_may_include, configs)))


def _loose(places: Iterable[Path], ref: str) -> Iterator[Path]:
    """The files of a loose ref, and of those that it stands for (gitrepository-layout)."""
    name: str | None = ref
    for _ in range(SYMREF_DEPTH + 1):
        if name is None:
            return
        paths = [place / name for place in places]
        yield from paths
        name = next(filter(None, map(symref_target, paths)), None)


def symref_target(path: Path) -> str | None:
    """The ref that a symbolic ref stands for; None for any other file."""
    try:
        with path.open("rb") as file:
            content = file.read(4096)
    except (OSError, ValueError):
        return None
    return os.fsdecode(content[4:].strip()) if content.startswith(b"ref:") else None


def _may_include(config: Path) -> bool:
    """Does a git config speak of other files (git-config, "Includes")?"""
    try:
        return b"include" in config.read_bytes().lower()
    except OSError:
        return False


def _nearest_folder(path: Path) -> Path:
    return next((folder for folder in (path, *path.parents) if folder.is_dir()), path)


def _stamp(path: Path) -> tuple[int, ...]:
    """What tells a file from what it was: of a folder not what is in it, which comes and goes."""
    try:
        opened = os.open(path, _FLAGS)
        try:
            found = os.fstat(opened)
        finally:
            os.close(opened)
    except OSError as error:
        return (error.errno or 0,)
    except ValueError:  # a NUL in its name
        return ()
    place = (found.st_dev, found.st_ino, found.st_mode, found.st_uid, found.st_gid)
    return place if S_ISDIR(found.st_mode) else (*place, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
