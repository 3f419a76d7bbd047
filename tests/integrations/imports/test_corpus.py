"""One text at `check`, the hook, the upload page and `import`: the same rows, or problems at the same lines.

Two doors read more forms than a commit may have: other separators, UTF-16, a heading, rows of blank cells. There
`check` and the hook say how the line is to be written. That is followed first, and what comes of it is what the others
have read.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from location_policy.config.files import File
from location_policy.config.row import parse_line, row_of
from location_policy.config.row_file import LineCache, read_rows
from location_policy.config.validate import load_map
from location_policy.edits.uploaded_table import read_upload
from location_policy.errors import InvalidConfiguration, LocationPolicyError
from location_policy.gate.pre_receive import judge
from location_policy.gate.ref_updates import Update
from location_policy.integrations.imports.foreign_tables import read_tables
from location_policy.plan.new_problems import Told, take_fresh
from location_policy.problems import Problem, errors_in
from location_policy.repository.repository import open_pushed_repository
from tests.integrations.imports.corpus import corpus
from tests.support.repositories import SYDNEY, commit_series, make_repository, tip

CORPUS = dict(corpus())
PATH = "locations.csv"
NO_TABLES = [
    (b"PK\x03\x04\x14\0\xff[Content_Types].xml", "an Excel workbook (.xlsx)"),
    (b"PK\x03\x04\x14\0\xffmimetypeapplication/vnd.oasis.opendocument.spreadsheet", "a LibreOffice workbook (.ods)"),
    (b"PK\x03\x04\x14\0\xffnotes.txt", "a ZIP archive or an Excel workbook (.xlsx)"),
    (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "a picture (JPEG)"),
    (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF"),
]
Line = tuple[tuple[str, ...], str]


class Door(NamedTuple):
    """What a door makes of a file: rows, and what it says, by line."""

    rows: dict[int, Line]
    said: dict[int, set[str]]
    passes_over: frozenset[int] = frozenset()


def errors_of(content: bytes) -> list[Problem]:
    """What `check` refuses."""
    try:
        load_map([File(PATH, "file", len(content), "", content)])
    except InvalidConfiguration as error:
        return list(errors_in(error.problems))
    return []


def gate(content: bytes) -> Door:
    """What a commit of this file is."""
    said: dict[int, set[str]] = {}
    for problem in errors_of(content):
        said.setdefault(problem.line, set()).add(problem.code)
    rows = read_rows(PATH, content, LineCache()).rows()
    return Door({line: (row.names, str(row.network)) for line, row in rows if line not in said}, said)


def uploaded(content: bytes) -> Door:
    upload = read_upload(PATH, content, LineCache())
    said: dict[int, set[str]] = {}
    for problem in upload.errors((), ()):
        said.setdefault(problem.line, set()).add(problem.code)
    rows = {line: (row.names, str(row.network)) for line, row in upload.file.rows() if line not in said}
    has_heading = any(form.startswith("Column names") for form in upload.forms)
    return Door(rows, said, frozenset({1} if has_heading else ()))


def imported(content: bytes) -> Door:
    tables = read_tables([(PATH, content)], None)
    said: dict[int, set[str]] = {}
    for problem in tables.problems:
        said.setdefault(problem.line, set()).add(problem.code)
    lines = {network: int(place.rpartition(":")[2]) for network, place in tables.places.items()}
    return Door({lines[row.network]: (row.names, str(row.network)) for row in tables.rows[PATH]}, said)


def as_told(content: bytes) -> bytes:
    """The file once the hints of `check` about its form are followed; lines keep their numbers."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        content = content.decode("utf-16").encode()
    lines = content.split(b"\n")
    for problem in errors_of(content):
        how, _, row = (problem.hint or "").partition("write ")
        if problem.code == "wrong-separator" and not how and row_of(parse_line(row.encode())):
            lines[problem.line - 1] = row.encode()
        elif problem.code == "heading-row" or not lines[problem.line - 1].strip(b",; \t\r"):
            lines[problem.line - 1] = b""
    return b"\n".join(lines)


def test_the_corpus_has_150_files() -> None:
    assert len(CORPUS) >= 150


@pytest.mark.parametrize("name", CORPUS)
def test_upload_and_import_read_what_check_reads_or_name_the_same_line(name: str) -> None:
    content = CORPUS[name]
    refused, checked = gate(content).said, gate(as_told(content))
    for door in (uploaded(content), imported(content)):
        for line in (checked.rows.keys() | checked.said.keys() | door.rows.keys()) - second_lines(refused):
            row, said = checked.rows.get(line), door.said.get(line, set())
            is_same = door.rows.get(line) == row if row else line in door.passes_over
            assert is_same or said & (refused.get(line, said) if row else said), (line, door)


def second_lines(refused: dict[int, set[str]]) -> set[int]:
    """What stands below the beginning of a cell of two lines: it is told with that."""
    return {line + 1 for line, codes in refused.items() if "unbalanced-quote" in codes}


@pytest.mark.parametrize(("content", "what"), NO_TABLES)
def test_what_is_no_table_is_named_at_every_door(content: bytes, what: str) -> None:
    (problem,) = errors_of(content)
    assert problem.message == f"the file is {what}, not CSV"
    for read in (lambda: read_upload(PATH, content, LineCache()), lambda: read_tables([(PATH, content)], None)):
        with pytest.raises(LocationPolicyError, match=f"^{PATH} is {re.escape(what)}, not a CSV file$"):
            read()


def test_the_hook_says_what_check_says(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "map.git", {PATH: SYDNEY})
    old = tip(repository)
    commits = commit_series(repository, [{PATH: content} for content in CORPUS.values()])
    with open_pushed_repository(repository) as pushed:
        (move,) = judge([Update(old, commits[-1], "refs/heads/main")], pushed).moves
    said = {one.commit.id: list(map(str, one.errors)) for one in move.invalid}
    told: Told = Counter()
    for commit, content in zip(commits, CORPUS.values(), strict=True):
        errors = errors_of(content)
        assert (commit in said) == bool(errors)
        assert said.get(commit, []) == list(map(str, take_fresh(errors, told)))  # the same is told once in a push
