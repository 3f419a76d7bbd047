"""`location-policy check`: validate a working copy or a commit."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from ..coverage import coverage
from ..errors import InvalidConfiguration
from ..location_map import LocationMap, load_map
from ..problems import Problem, count, errors_in
from ..repository import Commit, open_repository
from ..working_copy import read_folder
from .rim import NO


def check(folder: Path, repository: Path | None, revision: str | None, *, covers: bool = False) -> int:
    """Print every problem, with `covers` also what expectations cover, and how many problems; the exit status."""
    lines: Iterable[str] = ()
    try:
        location_map, _ = load(folder, repository, revision)
        problems, size = location_map.warnings, f"{_size(location_map)}: "
        lines = coverage(location_map).lines() if covers else ()
    except InvalidConfiguration as error:
        problems, size = error.problems, ""
    for line in (*problems, *lines):
        print(line)
    print(size + _count(problems), file=sys.stderr)
    return NO if errors_in(problems) else 0


def load(folder: Path, repository: Path | None, revision: str | None) -> tuple[LocationMap, Commit | None]:
    """The map of a working copy, or of a commit and that commit.

    A revision without a repository is one of the folder's; a repository without a revision means its served branch.
    """
    if repository is None and revision is None:
        return load_map(read_folder(folder)), None
    with open_repository(repository or folder) as opened:
        commit = opened.find_commit(revision or opened.served_ref(opened.settings()))
        return load_map(opened.files(opened.entries(commit))), commit


def _size(location_map: LocationMap) -> str:
    rows = count(location_map.size, "subnet")
    return f"{rows} in {count(len(location_map.files), 'file')}"


def _count(problems: tuple[Problem, ...]) -> str:
    errors = len(errors_in(problems))
    warnings = len(problems) - errors
    parts = [count(errors, "error")] * bool(errors) + [count(warnings, "warning")] * bool(warnings)
    return ", ".join(parts) or "no problem"
