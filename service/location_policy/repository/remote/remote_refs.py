"""Which branch of a remote is followed, and its tip: one question, `git ls-remote` (git-ls-remote).

It is asked outside of any repository, so what is wrong with the copy is no hindrance.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ...errors import UnknownRevision
from ...text import escape
from .fetch import RemoteGit

HEADS = "refs/heads/"
MOST_NAMES = 10
"""Names of branches that are told where one is missing."""

_NOWHERE = Path(os.devnull)
_ID = re.compile(r"[0-9a-f]{7,64}")


class Tip(NamedTuple):
    """A branch, by its short name, and the id of its commit."""

    branch: str
    commit_id: str


class _Refs(NamedTuple):
    """What a remote tells: the ref that its HEAD stands for, and the ids that refs have."""

    head: str | None
    ids: Mapping[str, str]


def find_tip(git: RemoteGit, url: str, branch: str | None, environment: Mapping[str, str]) -> Tip | None:
    """The tip of a branch, or without a name of the one that HEAD names; None where the remote has no ref at all.

    Raises RemoteFailed, and UnknownRevision where there is no such branch.
    """
    wanted = ["--heads", url, HEADS + branch] if branch else ["--symref", url, "HEAD"]
    refs = _ask(git, wanted, environment)
    ref = HEADS + branch if branch else refs.head or ""
    commit_id = refs.ids.get(ref if branch else "HEAD")
    if ref.startswith(HEADS) and commit_id:
        return Tip(_in_utf8(ref.removeprefix(HEADS), url), commit_id)
    _require_none(_ask(git, ["--symref", url], environment), url, branch)
    return None


def _ask(git: RemoteGit, wanted: list[str], environment: Mapping[str, str]) -> _Refs:
    stdout, _ = git.run(_NOWHERE, "ls-remote", *wanted, environment=environment)
    head, ids = None, {}
    for line in os.fsdecode(stdout).split("\n"):
        left, _, name = line.partition("\t")
        if left.startswith("ref: ") and name == "HEAD":
            head = left.removeprefix("ref: ")
        elif name:
            ids[name] = left
    return _Refs(head, ids)


def _in_utf8(branch: str, url: str) -> str:
    """The same; raises UnknownRevision where git alone could write it."""
    try:
        branch.encode()
    except UnicodeEncodeError:
        hint = "rename it there, or follow another one with --branch"
        raise UnknownRevision(f"branch {escape(branch)} of {url} has a name that is not UTF-8", hint) from None
    return branch


def _require_none(refs: _Refs, url: str, branch: str | None) -> None:
    """Raises UnknownRevision, which says what is there, unless there is nothing at all."""
    if not refs.ids:
        return
    names = [escape(ref.removeprefix(HEADS)) for ref in sorted(refs.ids) if ref.startswith(HEADS)]
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    there = f"branches there: {', '.join(names[:MOST_NAMES]) or 'none'}{more}"
    hint = f"follow one with --branch {names[0]}" if names else "push a branch to it"
    if branch is None:
        is_detached = "HEAD" in refs.ids
        what = "names a commit, not a branch" if is_detached else "names a branch that is not there"
        raise UnknownRevision(f"HEAD of {url} {what}; {there}", hint)
    if f"refs/tags/{branch}" in refs.ids:
        raise UnknownRevision(f"{branch} is a tag of {url}, not a branch; {there}", hint)
    if _ID.fullmatch(branch):
        raise UnknownRevision(f"{branch} is no branch of {url}, and an id is not followed; {there}", hint)
    raise UnknownRevision(f"{url} has no branch {branch}; {there}", hint)
