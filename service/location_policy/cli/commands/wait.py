"""`location-policy wait`: until a service and all that follow it answer from a commit, or one refuses it.

It is the last step of a pipeline: what was pushed is in force, everywhere.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from ...errors import LocationPolicyError, NoAnswer
from ...integrations.http_client import Origin, Question, ask, trust
from ...text import count, escape, quote
from ..terminal.exit_status import NO
from ..terminal.progress import Progress
from ..terminal.service_access import ServiceAccess

PATH = "/status"
EACH = 20.0
"""Seconds for which one answer is waited for at most: a proxy in front may wait no longer."""
ROOM = 10.0
"""Seconds that an answer has beyond those for which it is waited."""
PAUSE = 0.2
"""Seconds between two questions: an answer that comes at once, and says nothing new, is not asked for without end."""

KEYS = frozenset(("commit", "is_everywhere", "is_here", "at", "total", "refused", "missing", "more_missing"))
Told = Mapping[str, Any]
"""How far a commit has come, as the service tells it (`/status?wait=`)."""


def wait(url: str, access: ServiceAccess, commit: str, least: int, span: timedelta) -> int:
    """Print where the commit is; the exit status. Raises LocationPolicyError where the service cannot be asked."""
    if not re.fullmatch(r"[0-9a-f]{7,64}", commit.strip().lower()):
        message = f"{quote(commit)} is not the id of a commit"
        raise LocationPolicyError(message, "git rev-parse main says that of a branch")
    commit = commit.strip().lower()
    origin, login = access.origin(url), access.login()
    began = time.monotonic()
    until = began + span.total_seconds()
    with Progress() as progress:
        progress.say(f"waiting for {commit[:10]}")
        while True:
            left = max(0.0, until - time.monotonic())
            seconds = int(min(left, EACH))
            target = f"{PATH}?wait={commit}&followers={least}&seconds={seconds}"
            told = _reply(origin, Question(target, login), access.ca, seconds + ROOM)
            if told and (told["is_everywhere"] or told["refused"] or left <= 0):
                break
            if left <= 0:
                raise NoAnswer(f"{origin} has no room for one more who waits")
            time.sleep(min(PAUSE, left))
    return _tell(told, least, time.monotonic() - began)


def _reply(origin: Origin, question: Question, ca: Path | None, seconds: float) -> Told | None:
    """How far it is; None: the service asks to be asked later."""
    reply = ask(origin, question, trust(ca), seconds)
    if reply.status in (401, 403):
        raise NoAnswer(f"{origin} shows its status to viewers only: status {reply.status}", "name one: --user NAME")
    if reply.status == 503:
        return None
    try:
        told = json.loads(reply.body).get("wait")
    except (ValueError, AttributeError):
        told = None
    if reply.status != 200 or not isinstance(told, dict) or not told.keys() >= KEYS:
        message = f"{origin} does not list its followers: status {reply.status}"
        raise NoAnswer(message, "is it a service of this version?")
    return told


def _tell(told: Told, least: int, took: float) -> int:
    commit, total = escape(str(told["commit"]))[:10], told["total"]
    if told["is_everywhere"]:
        print(f"active: {commit}, {_whom(told)}, after {took:.1f} s")
        return 0
    if told["refused"]:
        print(f"rejected: {commit}")
        for one in told["refused"]:
            print(f"  {escape(str(one['name']))}: {escape(str(one['problem']))}")
        return NO
    print(f"not active everywhere: {commit}, {_whom(told)}, after {took:.1f} s")
    if not told["is_here"]:
        print("  the service itself does not answer from it")
    if total < least:
        print(f"  {count(total, 'follower')} {'is' if total == 1 else 'are'} seen, not {least:,}")
    for one in told["missing"]:
        if one["commit"] == told["commit"]:
            print(f"  {escape(str(one['name']))}: has it, {one['number']:,} behind it not")
            print(*(f"    {_where(behind)}\n" for behind in one.get("late", ())), sep="", end="")
        else:
            print(f"  {_where(one)}")
    if told["more_missing"]:
        print(f"  … and {told['more_missing']:,} more")
    return NO


def _where(one: Told) -> str:
    at = f"answers from {str(one['commit'])[:10]}" if one["commit"] else "answers from none"
    return escape(f"{one['name']}: {at} ({one['state']})")


def _whom(told: Told) -> str:
    if not told["total"]:
        return "no service follows"
    return f"at {told['at']:,} of {count(told['total'], 'follower')}"
