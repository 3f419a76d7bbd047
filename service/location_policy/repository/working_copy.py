"""The files of a folder, as a commit of it would have them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from shlex import quote

from ..config.files import (
    ROWS_PATH,
    RULES_PATH,
    TOTAL_LIMIT,
    BeyondBounds,
    File,
    Kind,
    PathCounter,
    Sum,
    concerns,
    is_read,
    is_rows,
    leftover,
    size_limit,
)
from ..errors import NoSuchFolder, RepositoryError
from .git import PlainGit
from .git_dir import find_git_directory, is_git_directory

_CHANGING = ("filter", "working-tree-encoding", "ident")
"""Attributes by which git keeps other bytes than lie there; those of line ends change no row."""


def read_folder(folder: Path) -> list[File]:
    """The files of a working copy that belong to the configuration; raises NoSuchFolder."""
    if is_git_directory(folder):
        hint = f"name a commit of it with --repo {quote(str(folder))}, or clone it: git clone {quote(str(folder))}"
        raise NoSuchFolder(f"{folder} is a repository, and no folder of files", hint)
    try:
        if folder.is_dir():
            total, contents = Sum(TOTAL_LIMIT), dict[str, bytes]()
            return [_file(folder, path, kind, total, contents) for path, kind in sorted(_walk(folder))]
    except BeyondBounds as bound:
        return [File(bound.path, bound.kind, 0)]
    except OSError as error:
        raise NoSuchFolder(f"{error.filename} cannot be read: {error.strerror}") from None
    raise NoSuchFolder(f"{folder} is not a folder", "name the folder that holds locations.csv or locations/")


def read_configuration(folder: Path) -> list[File]:
    """The files of a folder that is a whole configuration; raises NoSuchFolder, which names the whole of a part."""
    files = _kept(folder, read_folder(folder))
    if any(is_rows(file.path) or file.path == RULES_PATH for file in files):
        return files
    if whole := _whole(folder.resolve(), [file.path for file in files]):
        message = f"{folder} is a part of the configuration in {whole}, and is nothing by itself"
        raise NoSuchFolder(message, f"name the whole: {os.path.relpath(whole)}")
    return files


def filtered(folder: Path, files: Iterable[File]) -> Mapping[str, str]:
    """The files of which a commit may hold other bytes than lie in the folder, each with the attribute that says so
    (gitattributes, "filter", "working-tree-encoding", "ident").
    """
    paths = [file.path for file in files if file.content is not None]
    said = _ask(folder, paths, "check-attr", "-z", "--stdin", *_CHANGING).split("\0")
    found = {}
    for path, attribute, value in zip(said[0::3], said[1::3], said[2::3], strict=False):
        if value not in ("unspecified", "unset") and value.upper() not in ("UTF-8", "UTF8"):
            found[path] = attribute if value == "set" else f"{attribute}={value}"
    return found


def not_checked_out(folder: Path) -> list[str]:
    """The files of the configuration that a commit has, and that a sparse checkout leaves out (git-ls-files,
    "skip-worktree").
    """
    said = _ask(folder, ["."], "ls-files", "-t", "-z").split("\0")
    return [path for mark, _, path in (line.partition(" ") for line in said) if mark == "S" and is_read(path)]


def _kept(folder: Path, files: list[File]) -> list[File]:
    """The files without those that a program has left beside a table and git ignores."""
    paths = [file.path for file in files if leftover(file.path)]
    ignored = _ask(folder, paths, "check-ignore", "-z", "--stdin").split("\0") if paths else []
    return [file for file in files if file.path not in ignored]


def _ask(folder: Path, paths: Sequence[str], *question: str) -> str:
    """What git says of paths in a folder, which it says as they are given; empty where no git can be asked."""
    here = folder.resolve()
    root = next((parent for parent in (here, *here.parents) if (parent / ".git").exists()), None)
    if root is None or not paths:
        return ""
    given = "\0".join(paths).encode(errors="surrogateescape")
    try:
        directory = find_git_directory(root)
        places = f"--git-dir={directory}", f"--work-tree={root}", "-C", str(here)
        said = PlainGit(directory).run(*places, *question, stdin=given)
    except RepositoryError:  # it ignores none, or will not be asked here: of two evils, what lies there is told
        return ""
    return said.decode(errors="surrogateescape")


def _whole(folder: Path, paths: Sequence[str]) -> Path | None:
    """The folder of the configuration that this one, with these files, is a part of; not beyond its working copy."""
    for part, parent in pairwise((folder, *folder.parents)):
        if (part / ".git").exists():
            break
        below = folder.relative_to(parent)
        has_rows = (parent / ".git").exists() and (parent / ROWS_PATH).exists()
        if has_rows or (parent / RULES_PATH).exists() or any(is_rows((below / path).as_posix()) for path in paths):
            return parent
    return None


def _walk(folder: Path) -> Iterator[tuple[str, Kind]]:
    def fail(error: OSError) -> None:
        raise error

    counter = PathCounter()
    for parent, folders, names in os.walk(folder, onerror=fail):
        below = Path(parent).relative_to(folder)
        for name in (*names, *folders):
            path, full = (below / name).as_posix(), Path(parent, name)
            if path != ".git":
                counter.walk(path)
            kind = _kind(full)
            if kind and concerns(path, kind):
                counter.find(path)
                yield path, kind
        folders[:] = [name for name in folders if name != ".git" and not (Path(parent, name) / ".git").exists()]


def _kind(path: Path) -> Kind | None:
    """What git would make of it; None for a folder and for what git does not keep, such as a pipe."""
    if path.is_symlink():
        return "symlink"
    if path.is_dir():
        return "submodule" if (path / ".git").exists() else None
    return "file" if path.is_file() else None


def _file(folder: Path, path: str, kind: Kind, total: Sum, contents: dict[str, bytes]) -> File:
    """A file with its content, if there is room for it; what has the same content has the same id."""
    if kind != "file" or not is_read(path):
        return File(path, kind, 0)
    full = folder / path
    size = full.stat().st_size
    if size > size_limit(path):
        return File(path, kind, size, path)
    content = full.read_bytes()
    blob = sha256(content).hexdigest()
    has_room = total.has_room(blob, size)
    return File(path, kind, size, blob, contents.setdefault(blob, content) if has_room else None)
