"""Problems as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"), which code scanning tools read."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from ... import __version__
from ...problems import CODES, Fields, Severity
from .annotations import said
from .problem_reports import Report

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "off": "none"}


def sarif_fields(reports: Iterable[Report]) -> Fields:
    """A whole log with one run: every code as a rule, every problem as a result."""
    driver = {"name": "location-policy", "version": __version__, "rules": [_rule(code) for code in CODES]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(report) for report in reports],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> Fields:
    meaning, severity, adjustable = CODES[code]
    how = '[checks] in policy.toml can make it "error", "warning" or "off"' if adjustable else "always an error"
    return {
        "id": code,
        "shortDescription": {"text": meaning},
        "help": {"text": f"{meaning}: {how}."},
        "defaultConfiguration": {"level": _LEVELS[severity]},
    }


def _result(report: Report) -> Fields:
    problem, fingerprint, is_touched = report
    uri = quote(problem.path.encode(errors="surrogateescape"))
    region = {"startLine": problem.line, "startColumn": problem.column}
    result: Fields = {
        "ruleId": problem.code,
        "level": _LEVELS[problem.severity],
        "message": {"text": said(problem)},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}],
        "partialFingerprints": {"line/v1": fingerprint},
    }
    return result if is_touched is None else {**result, "properties": {"touched": is_touched}}
