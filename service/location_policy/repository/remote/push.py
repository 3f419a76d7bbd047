"""Put a commit on a new branch of a remote: in bounded time, and never on a branch that is there.

git takes the branch only where the remote has none of this name (git-push, "--force-with-lease"). It runs no hook here,
and asks for nothing but what a fetch asks for.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from ...errors import NotPushed
from ...text import escape, shorten
from .failures import explain, first_line
from .fetch import RemoteFailed, RemoteGit
from .partial_clone import BY_ID, HOW, REMOTE, TRACKED
from .remote_refs import HEADS

SECONDS = 30.0
"""How long a push may take: an editor waits for it."""
SHOWN_LINES = 20
"""Lines of what a remote says that are told."""
SHOWN_CHARACTERS = 200
"""Characters of each."""

_NEGOTIATE = ("-c", "push.negotiate=true")
"""Where the remote has moved, what it has is found out first: the copy lacks files that would be sent otherwise."""
_OF_RIGHTS = ("credentials", "right", "not-found", "ssh-key")
"""Kinds of failures of those who may read, and not write."""
_HOW = ("--no-follow-tags", "--recurse-submodules=no", "--no-signed")
_SAID = re.compile(r"remote: ?(.*)")
_REJECTED = re.compile(r" ! \[(?:remote )?rejected\] .* \((.*)\)")
_TAKEN = re.compile(r"\(stale info\)|reference already exists|\.lock': File exists")
"""The branch is there; or it has come, or comes, between what the remote has told and now."""
_NESTED = re.compile(r"'refs/heads/([^']+)' exists; cannot create")


class Pushed(NamedTuple):
    """The branch that a commit was pushed to, and the lines that the remote said to it."""

    branch: str
    said: Sequence[str]


def push_new_branch(
    start: Callable[[float], AbstractContextManager[RemoteGit]],
    directory: Path,
    url: str,
    commit_id: str,
    names: Sequence[str],
    environment: Mapping[str, str],
) -> Pushed:
    """Push a commit to the first of these names that no branch of the remote has; raises NotPushed.

    `start` gives what runs git for so many seconds.
    """
    until, branch = time.monotonic() + SECONDS, names[0]

    def run(command: str, *arguments: str, stdin: bytes = b"", options: Sequence[str] = ()) -> tuple[bytes, str]:
        with start(max(1.0, until - time.monotonic())) as git:
            return git.run(directory, command, *arguments, stdin=stdin, options=options, environment=environment)

    try:
        listed, _ = run("rev-list", "--objects", "--missing=print", commit_id, "--not", f"--glob={TRACKED}*")
        if missing := _missing(listed):
            run("fetch", *HOW, REMOTE, "--stdin", stdin=missing, options=BY_ID)
        for branch in names:
            words = (*_HOW, f"--force-with-lease={HEADS}{branch}:", url, f"{commit_id}:{HEADS}{branch}")
            try:
                return Pushed(branch, _said(run("push", *words, options=_NEGOTIATE)[1]))
            except RemoteFailed as error:
                if not (_REJECTED.search(error.stderr) and _TAKEN.search(error.stderr)):
                    raise
    except RemoteFailed as error:
        raise _not_pushed(url, branch, error) from None
    raise NotPushed(f"{url} has branches {names[0]} to {names[-1]} already", "try again in a second")


def _missing(listed: bytes) -> bytes:
    """The ids of what a commit brings back besides the map, a line each: a partial clone lacks it, and must push it."""
    return b"".join(line[1:] + b"\n" for line in listed.splitlines() if line.startswith(b"?"))


def _not_pushed(url: str, branch: str, error: RemoteFailed) -> NotPushed:
    """Why, with what the remote has said."""
    reason = _REJECTED.search(error.stderr)
    said = tuple(shorten(escape(line), SHOWN_CHARACTERS) for line in _said(error.stderr) if line.strip())[:SHOWN_LINES]
    nested = _NESTED.search(error.stderr)
    if nested and branch.startswith(f"{nested[1]}/"):
        taken = nested[1]
        message = f"{url} has a branch {taken}, beside which git makes no branch {branch}"
        renamed = f"origin/{taken}:{HEADS}{taken}-old :{HEADS}{taken}"
        return NotPushed(message, f"rename it, in a clone: git push origin {renamed}", said)
    in_clone = f"or change the map in a clone: git clone {quote(url)}"
    if reason:
        hint = f"let the service push such branches there, {in_clone}"
        return NotPushed(f"{url} does not take branch {branch}: {escape(reason[1])}", hint, said)
    if error.status < 0:
        message = f"it is not known whether branch {branch} was pushed to {url}: {error.message}"
        return NotPushed(message, "look there before you try again", said)
    found = explain(url, error.stderr)
    message = f"branch {branch} was not pushed to {url}: {first_line(error.stderr)}"
    if found and (found.kind not in _OF_RIGHTS or url.startswith("file:")):
        again = "nothing has changed: confirm it once more when the remote answers"
        return NotPushed(message, f"{again}; {found.hint}" if found.hint else again, said)
    hint = f"let the token or the deploy key of the service write there, {in_clone}"
    return NotPushed(message, hint, said)


def _said(told: str) -> list[str]:
    """The lines of the remote itself, among those of git."""
    return [found[1] for line in told.split("\n") if (found := _SAID.match(line))]
