"""A problem for programs, as `/status` and `check --format json` tell it."""

from __future__ import annotations

from .problems import Problem

Fields = dict[str, object]


def problem_fields(problem: Problem) -> Fields:
    """Where it is, and what."""
    return {
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "hint": problem.hint,
    }
