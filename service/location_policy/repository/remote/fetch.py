"""Run a git that talks to a remote, and end it when no byte comes any more.

What comes shows in the characters that this git has read, from its transport above all (proc(5), `/proc/PID/io`), and
in the progress that it tells: a trickle is waited for, and silence is not. Where a system has no such file, silence is
left to curl and ssh; a deadline for the whole there is everywhere.
"""

from __future__ import annotations

import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import MappingProxyType

from ...errors import RepositoryError
from ..git import NOTHING_RUNS, GitFailed, closed_environment
from ..git_process import AS_OPTIONS, end_group, git_missing, limit_memory

STANDSTILL = 30.0
"""Seconds without a byte after which a remote is given up."""
LONGEST = 900.0
"""Seconds that one git may take in any case."""
GRACE = 2.0
"""Seconds between SIGTERM, at which git takes away its locks, and SIGKILL."""
MOST_TOLD = 64 * 1024 * 1024
"""Bytes that are taken of what a git tells: the refs of a remote, or the names of what is missing."""
LONGEST_REST = 3600.0
"""Seconds that a remote may ask for: who says `Retry-After: 31536000` is asked again after that."""

CLOSED: Mapping[str, str] = MappingProxyType({})
"""No variables besides those of the closed environment, in which no remote can be asked."""

_TALK = ("fetch", "ls-remote")
_TRACED = re.compile(r"\d\d:\d\d:\d\d\.\d+ http\.c:\d+ ")
_RETRY_AFTER = re.compile(r"<= Recv header: retry-after: *([^\r\n]+)", re.IGNORECASE)
_TYPE = re.compile(r"<= Recv header: content-type: *([^\r\n;]+)", re.IGNORECASE)
_PROGRESS = re.compile(r": +\d+% \(\d|, done\.$|^remote: (Enumerating|Counting|Compressing|Total) |^remote: *$")
_REASON = re.compile(r"(fatal|error|ERROR): (?!Could not read from remote repository)")


def talking(standstill: float) -> dict[str, str]:
    """The variables with which git may talk to a remote.

    curl is traced, without contents and secrets (git, "GIT_TRACE_REDACT"), since git does not tell `Retry-After`.
    """
    return {
        "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=10",
        "GIT_HTTP_LOW_SPEED_LIMIT": "1",
        "GIT_HTTP_LOW_SPEED_TIME": str(round(2 * standstill) or 1),
        "GIT_TRACE_CURL": "2",  # to standard error
        "GIT_TRACE_CURL_NO_DATA": "1",
    }


class RemoteFailed(GitFailed):
    """git could not ask a remote, or not keep what it gave; `retry_after`: seconds that the remote asks for."""

    def __init__(self, command: str, status: int, stderr: str, retry_after: float = 0.0) -> None:
        super().__init__(command, status, _reason(stderr))
        self.stderr = stderr
        self.retry_after = retry_after


def nothing() -> None:
    """Do nothing while git is waited for."""


class RemoteGit:
    """Runs one git at a time; `close`, from another thread, ends it, and no other begins."""

    def __init__(self, standstill: float = STANDSTILL, longest: float = LONGEST) -> None:
        """`standstill`: seconds without a byte; `longest`: seconds for one git."""
        self.standstill = standstill
        self._meanwhile = nothing
        self._longest = longest
        self._process: subprocess.Popen[bytes] | None = None
        self._has_ended = threading.Event()
        self._is_closed = False

    def run(
        self,
        directory: Path,
        command: str,
        *arguments: str,
        stdin: bytes = b"",
        options: Sequence[str] = (),
        environment: Mapping[str, str] = CLOSED,
    ) -> tuple[bytes, str]:
        """What git prints, and what it says besides, without its progress; `options` are those before the command.

        Raises RemoteFailed.
        """
        words = ["git", f"--git-dir={directory.absolute()}", *NOTHING_RUNS, *AS_OPTIONS, *options, command, *arguments]
        with self._started(words, {**closed_environment(), **environment}) as process:
            standstill = self.standstill if command in _TALK else self._longest  # what works here may be silent
            stdout, stderr, problem = self._communicate(process, stdin, standstill)
        told = stderr.decode(errors="replace")
        said = "\n".join(_said(told))
        if self._is_closed:
            problem = "it was ended with the service"
        elif command == "ls-remote" and not stdout and (kind := _strange_type(told)):
            problem = problem or said or f"the server answers with {kind}, not as git does"  # without a line feed in it
        if problem or process.returncode:
            raise RemoteFailed(command, process.returncode, problem or said, _retry_after(told))
        return stdout, said

    @contextmanager
    def _started(self, words: list[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
        pipe = subprocess.PIPE
        self._has_ended.clear()
        try:
            process = subprocess.Popen(words, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, process_group=0)
        except FileNotFoundError:
            raise git_missing() from None
        limit_memory(process.pid)
        self._process = process
        try:
            if self._is_closed:  # just now
                raise RepositoryError("no remote is asked any more: it was ended with the service")
            yield process
        finally:
            _end(process)
            self._process = None
            self._has_ended.set()

    def _communicate(
        self, process: subprocess.Popen[bytes], stdin: bytes, standstill: float
    ) -> tuple[bytes, bytes, str]:
        """What git tells on both ways, and why it was ended, if it was."""
        begun = moved_at = time.monotonic()
        before: tuple[int | None, int] = (None, 0)
        given: bytes | None = stdin
        while True:
            try:
                return *process.communicate(given, timeout=min(1.0, standstill / 10)), ""
            except subprocess.TimeoutExpired as so_far:
                told = len(so_far.stdout or b"") + len(so_far.stderr or b"")
            given = None  # the rest of it is given all the same (subprocess, "Popen.communicate")
            now, seen = time.monotonic(), (_characters_read(process.pid), told)
            if seen != before or seen[0] is None:
                before, moved_at = seen, now
            if now - begun >= self._longest:
                problem = f"no end after {self._longest:g} s"
            elif now - moved_at >= standstill:
                problem = f"no byte came for {standstill:g} s"
            else:
                problem = f"it tells more than {MOST_TOLD:,} bytes" if told > MOST_TOLD else ""
            if problem:
                return *_end(process), problem
            self._meanwhile()
            spent = time.monotonic() - now
            begun, moved_at = begun + spent, moved_at + spent

    @contextmanager
    def doing(self, meanwhile: Callable[[], None]) -> Iterator[None]:
        """Let this be done every second while git is waited for; it never raises, and its time does not count."""
        self._meanwhile = meanwhile
        try:
            yield
        finally:
            self._meanwhile = nothing

    def close(self) -> None:
        """End the git that runs, and let no other begin."""
        self._is_closed = True
        if process := self._process:
            end_group(process, signal.SIGTERM)
            if not self._has_ended.wait(GRACE):
                end_group(process)


def _end(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """End a git that still runs, and what it has started: first so that it can take away its locks."""
    end_group(process, signal.SIGTERM)
    try:
        return process.communicate(timeout=GRACE)
    except subprocess.TimeoutExpired:
        end_group(process)
        return process.communicate()


def _characters_read(pid: int) -> int | None:
    """What a process has read, from pipes and files; None where the system does not tell."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/io").read_bytes().split(b"rchar:")[1].split(b"\n")[0])
    return None


def _said(told: str) -> Iterator[str]:
    """The lines of what git has said, without its progress and what was traced."""
    for line in re.split(r"[\r\n]+", told):
        if line.strip() and not _TRACED.match(line) and not _PROGRESS.search(line.rstrip()):
            yield line.rstrip()


def _reason(said: str) -> str:
    """The line that says why: the first of an error, which others only follow up; of ssh it is the one before that."""
    lines = said.split("\n")
    return next(filter(_REASON.match, lines), lines[0])


def _strange_type(told: str) -> str:
    """The type of the last answer, where that is none of git's (gitprotocol-http); one before it may ask for proof."""
    types = _TYPE.findall(told)
    return types[-1].strip().lower() if types and not types[-1].lower().startswith("application/x-git-") else ""


def _retry_after(told: str) -> float:
    """The seconds that a remote asks for, 0 where it does not (RFC 9110, "Retry-After")."""
    found = _RETRY_AFTER.findall(told)
    if not found:
        return 0.0
    with suppress(ValueError):
        return min(float(int(found[-1])), LONGEST_REST)
    with suppress(ValueError):
        seconds = (parsedate_to_datetime(found[-1]) - datetime.now(UTC)).total_seconds()
        return max(0.0, min(seconds, LONGEST_REST))
    return 0.0
