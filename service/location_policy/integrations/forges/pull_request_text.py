"""The text of the comment on a pull request: the commits that it is about, then its plan, or why it is not valid.

Both are named by the variables of the job: GitHub, Gitea and Forgejo tell them in the event ("pull_request" in "Webhook
events"), GitLab in its predefined variables. HEAD of a job is often a merge that no reviewer has seen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...plan.as_markdown import MARKER
from ...text import count, shorten

SHOWN_LINES = 30
"""Lines of what `check` says that are told; the rest is counted."""
LONGEST_LINE = 500
"""Characters of one of them."""

_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def pull_request_of(environment: Mapping[str, str]) -> Mapping[str, Any]:
    """What the event says of the pull request; nothing where there is no event of one."""
    try:
        event = json.loads(Path(environment["GITHUB_EVENT_PATH"]).read_bytes())
        found = event["pull_request"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def plan_text(plan: str, environment: Mapping[str, str]) -> str:
    """The plan, with the commits that it is about before it, where the job knows them."""
    head, base = _commits(environment)
    if not head:
        return plan
    against = f", against `{base}`" if base else ""
    return f"{MARKER}\nCommit `{head}`{against}:\n\n{plan.removeprefix(MARKER).lstrip()}"


def invalid_text(problems: str, environment: Mapping[str, str]) -> str:
    """That the latest commit is not valid, and what `check` says of it; in place of a plan that holds no longer."""
    head, _ = _commits(environment)
    lines = [line.rstrip() for line in problems.splitlines() if line.strip()]
    what = f"Commit `{head}`" if head else "The latest commit"
    verdict = "is not valid" if lines else "could not be checked: the log of its job says why"
    told = "\n".join(_block(lines))
    return (
        f"{MARKER}\n**{what} {verdict}.** It would be rejected; what earlier commits of this request would have changed"
        f" counts no longer.\n\n{told}"
    )


def _block(lines: list[str]) -> Iterator[str]:
    """As code, in which a forge looks neither for markup nor for people to tell."""
    yield from (f"    {shorten(line, LONGEST_LINE)}" for line in lines[:SHOWN_LINES])
    if len(lines) > SHOWN_LINES:
        yield f"\n… and {count(len(lines) - SHOWN_LINES, 'line')} more: `location-policy check`"


def _commits(environment: Mapping[str, str]) -> tuple[str, str]:
    """The commit of the request and that which it goes to, short; empty what the job does not know."""
    if environment.get("GITLAB_CI"):
        names = ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "CI_COMMIT_SHA")
        head = next((environment[name] for name in names if environment.get(name)), "")
        return _short(head), _short(environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", ""))
    request = pull_request_of(environment)
    return _short(_id(request.get("head"))), _short(_id(request.get("base")))


def _id(side: object) -> str:
    return str(side.get("sha", "")) if isinstance(side, dict) else ""


def _short(commit: str) -> str:
    return commit[:10] if _ID.fullmatch(commit) else ""
