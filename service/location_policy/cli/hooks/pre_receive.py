"""`location-policy pre-receive`: what the hook runs. It ends with 0 only when it is sure.

A push may cost so much and no more: of seconds, which grow with what git has received, and of memory. The hook writes
nothing but who has pushed, and what is overridden or refused, so it can be ended anywhere.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from ...errors import LocationPolicyError, RepositoryError, TooCostly
from ...gate.forge import HookEnvironment, hook_environment_of
from ...gate.messages import verdict_lines
from ...gate.pre_receive import failed_push, judge, judged_push, note_overrides
from ...gate.push_log import Push, log_push
from ...gate.push_notes import note_push
from ...gate.pusher import pusher
from ...gate.ref_updates import Update, parse_updates, push_options
from ...gate.verdict import Verdict
from ...repository.repository import open_pushed_repository
from ...text import escape
from ..terminal.exit_status import NO, words

SECONDS = 25.0
"""Seconds that judging a push may take: of the 30 that it may cost, git has its share."""
SECONDS_PER_MB = 25.0
"""Seconds more for each megabyte that has come: a map of a million rows comes in three, and takes ten to fifty."""
MEMORY = 2 * 1024 * 1024 * 1024
"""Bytes that judging may take: a map of two million rows takes 1.4 GB."""


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
    pushed: Sequence[Update] = ()
    by = ""
    try:
        pushed = parse_updates(sys.stdin.buffer.read())
        updates = [one for one in pushed if not (hook_environment.makes_pull_requests and one.is_dry_run)]
        if pushed and not updates:
            return True, ()
        _limit_memory()
        with open_pushed_repository(Path(os.environ.get("GIT_DIR", "."))) as repository:
            by = pusher(os.environ, repository, named)
            verdict = judge(updates, repository, push_options(os.environ), hook_environment.is_late, by, _limit_time)
            lines = tuple(verdict_lines(verdict))
            signal.setitimer(signal.ITIMER_REAL, 0)
            if verdict.accepted:
                _note(verdict, by)
            _leave_trace(lambda: judged_push(verdict, repository, by, datetime.now(UTC)))
            return verdict.accepted, lines
    except LocationPolicyError as error:
        lines = tuple(words(error))
    except MemoryError:
        message = f"the push takes more than {MEMORY >> 30} GiB to be judged"
        lines = tuple(words(TooCostly(message, "push fewer commits at a time, or a smaller map")))
    except Exception as error:  # noqa: BLE001  the top level of the hook: after any error the push is refused
        lines = (f"location-policy: the push could not be judged: {escape(repr(error)[:200])}",)
    _leave_trace(lambda: failed_push(pushed, by, lines[0], datetime.now(UTC)))
    return False, lines


def _leave_trace(push_of: Callable[[], Push | None]) -> None:
    """Log the push; that it cannot be logged changes no verdict."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    with suppress(Exception):
        if push := push_of():
            log_push(Path(os.environ.get("GIT_DIR", ".")), push)


def _note(verdict: Verdict, by: str) -> None:
    """Note what is overridden, and who pushes; where the first cannot be, post-receive tries again, and tells so."""
    directory, at = Path(os.environ.get("GIT_DIR", ".")), datetime.now(UTC)
    if not os.access(directory / "refs", os.W_OK):  # as where a server shows the repository to its hooks, and no more
        return
    with suppress(RepositoryError), open_pushed_repository(directory, quarantine=False) as repository:
        note_overrides(verdict, repository, by, at)
        note_push(verdict, repository, by, at)


def _limit_memory() -> None:
    """Let this process take no more than `MEMORY`, or than what the server lets it take."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    with suppress(OSError, ValueError):  # a system that has no such limit
        resource.setrlimit(
            resource.RLIMIT_DATA, (MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard), hard)
        )


def _limit_time(settings: Mapping[str, str]) -> None:
    """Raise TooCostly here when the time is over; the repository's config may give more of it."""
    given = settings.get("judgeseconds", "")
    seconds = float(given) if given.isdecimal() and int(given) else SECONDS
    received = Path(os.environ.get("GIT_QUARANTINE_PATH", os.devnull)).rglob("*")
    seconds += SECONDS_PER_MB * sum(path.stat().st_size for path in received) / 1_000_000

    def end(_number: int, _frame: FrameType | None) -> None:
        hint = "push fewer commits at a time, or on the server: git config location-policy.judgeSeconds 120"
        raise TooCostly(f"the push could not be judged in {seconds:.0f} s", hint)

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
