"""`location-policy doctor`: what is wrong with a repository, and the mend for it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ...repository.remote.url import is_url
from ...rollout.doctor import Finding, examine
from ...text import count, escape, without_secrets
from ..terminal.default_paths import asked_place
from ..terminal.exit_status import NO


def doctor(repo: str | None, state_dir: Path | None, form: str) -> int:
    """Print what was looked at, and what to do about what is not fine; the exit status. Raises LocationPolicyError."""
    is_mirror = repo is not None and is_url(repo)
    place = asked_place(repo, state_dir)
    findings = []
    for finding in examine(place.repository, place.state, is_mirror=is_mirror):
        findings.append(finding)
        if form == "text":
            print(_text(finding))
    wrong = sum(finding.mend is not None for finding in findings)
    if form == "json":
        shown = without_secrets(repo) if repo and is_mirror else str(place.repository)
        print(json.dumps(_fields(shown, findings), indent=2))
    print(f"{count(wrong, 'thing')} to mend" if wrong else "all is well", file=sys.stderr)
    return NO if wrong else 0


def _text(finding: Finding) -> str:
    mend = f"\n  mend: {escape(finding.mend)}" if finding.mend else ""
    return f"{'to mend' if finding.mend else 'fine':7}  {finding.topic}: {escape(finding.said)}{mend}"


def _fields(repository: str, findings: list[Finding]) -> dict[str, object]:
    return {
        "repository": repository,
        "fine": all(finding.mend is None for finding in findings),
        "findings": [
            {"topic": one.topic, "fine": one.mend is None, "said": one.said, "mend": one.mend} for one in findings
        ],
    }
