"""What became of a change, as facts: what it would do, why it cannot be, or the commit that it is now."""

from __future__ import annotations

from ...edits.change_request import Attempt
from ...edits.warned_rows import WarnedRow
from ...gate.as_json import verdict_fields
from ...history.commit_text import commit_fields
from ...problems import Problem
from ...text import count, shorten
from ..edge.faults import Fault
from ..pages.resources import Facts

TOLD_FIRST = (
    "plan",
    "problems",
    "errors",
    "counts",
    "is_cut",
    "warnings",
    "limits",
    "owners",
    "touched",
    "more_owners",
)
"""Facts of the verdict that stand beside it; the others are in it."""


def attempt_fields(attempt: Attempt) -> Facts:
    """All of it."""
    found = attempt.preview
    verdict = verdict_fields(found.verdict)
    first = {name: verdict.pop(name) for name in TOLD_FIRST}
    return {
        "tip": found.tip.id,
        "branch": attempt.branch or found.branch,
        "commit": attempt.commit,
        "for_review": found.for_review,
        "message": found.message,
        "proposed": found.default,
        **first,
        "warnings": list(map(_warning_fields, found.verdict.warnings, found.warned)),
        "verdict": verdict,
        "refusal": list(map(shorten, found.refusal)),
        "may_land": found.may_land,
        "came": [commit_fields(commit) for commit in attempt.came],
        "others": attempt.others,
        "warning": attempt.warning,
        "remote": attempt.remote,
        "link": attempt.link,
    }


def _warning_fields(problem: Problem, row: WarnedRow) -> Facts:
    """A warning with its row; where that is one of an uploaded file, the hint names its line there."""
    told: Facts = problem.fields()
    hint = told["hint"]
    if hint and row.line:
        hint = hint.replace(f"delete line {problem.line}", f"delete line {row.line}")
    return {**told, "hint": hint, "row": row.text or None, "uploaded_line": row.line}


def fault_in(attempt: Attempt, *, is_confirmed: bool) -> Fault | None:
    """Why there is no commit where one was wanted, or why there can be none."""
    found, verdict = attempt.preview, attempt.preview.verdict
    if attempt.is_stale:
        here = f"it is at {found.tip.id[:10]} now"
        came = f"{count(attempt.others, 'commit')} came meanwhile" if attempt.others else here
        message = f"{found.branch} has moved since you saw it: {came}, and nothing of yours was made"
        hint = "this is its impact now; commit it again" if verdict.plan else "correct it, and preview again"
        return Fault(409, message, hint)
    if verdict.errors:
        return Fault(422, f"the map would have {count(verdict.errors, 'error')}")
    if not is_confirmed or attempt.commit:
        return None
    if verdict.excess and not verdict.missing:
        return Fault(422, "change limit exceeded", "give a reason, and commit again")
    if verdict.missing:
        hint = "end the message, after an empty line, with the lines below"
        return Fault(422, "approval required", hint)
    return Fault(422, "it would be rejected", "the reasons are below")
