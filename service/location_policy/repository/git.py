"""git, run in a closed environment: no settings but the repository's own, no prompts, no locks taken to save time.

The git directory is always given, never looked for: git then neither asks who owns it nor minds that it is bare, and a
repository without a `config` file cannot be taken for a part of the folder around it. Replacement objects are off, so
that a commit id stands for the same bytes everywhere.

Two classes run it. `PlainGit` is the hook's: importing GitPython costs a tenth of a second at every push. `PythonGit`
is the service's. Both give plain bytes.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, cast

from ..errors import GitUnavailable, RepositoryError
from ..problems import escape

if TYPE_CHECKING:
    from git.cmd import Git as Program

OLDEST_GIT = (2, 36)
"""The first git with `cat-file --batch-command`."""

DEADLINE = 120.0
"""Seconds that one call may take: none here is asked for more than a repository on this machine."""
LONGEST_TALK = 600.0
"""Seconds that a conversation may take, in which all files of many commits may be asked for."""
QUARANTINE = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH")
"""Where the objects of a push lie until it is accepted (git-receive-pack, "Quarantine Environment")."""

_CLOSED = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "XDG_CONFIG_HOME": os.devnull,  # where git looks for the user's `attributes` and `ignore`, without being asked to
    "GIT_ALLOW_PROTOCOL": "",  # no way out: a missing object is not fetched from wherever the repository says
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
}
_KEPT = ("PATH", "HOME", "TMPDIR", "SSH_AUTH_SOCK")


def closed_environment(kept: Iterable[str] = _KEPT) -> dict[str, str]:
    """The environment for git: of ours only what is `kept`."""
    return {name: os.environ[name] for name in kept if name in os.environ} | _CLOSED


class GitFailed(RepositoryError):
    """git ended with a status other than 0."""

    def __init__(self, command: str, status: int, stderr: str) -> None:
        said = escape(stderr.strip().rpartition("\n")[2])
        super().__init__(f"git {command} failed: {said.removeprefix('fatal: ') or f'status {status}'}")
        self.status = status


class Conversation(Protocol):
    """A running git that is asked and answers: what is written to `stdin` is answered on `stdout`."""

    stdin: IO[bytes]
    stdout: IO[bytes]


class Git(Protocol):
    """git for one repository."""

    def run(self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
        """What git prints; raises GitFailed."""

    def converse(self, *arguments: str) -> AbstractContextManager[Conversation]:
        """git as a partner to talk to, ended with the `with` block."""


class PlainGit:
    """git as a plain child process, for the hook; `quarantine` keeps the variables that show a push's objects."""

    def __init__(self, directory: Path, *, quarantine: bool = False) -> None:
        self._command = ["git", f"--git-dir={directory.absolute()}"]
        kept = (*_KEPT, *QUARANTINE) if quarantine else _KEPT
        self._environment = closed_environment(kept)
        self._running: subprocess.Popen[bytes] | None = None

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        deadline: float = 0.0,
    ) -> bytes:
        """What git prints; raises GitFailed, also when it takes longer than `deadline` seconds (0: `DEADLINE`)."""
        deadline = deadline or DEADLINE
        command, env, pipe = [*self._command, *arguments], {**self._environment, **(environment or {})}, subprocess.PIPE
        try:
            self._running = subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, stderr=pipe, process_group=0)
        except FileNotFoundError:
            raise git_missing() from None
        stdout, stderr = _communicate(self._running, stdin, deadline, self.end)
        if self._running.returncode:
            raise GitFailed(arguments[0], self._running.returncode, stderr.decode(errors="replace"))
        return stdout

    def end(self) -> None:
        """End what is running, and what it has started (a fetch talks through a child of its own)."""
        if self._running and self._running.poll() is None:
            os.killpg(self._running.pid, signal.SIGKILL)

    @contextmanager
    def converse(self, *arguments: str) -> Iterator[Conversation]:
        """git as a partner to talk to, ended with the `with` block."""
        pipe = subprocess.PIPE
        command, env = [*self._command, *arguments], self._environment
        try:
            process = subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        except FileNotFoundError:
            raise git_missing() from None
        with _ended(process) as conversation:
            yield conversation


class PythonGit:
    """git through GitPython, for the service: one short-lived `Repo` in one thread, inside a `with` block."""

    def __init__(self, directory: Path) -> None:
        os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
        from configparser import Error as ConfigError  # with which GitPython ends at a config that is none

        from git import Repo  # a tenth of a second, which --help and the hook do not pay
        from git.exc import GitError

        self._directory = str(directory.absolute())
        try:
            self._repo = Repo(self._directory, search_parent_directories=False, expand_vars=False)
        except (GitError, ConfigError, OSError, ValueError) as error:
            raise RepositoryError(f"{self._directory} cannot be opened: {type(error).__name__}") from error
        self._repo.git.update_environment(**_CLOSED, GIT_DIR=self._directory)

    def __enter__(self) -> PythonGit:
        return self

    def __exit__(self, *_: object) -> None:
        self._repo.close()

    def run(self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
        """What git prints; raises GitFailed, also when it takes longer than `DEADLINE`."""
        interrupt = self._start(arguments, environment)  # it ends git when nobody holds it any more
        process = cast("subprocess.Popen[bytes]", interrupt.proc)
        stdout, stderr = _communicate(process, stdin, DEADLINE, process.kill)
        if process.returncode:
            raise GitFailed(arguments[0], process.returncode, stderr.decode(errors="replace"))
        return stdout

    @contextmanager
    def converse(self, *arguments: str) -> Iterator[Conversation]:
        """git as a partner to talk to, ended with the `with` block."""
        interrupt = self._start(arguments)
        with _ended(cast("subprocess.Popen[bytes]", interrupt.proc)) as conversation:
            yield conversation

    def _start(self, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Program.AutoInterrupt:
        with _found():
            return self._repo.git.execute(
                ["git", *arguments], istream=subprocess.PIPE, env=dict(environment or {}), as_process=True
            )


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[Conversation]:
    """A git that has ended with the block, and before that when nobody can have so much to ask."""
    end = threading.Timer(LONGEST_TALK, process.kill)
    end.daemon = True
    end.start()
    try:
        yield cast("Conversation", process)
    finally:
        end.cancel()
        process.kill()
        process.communicate()
        end.join()


def _communicate(
    process: subprocess.Popen[bytes], stdin: bytes, seconds: float, end: Callable[[], None]
) -> tuple[bytes, bytes]:
    """What git prints; it is ended after so many seconds.

    Popen's own time-out sleeps and looks again until git is gone; this one waits.
    """
    is_late = threading.Event()

    def end_it() -> None:
        is_late.set()
        end()

    timer = threading.Timer(seconds, end_it)
    timer.daemon = True
    timer.start()
    try:
        stdout, stderr = process.communicate(stdin)
    finally:
        timer.cancel()
        timer.join()
    return stdout, _no_end(seconds) if is_late.is_set() else stderr


def _no_end(seconds: float) -> bytes:
    return f"no end after {seconds:g} s".encode()


def config_values(git: Git, key: str) -> list[str]:
    """The values of a key in the repository's git config."""
    try:
        text = git.run("config", "--null", "--get-all", key).decode(errors="replace")
    except GitFailed as error:
        if error.status == 1:  # no such key
            return []
        raise
    return [value for value in text.split("\0") if value]


@contextmanager
def _found() -> Iterator[None]:
    from git.exc import GitCommandNotFound

    try:
        yield
    except GitCommandNotFound:
        raise git_missing() from None


def git_version() -> str:
    """What git calls itself, as in `git version 2.45.1`; raises GitUnavailable where there is none."""
    try:
        process = subprocess.Popen(["git", "version"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError:
        raise git_missing() from None
    stdout, _ = _communicate(process, b"", DEADLINE, process.kill)
    if process.returncode:
        raise git_missing()
    return stdout.decode(errors="replace").strip()


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
