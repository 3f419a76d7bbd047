"""A git that runs, and its end, which comes in time in any case; and whether there is one that is new enough.

Each git runs in a process group of its own, and is ended with what it has started: a child that hangs holds its output.
"""

from __future__ import annotations

import os
import re
import resource
import select
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Protocol, cast

from ..errors import GitUnavailable

OLDEST_GIT = (2, 36)
"""The first git with `cat-file --batch-command`."""
DEADLINE = 120.0
"""Seconds that one call may take: none here is asked for more than a repository on this machine."""
START = 10.0
"""The same at the start of a service, which is not to be waited for as long as that."""
LONGEST_TALK = 600.0
"""Seconds that a conversation may take, in which all files of many commits may be asked for."""


MEMORY = 512 * 1024 * 1024
"""Bytes that one git may take: more than the largest file with what it is a delta of, and what is held besides."""
LEAN = {
    "core.bigFileThreshold": "32m",
    "core.deltaBaseCacheLimit": "16m",
    "pack.deltaCacheSize": "16m",
    "pack.threads": "1",  # each holds what it unpacks; and the other processors are for the answers
}
"""Settings by which git takes less memory, for a repository of small files at no cost (git-config)."""
_NO_MAILMAP = {"mailmap.blob": ""}
"""No name is told as `.mailmap` at HEAD says (gitmailmap): git reads all of it, in time that grows with its square."""
AS_OPTIONS = tuple(word for key, value in (LEAN | _NO_MAILMAP).items() for word in ("-c", f"{key}={value}"))
LAST_WORDS = 64 * 1024
"""Bytes of what git says on standard error that are kept, the last; a remote can say any number through it."""


def inside(directory: Path) -> tuple[str, ...]:
    """Options by which git works in a repository: from inside, so what it writes goes with a repository that is moved.

    By an absolute path it would make the folders of a new ref where the repository was, and bar the way back.
    """
    return "-C", str(directory.absolute()), "--git-dir=."


def limit_memory(pid: int) -> None:
    """Let a process, and what it starts, take no more than `MEMORY`, as far as the system can (prlimit(2)).

    It is done from here, when the process runs: what it does is not known yet, or has begun milliseconds ago, and
    nothing has to run between fork and exec. A process that needs more may raise its limit again.
    """
    with suppress(AttributeError, OSError, ValueError):  # no Linux; has ended; may have less anyway
        _, hard = resource.prlimit(pid, resource.RLIMIT_DATA)
        resource.prlimit(pid, resource.RLIMIT_DATA, (MEMORY, hard))


_deadline = ContextVar("deadline", default=0.0)
_running: set[subprocess.Popen[bytes]] = set()


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """In the block, and in this thread, an answer of git is waited for so many seconds at most (0: `DEADLINE`)."""
    before = _deadline.set(seconds)
    try:
        yield
    finally:
        _deadline.reset(before)


def end_group(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGKILL) -> None:
    """End a git that runs, and what it has started; SIGTERM lets it take away its locks."""
    if process.returncode is None:  # so it was not waited for, and its number is no other's
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)


def keep_track(process: subprocess.Popen[bytes]) -> None:
    """Let `end_all` know of a git that has just been started, before it is talked to."""
    _running.add(process)


def end_all() -> None:
    """End every git that runs."""
    for process in tuple(_running):
        end_group(process)


class Conversation(Protocol):
    """A running git that is asked and answers: what is written to `stdin` is answered on `stdout`."""

    stdin: IO[bytes]
    stdout: IO[bytes]


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[Conversation]:
    """A git that has ended with the block, and before that when no caller can have so much to ask."""
    end = threading.Timer(LONGEST_TALK, end_group, (process,))
    end.daemon = True
    end.start()
    _running.add(process)
    try:
        yield cast("Conversation", process)
    finally:
        end.cancel()
        end_group(process)
        process.communicate()
        _running.discard(process)
        end.join()


def has_answered(conversation: Conversation) -> bool:
    """Wait for an answer that has not begun yet; False where none comes in time."""
    poll = select.poll()
    poll.register(conversation.stdout, select.POLLIN)
    return bool(poll.poll((_deadline.get() or DEADLINE) * 1000))


def communicate(
    process: subprocess.Popen[bytes], stdin: bytes, end: Callable[[], None], seconds: float = 0.0
) -> tuple[bytes, bytes]:
    """What git prints; it is ended after so many seconds (0: `DEADLINE`, or what `deadline` says).

    Popen's own time-out sleeps and looks again until git is gone; this one waits.
    """
    seconds = seconds or _deadline.get() or DEADLINE
    is_late = threading.Event()

    def end_it() -> None:
        is_late.set()
        end()

    timer = threading.Timer(seconds, end_it)
    timer.daemon = True
    _running.add(process)
    timer.start()
    said = bytearray()
    listener = threading.Thread(target=_keep_last, args=(process.stderr, said), daemon=True)
    listener.start()
    process.stderr = None
    try:
        stdout, _ = process.communicate(stdin)
        listener.join()
    except BaseException:  # a signal has come, and the caller ends
        end()
        raise
    finally:
        _running.discard(process)
        timer.cancel()
        timer.join()
    return stdout, _no_end(seconds) if is_late.is_set() else bytes(said)


def _keep_last(stream: IO[bytes] | None, said: bytearray) -> None:
    if stream is None:
        return
    with stream:
        while piece := os.read(stream.fileno(), LAST_WORDS):
            said += piece
            del said[:-LAST_WORDS]


def _no_end(seconds: float) -> bytes:
    return f"no end after {seconds:g} s".encode()


def git_version() -> str:
    """What git calls itself, as in `git version 2.45.1`; raises GitUnavailable where there is none."""
    return ask_git("version").decode(errors="replace").strip()


def ask_git(question: str, environment: Mapping[str, str] | None = None) -> bytes:
    """What git says of itself; raises GitUnavailable where there is none, or none that answers."""
    from ..runtime.signals import ending_later  # the hook does not ask this

    pipe = subprocess.PIPE
    try:
        with ending_later():
            process = subprocess.Popen(["git", question], stdout=pipe, stderr=pipe, env=environment, process_group=0)
            keep_track(process)
    except OSError:
        raise git_missing() from None
    stdout, stderr = communicate(process, b"", lambda: end_group(process))
    if process.returncode < 0:
        message = f"git {question} failed: {stderr.decode(errors='replace') or 'it was ended'}"
        raise GitUnavailable(message, "see whether git, and the disk that it is on, answer")
    if process.returncode:
        raise git_missing()
    return stdout


def require_git() -> None:
    """Raises GitUnavailable when git is not there or too old."""
    text = git_version()
    found = re.search(r"(\d+)\.(\d+)", text)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_GIT:
        oldest = ".".join(map(str, OLDEST_GIT))
        raise GitUnavailable(f"{text} is too old", f"install git {oldest} or newer")


def git_missing() -> GitUnavailable:
    """What is told when there is no git."""
    return GitUnavailable("git cannot be run", "install git and make sure that it is on PATH")
