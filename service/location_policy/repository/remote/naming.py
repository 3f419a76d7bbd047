"""What the copy of a remote is called: the refs of the remote in it, and how a command names it."""

from __future__ import annotations

from shlex import quote

from ..repository import Repository
from .copy_path import is_mirror
from .partial_clone import REMOTE, TRACKED
from .remote_refs import HEADS


def fetched_ref(ref: str) -> str:
    """Where the copy has a branch as the remote has it, by the full name of the branch; a whole folder ends in `/`."""
    return TRACKED + ref.removeprefix(HEADS)


def naming_options(repository: Repository, place: str) -> str:
    """The options by which a command names this repository at a place: a copy by the URL of what it is a copy of."""
    urls = repository.config(f"remote.{REMOTE}.url") if is_mirror(repository.directory) else ()
    if not urls:
        return f"--repo {quote(place)}"
    return f"--repo {quote(urls[-1])} --state-dir {quote(str(repository.directory.parent.absolute()))}"
