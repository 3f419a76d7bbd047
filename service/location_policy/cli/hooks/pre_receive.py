"""`location-policy pre-receive`: what the hook runs. It ends with 0 only when it is sure."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ...errors import LocationPolicyError
from ...gate.forge import HookEnvironment, hook_environment_of
from ...gate.messages import verdict_lines
from ...gate.pre_receive import judge
from ...gate.pusher import pusher
from ...gate.ref_updates import parse_updates, push_options
from ...repository.repository import open_pushed_repository
from ...text import escape
from ..terminal.exit_status import NO, words


def pre_receive(named: str | None = None) -> int:
    """Judge the push on standard input for the repository in GIT_DIR; the exit status.

    `named` is the variable in which the server that runs the hook has put the pusher's name.
    """
    hook_environment = hook_environment_of(os.environ)
    accepted, lines = _judge(hook_environment, named)
    for line in lines if accepted else hook_environment.refusal(lines):
        print(line, file=sys.stderr)
    return 0 if accepted else NO


def _judge(hook_environment: HookEnvironment, named: str | None) -> tuple[bool, Sequence[str]]:
    """Is the push taken, and what is its pusher told?"""
    try:
        pushed = parse_updates(sys.stdin.buffer.read())
        updates = [one for one in pushed if not (hook_environment.makes_pull_requests and one.is_dry_run)]
        if pushed and not updates:
            return True, ()
        with open_pushed_repository(Path(os.environ.get("GIT_DIR", "."))) as repository:
            by = pusher(os.environ, repository, named)
            verdict = judge(updates, repository, push_options(os.environ), hook_environment.is_late, by)
            return verdict.accepted, tuple(verdict_lines(verdict))
    except LocationPolicyError as error:
        return False, tuple(words(error))
    except Exception as error:  # noqa: BLE001  the top level of the hook: after any error the push is refused
        return False, (f"location-policy: the push could not be judged: {escape(repr(error)[:200])}",)
