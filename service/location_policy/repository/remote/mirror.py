"""A copy of a remote repository, kept in step by fetching: what `serve --repo URL` follows.

What the remote has goes to `refs/remotes/origin/`, also a history that was rewritten. A branch of the copy itself is
what may be in force: it moves only once what was fetched is judged.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from ...errors import RepositoryError
from ..config import SECTION
from ..git import PlainGit
from ..new_repository import make_bare
from ..ownership import require_own
from .url import part_login

DEADLINE = 120.0
"""Seconds that a fetch may take: the first one brings the whole history."""

NO_SETTINGS: Mapping[str, str] = MappingProxyType({})

_REMOTE = "origin"
_FETCHED = f"refs/remotes/{_REMOTE}/"
_PATIENCE = {
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=10",
}
_SETTINGS = {
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "20",
    "fetch.fsckObjects": "true",
    "gc.reflogExpire": "never",  # to what was in force once, a branch may go back over a limit
    "gc.autoDetach": "false",  # git >= 2.47 leaves a process at each fetch: a zombie where we are the container's init
}
_MIRROR = re.compile(r"mirror-[0-9a-f]{12}\.git")


def mirror_directory(url: str, state_directory: Path) -> Path:
    """Where the copy of a remote repository is: another URL is another copy, another password is not."""
    return state_directory / f"mirror-{hashlib.sha256(part_login(url)[0].encode()).hexdigest()[:12]}.git"


def fetched_ref(ref: str) -> str:
    """Where the copy has a branch as the remote has it, by the full name of the branch; a whole folder ends in `/`."""
    return _FETCHED + ref.removeprefix("refs/heads/")


def is_mirror(directory: Path) -> bool:
    """Is this the copy of a remote repository that a service keeps?"""
    return _MIRROR.fullmatch(directory.name) is not None


class Mirror:
    """The copy in a folder of the state directory that is named after the URL."""

    def __init__(
        self,
        url: str,
        state_directory: Path,
        branch: str | None,
        interval: float,
        deadline: float = DEADLINE,
        settings: Mapping[str, str] = NO_SETTINGS,
    ) -> None:
        """`interval`: seconds between two fetches; `deadline`: seconds that one may take; `settings`: in its config."""
        self.directory = mirror_directory(url, state_directory)
        self._url, self._login = part_login(url)
        self._branch = branch
        self.interval = interval
        self._deadline = deadline
        self._settings = settings
        self._due = 0.0
        self._is_hurried = False
        self.fetched_at: datetime | None = None
        self._failure: RepositoryError | None = None
        self._git = PlainGit(self.directory)

    def make(self) -> None:
        """The empty copy, where there is none yet; raises ForeignRepository where another user has made it."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.directory.is_symlink():
            raise RepositoryError(f"{self.directory} is a symbolic link, not a copy that was made here", "take it away")
        require_own(self.directory, self.directory)
        make_bare(self.directory, self._branch or "main")
        for key, value in {f"remote.{_REMOTE}.url": self._url, **_SETTINGS}.items():
            self._git.run("config", key, value)
        for key, value in {f"{SECTION}.branch": self._branch or "", **self._settings}.items():
            self._git.run("config", key, value)  # no branch: what the remote's HEAD names

    def update(self) -> None:
        """Fetch if it is time to; raises RepositoryError as long as the last fetch failed."""
        if self.is_due():
            self._is_hurried = False
            self._failure = self._fetch()
            self._due = time.monotonic() + self.interval
        if self._failure:
            raise self._failure

    def is_due(self) -> bool:
        """Will the next update fetch?"""
        return self._is_hurried or time.monotonic() >= self._due

    def hurry(self) -> None:
        """Let the next update fetch, whenever the last one was."""
        self._is_hurried = True

    def close(self) -> None:
        """End a fetch that is under way."""
        self._git.end()

    def _fetch(self) -> RepositoryError | None:
        try:
            self._ask("fetch", "--quiet", "--prune", "--no-tags", _REMOTE, f"+refs/heads/*:{_FETCHED}*")
            if not self._branch:
                self._follow_head()
            self.fetched_at = datetime.now(UTC)
        except RepositoryError as error:
            return error
        return None

    def _follow_head(self) -> None:
        """Let our HEAD name the branch that the remote's names."""
        head = re.match(rb"ref: (refs/heads/\S+)\tHEAD", self._ask("ls-remote", "--symref", _REMOTE, "HEAD"))
        if head and head[1] != self._git.run("symbolic-ref", "HEAD").strip():  # a HEAD that is written is looked at
            self._git.run("symbolic-ref", "HEAD", head[1].decode())

    def _ask(self, *arguments: str) -> bytes:
        return self._git.run(*arguments, environment={**_PATIENCE, **self._login}, deadline=self._deadline)
