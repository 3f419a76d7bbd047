"""The processes that unpack and judge a push, before any ref is moved (git-receive-pack, "Quarantine Environment")."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_VARIABLE = b"\0GIT_QUARANTINE_PATH="


def end_judgement(process: int) -> None:
    """Ask those below a process to end that work on objects in quarantine.

    git-receive-pack itself goes on: only when it sees them fail does it take away what it has received. What runs after
    the refs are moved is left to its end. Where there is no /proc, none is found.
    """
    for child in _below(process):
        if _VARIABLE in b"\0" + _read(child, "environ"):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)


def _below(process: int) -> Iterator[int]:
    for child in map(int, _read(process, f"task/{process}/children").split()):
        yield from _below(child)
        yield child


def _read(process: int, name: str) -> bytes:
    """Empty when the process has ended meanwhile."""
    try:
        return Path("/proc", str(process), name).read_bytes()
    except OSError:
        return b""
