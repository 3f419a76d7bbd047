"""Where the git directory of a path is (gitrepository-layout)."""

from __future__ import annotations

from pathlib import Path

from ..errors import NotARepository


def find_git_directory(path: Path) -> Path:
    """The git directory at a path: the path itself, or its `.git`; raises NotARepository."""
    try:
        if not path.exists():
            raise NotARepository(f"{path} does not exist", f"mount it, or make it with: location-policy init {path}")
        for directory in (path, _pointed_at(path / ".git", "gitdir: ")):
            objects = common_directory(directory) / "objects"
            if (directory / "HEAD").exists() and objects.is_dir():
                (directory / "HEAD").open("rb").close()
                next(objects.iterdir(), None)
                return directory
    except PermissionError:
        raise _unreadable(path) from None
    if path.is_dir() and not any(path.iterdir()):
        hint = "mount what is to be there, or wait for it; with --state-dir elsewhere, serve answers meanwhile"
        raise NotARepository(f"{path} is not a git repository: it is empty", hint)
    raise NotARepository(f"{path} is not a git repository", "name a bare repository, such as locations.git")


def is_git_directory(path: Path) -> bool:
    """Is this a bare repository, or the `.git` of another, and no folder of files, as far as it can be read?"""
    try:
        return find_git_directory(path) == path
    except (NotARepository, OSError):
        return False


def common_directory(directory: Path) -> Path:
    """What a git directory shares with others: another folder for a linked working copy, itself for a repository.

    Raises NotARepository where it may not be read any more.
    """
    try:
        return _pointed_at(directory / "commondir", "")
    except PermissionError:
        raise _unreadable(directory) from None


def _unreadable(path: Path) -> NotARepository:
    return NotARepository(f"{path} may not be read", "give the service's user read access to it")


def _pointed_at(path: Path, prefix: str) -> Path:
    """The folder that a file names, as `.git` and `commondir` of a linked working copy do (gitrepository-layout).

    Where there is no such file it is the folder itself: `path` if that is one, else the one that would hold the file.
    """
    if path.is_dir() or not path.is_file():
        return path if path.is_dir() else path.parent
    return path.parent / path.read_text(errors="surrogateescape").strip().removeprefix(prefix)
