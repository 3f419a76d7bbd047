"""What the copy of a remote is called: its directory, the refs of the remote in it, and how a command names it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from shlex import quote

from ..repository import Repository
from .partial_clone import REMOTE, TRACKED
from .remote_refs import HEADS
from .url import part_login

_MIRROR = re.compile(r"mirror-[0-9a-f]{12}\.git")


def mirror_directory(url: str, state_directory: Path) -> Path:
    """Where the copy of a remote repository is: another URL is another copy, another password is not."""
    return state_directory / f"mirror-{hashlib.sha256(part_login(url)[0].encode()).hexdigest()[:12]}.git"


def fetched_ref(ref: str) -> str:
    """Where the copy has a branch as the remote has it, by the full name of the branch; a whole folder ends in `/`."""
    return TRACKED + ref.removeprefix(HEADS)


def is_mirror(directory: Path) -> bool:
    """Is this the copy of a remote repository that a service keeps?"""
    return _MIRROR.fullmatch(directory.name) is not None


def naming_options(repository: Repository, place: str) -> str:
    """The options by which a command names this repository at a place: a copy by the URL of what it is a copy of."""
    urls = repository.config(f"remote.{REMOTE}.url") if is_mirror(repository.directory) else ()
    if not urls:
        return f"--repo {quote(place)}"
    return f"--repo {quote(urls[-1])} --state-dir {quote(str(repository.directory.parent.absolute()))}"
