"""`location-policy fmt`: files of rows in their canonical form, and overflow said once for all of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ...config.files import ROWS_FOLDER, ROWS_PATH, RULES_PATH, File, holds_rows
from ...config.formatting import canonical_text
from ...config.row_file import LineCache, read_rows
from ...config.validate import load_map
from ...edits.overflow_table import lift_overflow
from ...errors import InvalidConfiguration, LocationPolicyError, NoSuchFolder
from ...problems import SHOWN, Problem, errors_in
from ...repository.working_copy import read_configuration
from ...runtime.atomic_file import replace_file
from ...text import count, escape
from ..terminal.exit_status import NO

_WHERE = f"rows are in {ROWS_PATH} and below {ROWS_FOLDER}"


def fmt(paths: Sequence[Path], *, check: bool) -> int:
    """Write every file of rows that is asked for in its canonical form, with `check` only say which; the exit status.

    A file with an error is left alone, and its errors are printed. Raises LocationPolicyError, and OSError.
    """
    refused, changed, looked_at = 0, 0, 0
    for root, asked in _by_root(paths).items():
        files = read_configuration(root)
        rows = [file for file in files if holds_rows(file.path)]
        if not rows:
            raise NoSuchFolder(f"there is no file of rows in {root}", _WHERE)
        wrong = _errors(files)
        for file in (file for file in rows if not asked or file.path in asked):
            looked_at += 1
            errors = [problem for problem in wrong if problem.path == file.path]
            _tell_errors(errors)
            refused += bool(errors)
            changed += not errors and _format(root, file, check=check)
    verb = "would change" if check else "changed"
    left = f", {count(refused, 'file')} with errors left alone" * bool(refused)
    print(f"{changed:,} of {count(looked_at, 'file')} {verb}{left}", file=sys.stderr)
    if check and changed:
        print("  hint: location-policy fmt", file=sys.stderr)
    return NO if refused or (check and changed) else 0


def lift(paths: Sequence[Path], *, check: bool) -> int:
    """Say the overflow locations of rows in the table of `policy.toml`, as far as all rows of a location say the same;
    with `check` only say where. The exit status.

    What has an error is left alone. Raises LocationPolicyError, and OSError.
    """
    refused = changed = 0
    for root in paths:
        if root.is_file():
            hint = f"name the folder: location-policy fmt --overflow-table {_root(root.absolute())}"
            raise LocationPolicyError(f"{root} is a file, and the table is for all files of a map", hint)
        try:
            found = lift_overflow(read_configuration(root))
        except InvalidConfiguration as error:
            wrong = errors_in(error.problems)
            _tell_errors(wrong)
            print(f"{root} is left alone: {count(len(wrong), 'error')}", file=sys.stderr)
            refused += 1
            continue
        for path, content in found.contents.items():
            if not check:
                replace_file(root / path, content)
            print(f"{'would write' if check else 'wrote'} {escape(path)}")
        where = f"{count(found.rows, 'row')} of {count(found.locations, 'location')}"
        verb = "would take" if check else "took"
        print(f"{where} {verb} {'its' if found.rows == 1 else 'their'} overflow from {RULES_PATH}", file=sys.stderr)
        changed += bool(found.contents)
    if check and changed:
        print("  hint: location-policy fmt --overflow-table", file=sys.stderr)
    return NO if refused or (check and changed) else 0


def _tell_errors(errors: Sequence[Problem]) -> None:
    for problem in errors[:SHOWN]:
        print(problem)
    if len(errors) > SHOWN:
        print(f"… and {len(errors) - SHOWN:,} more: location-policy check --all")


def _by_root(paths: Iterable[Path]) -> Mapping[Path, set[str]]:
    """The files asked for, by the folder of their configuration; none: all of them."""
    roots: dict[Path, set[str]] = {}
    for path in paths:
        if path.is_file():
            root = _root(path.absolute())
            asked = roots.setdefault(root, set())
            asked.add(path.absolute().relative_to(root).as_posix())
        else:
            roots[path] = set()
    return roots


def _root(path: Path) -> Path:
    """The folder of the configuration to which a file belongs."""
    roots = [folder for folder in path.parents if holds_rows(path.relative_to(folder).as_posix())]
    if not roots:
        raise LocationPolicyError(f"{path} is not a file of rows", _WHERE)
    marks = (RULES_PATH, ".git")
    return next((folder for folder in roots if any((folder / mark).exists() for mark in marks)), roots[-1])


def _errors(files: Sequence[File]) -> Sequence[Problem]:
    try:
        load_map(files, sys.maxsize)  # what has an error must not be written anew
    except InvalidConfiguration as error:
        return errors_in(error.problems)
    return ()


def _format(root: Path, file: File, *, check: bool) -> bool:
    """Was it, or would it be, changed?"""
    assert file.content is not None  # of a file without one there is an error
    text = canonical_text(read_rows(file.path, file.content, LineCache()))
    if text == file.content:
        return False
    if check:
        print(f"{escape(file.path)}:{_first_difference(file.content, text)}: not in canonical form")
    else:
        replace_file(root / file.path, text)
        print(f"wrote {escape(file.path)}")
    return True


def _first_difference(one: bytes, other: bytes) -> int:
    """The first line, 1-based, at which two texts that are not alike part."""
    lines, others = one.split(b"\n"), other.split(b"\n")
    pairs = enumerate(zip(lines, others, strict=False), 1)
    return next((number for number, (line, now) in pairs if line != now), min(len(lines), len(others)))
