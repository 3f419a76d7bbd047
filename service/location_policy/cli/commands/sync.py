"""`location-policy sync`: have the source of a service looked at now, and say what became of it."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...errors import LocationPolicyError, NoAnswer, NotARepository
from ...integrations.http_client import Origin, Question, ask, trust
from ...rollout.sync.sync_file import holder, kept_sync
from ...runtime.writable import is_full, is_read_only, unwritable
from ...text import escape, precise_moment_text
from ..terminal.default_paths import asked_state
from ..terminal.exit_status import NO, NOT_ASKED
from ..terminal.progress import Progress
from ..terminal.service_access import ServiceAccess

PATH = "/api/v1/sync"
EACH = 20.0
"""Seconds for which one answer is waited for at most: a proxy in front may wait no longer."""
ROOM = 10.0
"""Seconds that an answer has beyond those for which it is waited."""
_HOW = (
    "name the --state-dir that serve was given: location-policy sync --state-dir /var/lib/location-policy; "
    "or ask it by --url http://127.0.0.1:8080"
)
STEP = 0.05
"""Seconds between two looks at the file in the state directory."""
Told = Mapping[str, Any]
"""What became of a look, as the service tells it; without a `result` it is not over."""


def sync(url: str | None, access: ServiceAccess, repo: str | None, state_dir: Path | None, seconds: float) -> int:
    """Print what became of it; the exit status. Without a `url` it is the service on this machine.

    Raises LocationPolicyError where it cannot be asked.
    """
    with Progress() as progress:
        progress.say("the source is looked at")
        told = _over_http(url, access, seconds) if url else _here(_state(repo, state_dir), seconds)
    return _tell(told, seconds)


def _state(repo: str | None, state_dir: Path | None) -> Path:
    try:
        return asked_state(repo, state_dir)
    except NotARepository as error:
        raise NotARepository(error.message, error.hint if repo else _HOW) from None


def _tell(told: Told, seconds: float) -> int:
    result, tip = told.get("result"), escape(str(told.get("tip") or "no commit"))[:10]
    if result == "in-force":
        print(f"active: {tip}")
        return 0
    if result is None:
        if not seconds:
            print("asked: the source is looked at now")
            return 0
        print(f"location-policy: not known after {seconds:g} s: see /status", file=sys.stderr)
        return NO
    print(f"{escape(str(result))}: {tip}: {told.get('message')}")
    if told.get("hint"):
        print(f"  hint: {told['hint']}")
    problems = told.get("problems") or []
    for problem in problems:
        print(f"{problem['path']}:{problem['line']}:{problem['column']}: {problem['code']}: {problem['message']}")
    if (more := told.get("total", 0) - len(problems)) > 0:
        print(f"… and {more:,} more")
    return NO if result in ("refused", "pinned", "waiting") else NOT_ASKED


def _here(state: Path, seconds: float) -> Told:
    """By SIGHUP, and by what the service then writes to its state directory."""
    process = holder(state)
    problem = unwritable(state)
    how = problem.mend if problem and is_read_only(state) else "run it as the user of the service"
    if process is None and problem:
        message = f"no service is seen that serves from {state}, which {problem.why}"
        raise LocationPolicyError(message, f"ask it by --url http://127.0.0.1:8080, or {how}")
    if process is None:
        raise LocationPolicyError(f"no service serves from {state}", _HOW)
    asked_at = _moment(precise_moment_text(datetime.now(UTC)))  # in the precision of what is compared
    try:
        os.kill(process, signal.SIGHUP)
    except ProcessLookupError:
        raise LocationPolicyError(f"the service of {state} has just ended") from None
    except PermissionError:
        hint = "run it as the user of the service, or ask it by --url"
        raise LocationPolicyError(f"the service of {state} belongs to another user", hint) from None
    if problem and seconds:
        raise _not_told(state, problem.why, how)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        told = kept_sync(state)
        if _moment(told.get("began_at")) >= asked_at:
            return told
        time.sleep(STEP)
    if seconds and is_full(state):
        raise _not_told(state, "is on a disk that is full", "make room there")
    return {}


def _not_told(state: Path, why: str, how: str) -> LocationPolicyError:
    message = f"asked; what becomes of it is not told in {state}, which {why}"
    return LocationPolicyError(message, f"see /status, or ask by --url http://127.0.0.1:8080; or {how}")


def _moment(text: object) -> datetime:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _over_http(url: str, access: ServiceAccess, seconds: float) -> Told:
    origin, login, ca = access.origin(url), access.login(), access.ca
    told = _reply(origin, Question(PATH, login, "POST"), ca, ROOM)
    until = time.monotonic() + seconds
    while told.get("result") is None and (left := until - time.monotonic()) > 0:
        wait = max(1, int(min(left, EACH)))
        told = _reply(origin, Question(f"{PATH}/{int(told['sync'])}?wait={wait}", login), ca, wait + ROOM)
    return told


def _reply(origin: Origin, question: Question, ca: Path | None, seconds: float) -> Told:
    reply = ask(origin, question, trust(ca), seconds)
    if reply.status in (401, 403):
        raise NoAnswer(f"{origin} lets only an editor start a sync: status {reply.status}", "name one: --user NAME")
    try:
        told = json.loads(reply.body)
    except ValueError:
        told = None
    if reply.status not in (200, 202) or not isinstance(told, dict) or not isinstance(told.get("sync"), int):
        raise NoAnswer(f"{origin} cannot start a sync: status {reply.status}", "is it a service of this version?")
    return told
