"""`location-policy pre-receive`: what the hook runs. It ends with 0 only when it is sure."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ...errors import LocationPolicyError
from ...gate.forge import Manner, manner_of
from ...gate.judge import Verdict
from ...gate.pre_receive import judge
from ...gate.pusher import pusher
from ...gate.ref_updates import parse_updates, push_options
from ...problems import escape
from ...repository.repository import open_pushed_repository
from ..terminal.exit_status import NO, words


def pre_receive() -> int:
    """Judge the push on standard input for the repository in GIT_DIR; the exit status."""
    manner = manner_of(os.environ)
    verdict = _judge(manner)
    for line in verdict.lines if verdict.accepted else manner.refusal(verdict.lines):
        print(line, file=sys.stderr)
    return 0 if verdict.accepted else NO


def _judge(manner: Manner) -> Verdict:
    try:
        pushed = parse_updates(sys.stdin.buffer.read())
        updates = [one for one in pushed if not (manner.makes_pull_requests and one.is_dry_run)]
        if pushed and not updates:
            return Verdict(True)
        with open_pushed_repository(Path(os.environ.get("GIT_DIR", "."))) as repository:
            return judge(updates, repository, push_options(os.environ), manner.is_late, pusher(os.environ))
    except LocationPolicyError as error:
        return Verdict(False, tuple(words(error)))
    except Exception as error:  # noqa: BLE001  the rim of the hook: whatever went wrong, the push is refused
        return Verdict(False, (f"location-policy: the push could not be judged: {escape(repr(error)[:200])}",))
