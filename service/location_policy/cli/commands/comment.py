"""`location-policy comment`: the plan of a pull request, or why it is not valid, as one comment on it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ...errors import NoAnswer
from ...integrations.forges.pull_request_comment import LONGEST, put_comment, review_of
from ...integrations.forges.pull_request_text import invalid_text, plan_text
from ...integrations.http_client import trust
from ...plan.as_markdown import MARKER


def comment(path: Path, ca: Path | None, *, is_invalid: bool = False) -> None:
    """Let the pull request have one comment, made of this file; where that is not allowed, show it elsewhere.

    The file has the plan, or, where the commit `is_invalid`, what is wrong with it.
    """
    said = path.read_text(encoding="utf-8", errors="replace")
    text = invalid_text(said, os.environ) if is_invalid else plan_text(said, os.environ)
    if len(text) + len(MARKER) >= LONGEST:
        raise NoAnswer(f"{path} has {len(said):,} characters, more than the {LONGEST:,} of a comment")
    review = review_of(os.environ)
    outcome = put_comment(review, text, trust(ca)) if review else "not allowed"
    if outcome == "not allowed":
        _show(text)
    else:
        print(f"comment {outcome}", file=sys.stderr)


def _show(text: str) -> None:
    """In the summary of the run, where the forge has one; else in its log."""
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    why = "this job may not comment, as is usual for a fork's"
    if not summary:
        print(f"location-policy: {why}; this would be the comment:", file=sys.stderr)
        print(text)
        return
    with Path(summary).open("a", encoding="utf-8") as file:
        file.write(f"{text}\n")
    print(f"location-policy: {why}; the plan is in the summary of the run", file=sys.stderr)
