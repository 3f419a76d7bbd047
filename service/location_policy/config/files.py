"""A file before its meaning: which files of a configuration count, and what is wrong with one before it is read."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from ..problems import Problem
from ..spelling import composed
from ..text import SHOWN_VALUE

RULES_PATH = "policy.toml"
ROWS_PATH = "locations.csv"
ROWS_FOLDER = "locations/"
VIEWS_FOLDER = "views/"
"""Below it each view has a folder, with rows and expectations as at the top."""
_NEARLY_VIEWS = frozenset(("views", "view"))
EXPECTATIONS_PATH = "expectations.csv"
OWNERS_PATH = "owners.csv"
OTHER_TABLES = frozenset((EXPECTATIONS_PATH, OWNERS_PATH))
"""What is read beside the map: nothing in it changes an answer."""

FILE_LIMIT = 128 * 1024 * 1024
"""Bytes that one file may have."""
TOTAL_LIMIT = 256 * 1024 * 1024
"""Bytes that all files may have together; a content that is in several places counts once."""
TABLE_LIMIT = 16 * 1024 * 1024
"""Bytes that `expectations.csv` and `owners.csv` may have: more than their rows need."""
RULES_LIMIT = 1024 * 1024
"""Bytes that `policy.toml` may have: its parser takes a hundred times what reading a row takes."""
LINES_LIMIT = 4_000_000
"""Lines that all files of rows may have together, and one of another kind: a blank line costs memory too."""
FILES_LIMIT = 10_000
"""CSV files that one configuration may have."""
PATHS_LIMIT = 200_000
"""Files and folders that one commit may have, for any use: all are looked at."""
PATH_LIMIT = 1_024
"""Characters that a path may have."""

Kind = Literal["file", "symlink", "submodule", "too-many-paths", "too-many-tables", "too-long-path"]
"""What stands at a path; the last three: the bound of which it is the first beyond, so that no more is looked at."""

_SINGLE = (RULES_PATH, *sorted(OTHER_TABLES))
_BEYOND: Mapping[Kind, str] = MappingProxyType(
    {
        "too-many-paths": f"the commit has more than {PATHS_LIMIT:,} files and folders",
        "too-many-tables": f"the configuration has more than {FILES_LIMIT:,} CSV files",
        "too-long-path": f"the path has more than {PATH_LIMIT:,} characters",
    }
)
_LEFTOVERS = {
    "~$": "a lock file of Excel",
    "._": "a file of macOS (AppleDouble)",
    ".~lock.": "a lock file of LibreOffice",
}
"""What programs put beside a file that is open, or that they copy, by how its name begins."""
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True, slots=True)
class File:
    """One entry of a configuration.

    `content` is None where it was not read: the file is too large, is no file, or its reader remembers the blob.
    """

    path: str
    kind: Kind
    size: int
    blob: str = ""
    content: bytes | None = None


class BeyondBounds(Exception):
    """There is more than is looked at; `kind` is the bound, `path` what is beyond it."""

    def __init__(self, path: str, kind: Kind) -> None:
        super().__init__(path)
        self.path = path
        self.kind = kind


class PathCounter:
    """Counts what is walked through, so that a walk ends where it is too long."""

    def __init__(self) -> None:
        self.paths = 0
        self.tables = 0

    def walk(self, path: str, paths: int = 1) -> None:
        """This path, and what is below it; raises BeyondBounds."""
        self.paths += paths
        if self.paths > PATHS_LIMIT:
            raise BeyondBounds(path, "too-many-paths")
        if len(path) > PATH_LIMIT:
            raise BeyondBounds(f"{path[:SHOWN_VALUE]}…", "too-long-path")

    def find(self, path: str, tables: int = 1) -> None:
        """What concerns the configuration there; raises BeyondBounds."""
        self.tables += tables
        if self.tables > FILES_LIMIT:
            raise BeyondBounds(path, "too-many-tables")


def view_of(path: str) -> str:
    """The view in whose folder this path is; empty for one that is in none."""
    folder, _, rest = path.partition("/")
    return rest.partition("/")[0] if f"{folder}/" == VIEWS_FOLDER and "/" in rest else ""


def in_view(view: str, path: str) -> str:
    """The path that stands in the folder of a view where this one stands at the top."""
    return f"{VIEWS_FOLDER}{view}/{path}" if view else path


def below_view(path: str) -> str:
    """The path that stands at the top where this one stands in the folder of a view."""
    return path.removeprefix(in_view(view_of(path), ""))


def holds_rows(path: str) -> bool:
    """Does this path hold rows, of the map at the top or of a view?"""
    return is_rows(below_view(path))


def is_beside(path: str) -> bool:
    """Is this a table beside the map, or beside the rows of a view, however its case?"""
    folded = path.casefold()
    return folded in OTHER_TABLES or below_view(folded) == EXPECTATIONS_PATH


def is_rows(path: str) -> bool:
    """Does this path hold rows of the map at the top?"""
    return path == ROWS_PATH or (path.startswith(ROWS_FOLDER) and path.endswith(".csv"))


def may_hold_rows(path: str) -> bool:
    """Can a file of rows be made at this path, at the top or for a view? git and every system take it (git-fsck,
    "hasDotdot").
    """
    parts = path.split("/")
    return holds_rows(path) and path.isprintable() and all(part and not part.startswith(".") for part in parts)


def is_read(path: str) -> bool:
    """Does the content of this path count?"""
    return path in _SINGLE or holds_rows(path) or below_view(path) == EXPECTATIONS_PATH


def size_limit(path: str) -> int:
    """Bytes that the file at this path may have."""
    return RULES_LIMIT if path == RULES_PATH else TABLE_LIMIT if is_beside(path) else FILE_LIMIT


def is_view_folder(path: str) -> bool:
    """Is this where the folder of a view is, or that of all of them?"""
    return f"{path}/" == VIEWS_FOLDER or (path.startswith(VIEWS_FOLDER) and path.count("/") == 1)


class Sum:
    """Adds up what contents have, each once; what goes beyond the limit has no room, and nothing after it has."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._has_room: dict[str, bool] = {}

    def has_room(self, content: str, size: int) -> bool:
        """Is there room for this content, by its id? In the order of the paths."""
        if content not in self._has_room:
            self._left -= size
            self._has_room[content] = self._left >= 0
        return self._has_room[content]


def concerns(path: str, kind: Kind) -> bool:
    """Does this entry belong to the configuration, or look as if its editor thought that it does?"""
    if kind != "file":
        return is_read(path) or f"{below_view(path)}/".startswith(ROWS_FOLDER) or is_view_folder(path)
    return is_read(path) or _is_stray(path)


def file_problems(files: Iterable[File], *, was_served: bool = False) -> Iterator[Problem]:
    """What is wrong with the files themselves; that paths differ in how Unicode spells them is passed over in what an
    earlier version served, which knew no such rule.
    """
    by_folded: dict[str, str] = {}
    total = Sum(TOTAL_LIMIT)
    for number, file in enumerate(files, 1):
        twin = by_folded.setdefault(file.path.casefold() if was_served else _folded(file.path), file.path)
        if twin != file.path and any(map(is_read, (twin, file.path))):
            by_what = "case" if file.path.casefold() == twin.casefold() else "how Unicode spells them"
            message = f"{file.path} and {twin} differ only in {by_what}"
            yield Problem(file.path, 1, 1, "case-twin", message, "join the two, and delete one")
        elif _is_stray(file.path) and file.kind == "file":
            yield _stray(file.path)
        if number == FILES_LIMIT + 1:
            yield Problem(file.path, 1, 1, "too-large", f"the configuration has more than {FILES_LIMIT:,} CSV files")
        counts = file.kind == "file" and is_read(file.path) and file.size <= size_limit(file.path)
        if counts and not total.has_room(file.blob or file.path, file.size):
            yield _too_large(file.path, f"all files together have more than {TOTAL_LIMIT:,} bytes")
        else:
            yield from _own_problems(file)


def misplaced_tables(paths: Iterable[str]) -> Iterator[Problem]:
    """Of files that are read as rows, and have none, those with the name of a table for the top, or for a view."""
    for path in paths:
        name = path.rpartition("/")[2].casefold()
        if name in OTHER_TABLES:
            home = in_view(view_of(path), name) if name == EXPECTATIONS_PATH else name
            where = "at the top" if home == name else f"in {home.removesuffix(name)}"
            message = f"only {name} {where} is read as such, and what is below {ROWS_FOLDER} as rows"
            yield Problem(path, 1, 1, "stray-csv", message, f"move it to {home}", severity="warning")


def line_problems(sizes: Iterable[tuple[File, int]]) -> Iterator[Problem]:
    """The files of rows, with the lines of each, that have too many of them together; in the order of their paths."""
    total = Sum(LINES_LIMIT)
    for file, lines in sizes:
        if not total.has_room(file.blob or file.path, lines):
            yield _too_large(file.path, f"all files together have more than {LINES_LIMIT:,} lines")


def _too_large(path: str, message: str) -> Problem:
    return Problem(path, 1, 1, "too-large", message, "delete what the map does not need")


def _folded(path: str) -> str:
    """The path as file systems compare it that know neither case nor which form of Unicode is written (NFC or NFD)."""
    return path.casefold() if path.isascii() else composed(composed(path).casefold())


def _own_problems(file: File) -> Iterator[Problem]:
    if beyond := _BEYOND.get(file.kind):
        yield Problem(file.path, 1, 1, "too-large", beyond, "keep elsewhere what the map does not need")
    elif file.kind == "symlink":
        yield Problem(file.path, 1, 1, "symlink", "a symbolic link is not followed", "commit the file itself")
    elif file.kind == "submodule":
        yield Problem(file.path, 1, 1, "submodule", "a submodule is not read", "commit the files themselves")
    elif file.size > size_limit(file.path) and not _is_stray(file.path):
        what = RULES_PATH if file.path == RULES_PATH else "a file"
        message = f"{file.size:,} bytes are more than the {size_limit(file.path):,} that {what} may have"
        yield Problem(file.path, 1, 1, "too-large", message, _how_to_shrink(file.path))
    elif file.content is not None and b"\0" in file.content and (program := leftover(file.path)):
        yield Problem(file.path, 1, 1, "nul", f"this is {program}, not rows", _how_to_ignore(file.path))
    elif file.content is not None and file.content.count(b"\n") > LINES_LIMIT:
        message = f"the file has more than {LINES_LIMIT:,} lines"
        hint = "delete its blank lines" + ", or split it" * holds_rows(file.path)
        yield Problem(file.path, 1, 1, "too-large", message, hint)
    elif file.content is not None and file.content.startswith(_LFS_POINTER):
        hint = f"git lfs untrack {file.path}, then add it again"
        yield Problem(file.path, 1, 1, "lfs-pointer", "a Git LFS pointer stands where the rows should be", hint)


def leftover(path: str) -> str | None:
    """What left a file with a name like this beside a table, in words; None for any other file."""
    name = path.rpartition("/")[2]
    return next((what for start, what in _LEFTOVERS.items() if name.startswith(start)), None)


def _how_to_ignore(path: str) -> str:
    start = next(start for start in _LEFTOVERS if path.rpartition("/")[2].startswith(start))
    return f"delete it: git rm --cached {shlex.quote(path)}; a line {start}* in .gitignore keeps it out"


def _how_to_shrink(path: str) -> str:
    home = in_view(view_of(path), ROWS_FOLDER)
    return f"split it into files below {home}" if holds_rows(path) else "delete what is not needed"


def _is_stray(path: str) -> bool:
    hidden = any(part.startswith(".") for part in path.split("/"))
    is_table = path.casefold().endswith(".csv") and not is_read(path)
    is_lock = path.rpartition("/")[2].startswith(".~lock.") and path.endswith(".csv#")
    return (is_table and not hidden) or is_lock or (path.casefold() == RULES_PATH and path != RULES_PATH)


def _stray(path: str) -> Problem:
    if what := leftover(path):
        return Problem(path, 1, 1, "stray-csv", f"this is {what}", _how_to_ignore(path), severity="warning")
    meant = _in_views_folder(path)
    home, inner = in_view(view_of(meant), ""), below_view(meant)
    name = inner.rpartition("/")[2]
    if name.casefold() in _SINGLE:
        single = name.casefold()
        home = home if single == EXPECTATIONS_PATH else ""
        message = f"only {home}{single}{' at the top' * ('/' in path and not home)} is read"
        is_elsewhere = path.rpartition("/")[0] != f"{home}{single}".rpartition("/")[0]
        hint = f"{_how(is_elsewhere)} it to {home}{single}"
        return Problem(path, 1, 1, "stray-csv", message, hint, severity="warning")
    folded = inner[:-4] + ".csv" if is_rows(inner[:-4] + ".csv") else inner.casefold()
    if not is_rows(folded):
        folded = f"{ROWS_FOLDER}{ROWS_PATH if name.casefold() == ROWS_PATH else f'{name[:-4]}.csv'}"
    message = f"only {home}{ROWS_PATH} and {home}{ROWS_FOLDER}**/*.csv are read"
    is_elsewhere = path.rpartition("/")[0].casefold() != f"{home}{folded}".rpartition("/")[0].casefold()
    hint = f"{_how(is_elsewhere)} it to {home}{folded}"
    return Problem(path, 1, 1, "stray-csv", message, hint, severity="warning")


def _in_views_folder(path: str) -> str:
    """The path in the folder of a view that was meant, such as views/edge/locations.csv for Views/edge/locations.csv
    and for views/edge.csv; any other as it is. Rows of a view are not to be moved to the map at the top.
    """
    folder, _, rest = path.partition("/")
    if folder.casefold() not in _NEARLY_VIEWS:
        return path
    if "/" in rest:
        return f"{VIEWS_FOLDER}{rest}"
    return path if rest.casefold() in (ROWS_PATH, *OTHER_TABLES) else in_view(rest[:-4], ROWS_PATH)


def _how(is_elsewhere: object) -> str:
    return "move" if is_elsewhere else "rename"
