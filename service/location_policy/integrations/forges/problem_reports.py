"""A problem with what a forge asks besides: is it the same as yesterday, and does it stand in a line that was changed?

A line counts as changed when the file that it is compared with has no such line. So a row that was only moved is none,
and no two texts need to be laid side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from ...config.csv_lines import split_lines
from ...config.files import File
from ...problems import Problem

Lines = Mapping[str, Sequence[bytes]]
"""The lines of files, by their paths."""


class Report(NamedTuple):
    """One problem."""

    problem: Problem
    fingerprint: str
    """Of path, code and the text of the line: it stays when lines come or go above."""
    is_touched: bool | None = None
    """Does it stand in a line that was changed? None: there is nothing to compare with."""


def make_reports(problems: Iterable[Problem], files: Iterable[File], base: Iterable[File] | None) -> list[Report]:
    """The problems, errors first; where there is a base, of errors and of warnings those in lines that it has not."""
    lines = _lines_of(files)
    before = None if base is None else {path: frozenset(found) for path, found in _lines_of(base).items()}
    seen = Counter[tuple[str, str, bytes]]()
    reports = []
    for problem in problems:
        text = _line(lines, problem)
        key = problem.path, problem.code, text
        is_touched = None if before is None else text not in before.get(problem.path, ())
        reports.append(Report(problem, _fingerprint(*key, seen[key]), is_touched))
        seen[key] += 1
    return sorted(reports, key=lambda report: (report.problem.severity != "error", report.is_touched is False))


def _lines_of(files: Iterable[File]) -> Lines:
    """What has no content, a link say, is a file of one empty line."""
    return {file.path: [line.rstrip(b"\r") for line in split_lines(file.content or b"")] for file in files}


def _line(lines: Lines, problem: Problem) -> bytes:
    found = lines.get(problem.path, ())
    return found[problem.line - 1] if problem.line <= len(found) else b""


def _fingerprint(path: str, code: str, text: bytes, number: int) -> str:
    parts = (path.encode(errors="surrogateescape"), code.encode(), text.strip(), b"%d" % number)
    return sha256(b"\0".join(parts)).hexdigest()
