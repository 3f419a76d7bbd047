"""Problems as GitHub and GitLab show them beside the lines of a change.

GitHub reads commands from what a step prints (GitHub Docs, "Workflow commands for GitHub Actions", the forms of its
toolkit for what must be escaped); Forgejo and Gitea pass over them. GitLab reads a file (GitLab Docs, "Code Quality",
"Implement a custom tool").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...problems import Fields, Problem
from ...text import escape
from .problem_reports import Report

_IN_TEXT = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTIES = _IN_TEXT | str.maketrans({":": "%3A", ",": "%2C"})
_SEVERITIES = {"error": "major", "warning": "minor"}


def github_lines(reports: Iterable[Report]) -> Iterator[str]:
    """A workflow command for each problem."""
    for problem, _, _ in reports:
        place = {"file": problem.path, "line": problem.line, "col": problem.column, "title": problem.code}
        properties = ",".join(f"{name}={escape(str(value)).translate(_IN_PROPERTIES)}" for name, value in place.items())
        yield f"::{problem.severity} {properties}::{said(problem).translate(_IN_TEXT)}"


def gitlab_fields(reports: Iterable[Report]) -> list[Fields]:
    """A Code Quality report; a fingerprint is that of one issue, so that GitLab can tell new ones from old ones."""
    return [
        {
            "description": said(problem),
            "check_name": problem.code,
            "fingerprint": fingerprint,
            "severity": _SEVERITIES[problem.severity],
            "location": {"path": escape(problem.path), "lines": {"begin": problem.line}},
        }
        for problem, fingerprint, _ in reports
    ]


def said(problem: Problem) -> str:
    """The message, and the hint in a line of its own."""
    hint = f"\nhint: {escape(problem.hint)}" if problem.hint else ""
    return escape(problem.message) + hint
