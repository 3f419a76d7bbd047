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
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from ..errors import RepositoryError
from ..text import escape
from .git_process import (
    AS_OPTIONS,
    Conversation,
    communicate,
    end_group,
    ended,
    git_missing,
    git_version,
    inside,
    keep_track,
    limit_memory,
)

if TYPE_CHECKING:
    from git.cmd import Git as Program

QUARANTINE = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH")
"""Where the objects of a push lie until it is accepted (git-receive-pack, "Quarantine Environment")."""

_CLOSED = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "XDG_CONFIG_HOME": os.devnull,  # where git looks for the user's `attributes` and `ignore`, without being asked to
    "GIT_ALLOW_PROTOCOL": "",  # no way out: a missing object is not fetched from wherever the repository says
    "GIT_NO_LAZY_FETCH": "1",  # git >= 2.45; an older one that misses an object calls a git fetch, which may not go out
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
}
NOTHING_RUNS = ("-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false")
"""Settings of a repository that are of no force here: what is asked runs no program that it names.

Others name programs that no question here comes to: textconv and merge drivers are switched off where they would be
asked (`blame`, `merge_trees`), those of signatures where they are read, transports by `GIT_ALLOW_PROTOCOL`. A pager
wants a terminal, a filter a working copy, an external diff a diff.
"""

_KEPT = ("PATH", "HOME", "TMPDIR", "SSH_AUTH_SOCK")


def closed_environment(kept: Iterable[str] = _KEPT) -> dict[str, str]:
    """The environment for git: of ours only what is `kept`."""
    return {name: os.environ[name] for name in kept if name in os.environ} | _CLOSED


def config_variables(settings: Mapping[str, str]) -> dict[str, str]:
    """Variables that hold for one git in place of what its config says (git-config, "GIT_CONFIG_COUNT")."""
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


_FULL = re.compile(r"no space left on device|disk quota exceeded|file too large|died of signal 25", re.IGNORECASE)
_ROOM = "make room on the disk that the repository is on"


def is_disk_full(stderr: str) -> bool:
    """Does git say that nothing can be written any more? 25 is SIGXFSZ, of a file that may not grow (setrlimit(2))."""
    return _FULL.search(stderr) is not None


class GitFailed(RepositoryError):
    """git ended with a status other than 0."""

    def __init__(self, command: str, status: int, stderr: str) -> None:
        said = escape(stderr.strip().rpartition("\n")[2])
        self.is_disk_full = is_disk_full(stderr)
        message = f"git {command} failed: {said.removeprefix('fatal: ') or f'status {status}'}"
        super().__init__(message, _ROOM if self.is_disk_full else None)
        self.status = status
        self.stderr = stderr


class Git(Protocol):
    """git for one repository."""

    def run(self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
        """What git prints; raises GitFailed."""

    def converse(self, *arguments: str) -> AbstractContextManager[Conversation]:
        """git as a partner to talk to, ended with the `with` block."""


class PlainGit:
    """git as a plain child process, for the hook; `quarantine` keeps the variables that show a push's objects."""

    def __init__(self, directory: Path, *, quarantine: bool = False) -> None:
        self._command = ["git", *inside(directory), *NOTHING_RUNS, *AS_OPTIONS]
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
        command, env, pipe = [*self._command, *arguments], {**self._environment, **(environment or {})}, subprocess.PIPE
        try:
            self._running = subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, stderr=pipe, process_group=0)
        except FileNotFoundError:
            raise git_missing() from None
        limit_memory(self._running.pid)
        try:
            stdout, stderr = communicate(self._running, stdin, self.end, deadline)
        finally:
            self.end()  # where time has run out for the caller
        if self._running.returncode:
            raise GitFailed(arguments[0], self._running.returncode, stderr.decode(errors="replace"))
        return stdout

    def end(self) -> None:
        """End what is running, and what it has started (a fetch talks through a child of its own)."""
        if self._running:
            end_group(self._running)

    @contextmanager
    def converse(self, *arguments: str) -> Iterator[Conversation]:
        """git as a partner to talk to, ended with the `with` block."""
        pipe = subprocess.PIPE
        command, env = [*self._command, *arguments], self._environment
        try:
            process = subprocess.Popen(
                command, env=env, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, process_group=0
            )
        except FileNotFoundError:
            raise git_missing() from None
        limit_memory(process.pid)
        with ended(process) as conversation:
            yield conversation


class PythonGit:
    """git through GitPython, for the service: one short-lived `Repo` in one thread, inside a `with` block."""

    def __init__(self, directory: Path) -> None:
        os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
        if "git" not in sys.modules:
            git_version()  # which GitPython asks for at its import, and waits for without end
        from configparser import Error as ConfigError  # with which GitPython ends at a config that is none

        from git import Repo  # a tenth of a second, which --help and the hook do not pay
        from git.exc import GitError

        self._inside = inside(directory)
        path = str(directory.absolute())
        try:
            self._repo = Repo(path, search_parent_directories=False, expand_vars=False)
        except (GitError, ConfigError, OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "its config, or what else git needs of it, is damaged"
            raise RepositoryError(f"{path} cannot be opened: {why}") from error
        self._repo.git.update_environment(**_CLOSED)

    def __enter__(self) -> PythonGit:
        return self

    def __exit__(self, *_: object) -> None:
        self._repo.close()

    def run(self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
        """What git prints; raises GitFailed, also when it takes longer than `deadline` says."""
        interrupt = self._start(arguments, environment)  # it ends git when the last reference to it is gone
        process = cast("subprocess.Popen[bytes]", interrupt.proc)
        stdout, stderr = communicate(process, stdin, lambda: end_group(process))
        if process.returncode:
            raise GitFailed(arguments[0], process.returncode, stderr.decode(errors="replace"))
        return stdout

    @contextmanager
    def converse(self, *arguments: str) -> Iterator[Conversation]:
        """git as a partner to talk to, ended with the `with` block."""
        interrupt = self._start(arguments)
        with ended(cast("subprocess.Popen[bytes]", interrupt.proc)) as conversation:
            yield conversation

    def _start(self, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Program.AutoInterrupt:
        from ..runtime.signals import ending_later  # the hook does not wait for this

        command = ["git", *self._inside, *NOTHING_RUNS, *AS_OPTIONS, *arguments]
        with _found(), ending_later():
            started = self._repo.git.execute(
                command, istream=subprocess.PIPE, env=dict(environment or {}), as_process=True, process_group=0
            )
            process = cast("subprocess.Popen[bytes]", started.proc)
            keep_track(process)
        limit_memory(process.pid)
        return started


@contextmanager
def _found() -> Iterator[None]:
    from git.exc import GitCommandNotFound

    try:
        yield
    except GitCommandNotFound:
        raise git_missing() from None


def found(git: Git, *arguments: str) -> bytes | None:
    """What git prints; None when it ends with 1, its word for "there is none"."""
    try:
        return git.run(*arguments)
    except GitFailed as error:
        if error.status == 1:
            return None
        raise
