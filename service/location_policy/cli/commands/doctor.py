"""`location-policy doctor`: what is wrong with a repository, and the mend for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from ...errors import NotARepository
from ...repository.remote.credentials import RemoteAccess
from ...repository.remote.url import is_url
from ...rollout.doctor import Finding, examine, examine_new_state
from ...rollout.remote_doctor import examine_remote
from ...text import count, escape, without_secrets
from ..terminal.default_paths import asked_place, asked_state
from ..terminal.exit_status import NO


def doctor(
    repo: str | None,
    state_dir: Path | None,
    form: str,
    branch: str | None = None,
    access: RemoteAccess | None = None,
) -> int:
    """Print what was looked at, and what to do about what is not fine; the exit status. Raises LocationPolicyError."""
    if repo is not None and is_url(repo):
        shown = without_secrets(repo)
        found = _of_remote(repo, state_dir, branch, access or RemoteAccess())
    else:
        place = asked_place(repo, state_dir)
        shown, found = str(place.repository), examine(place.repository, place.state)
    findings = []
    for finding in found:
        findings.append(finding)
        if form == "text":
            print(_text(finding))
    wrong = sum(finding.mend is not None for finding in findings)
    if form == "json":
        print(json.dumps(_fields(shown, findings), indent=2))
    print(f"{count(wrong, 'problem')} to fix" if wrong else "no problems", file=sys.stderr)
    return NO if wrong else 0


def _of_remote(url: str, state_dir: Path | None, branch: str | None, access: RemoteAccess) -> Iterator[Finding]:
    """What there is to say about a remote, and about the copy of it, if a service has made one."""
    yield from examine_remote(url, branch, access)
    try:
        place = asked_place(url, state_dir)
    except NotARepository as error:
        yield Finding("copy", f"{error.message}; serve makes one")
        yield from examine_new_state(asked_state(url, state_dir))
        return
    yield from examine(place.repository, place.state, is_mirror=True)


def _text(finding: Finding) -> str:
    mend = f"\n  fix: {escape(finding.mend)}" if finding.mend else ""
    return f"{'to fix' if finding.mend else 'fine':6}  {finding.topic}: {escape(finding.said)}{mend}"


def _fields(repository: str, findings: list[Finding]) -> dict[str, object]:
    return {
        "repository": repository,
        "fine": all(finding.mend is None for finding in findings),
        "findings": [
            {"topic": one.topic, "fine": one.mend is None, "said": one.said, "mend": one.mend} for one in findings
        ],
    }
