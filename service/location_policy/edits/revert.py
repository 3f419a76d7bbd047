"""What the served branch is to hold once commits are taken back, and the message that says so.

One commit is taken back as git revert does: what it changed against its first parent is changed the other way, in the
files as they are now; rows wherever they stand (see `line_merge`). Where later commits have changed the same rows there
is no telling what is meant; going back to a commit with all that it held is always possible.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..config.commit import Commit
from ..config.files import EXPECTATIONS_PATH, is_rows
from ..errors import NotRevertible, RevertConflict
from ..gate.messages import tell_commit
from ..repository.new_commits import Author, CommitDraft
from ..repository.repository import Repository
from ..text import count, escape
from .line_merge import merge_lines

BY_COMMAND = "location-policy revert --to {}"
ON_PAGE = 'type {} as the commit, and tick "go back to it"'
"""How the branch goes back to a commit, on the command line and on a page."""
NAMED = 3
"""Later commits that are named for each file; the rest is counted."""

_MARKER = re.compile(rb"(<{7}|={7}|>{7})( |$)")
_NEXT = {"": "<", "<": "=", "=": ">", ">": "<"}
"""The marker that ends a part of a file, by the one that began it."""


@dataclass(frozen=True, slots=True)
class Revert:
    """A commit of the served branch taken back, or with `is_return` all that came after it."""

    commit: str
    is_return: bool = False

    def draft(self, repository: Repository, tip: Commit, author: Author) -> CommitDraft:
        """The branch without it, or as it was at it."""
        commit = repository.find_served(self.commit)
        if self.is_return:
            return go_back(repository, tip, commit)
        return take_back(repository, tip, commit, author, ON_PAGE)


def take_back(
    repository: Repository, tip: Commit, commit: Commit, author: Author, back: str = BY_COMMAND
) -> CommitDraft:
    """The branch without what one commit changed; `back` is how to go back to another, for a hint.

    Raises NotRevertible, and RevertConflict where later commits have changed the same lines.
    """
    _check_on_branch(repository, tip, commit)
    before = _first_parent(repository, commit, back)
    is_merge = len(repository.parents(commit.id)) > 1
    reversing = f", reversing\nchanges made to {before.id}" if is_merge else ""
    said = f'Revert "{commit.subject}"', f"This reverts commit {commit.id}{reversing}."
    if commit.id == tip.id:
        return CommitDraft(before.tree, *said)
    merge = repository.merge_trees(commit.tree, tip.tree, before.tree, author)
    contents = {path: _without(repository, tip, commit, before, path) for path in merge.conflicts}
    solved = {path: content for path, content in contents.items() if content is not None}
    if left := [path for path in merge.conflicts if path not in solved]:
        raise _conflict(repository, tip, commit, before, merge.tree, left, back)
    return CommitDraft(repository.change_files(merge.tree, solved), *said)


def go_back(repository: Repository, tip: Commit, commit: Commit) -> CommitDraft:
    """The branch as it was at a commit; raises NotRevertible."""
    _check_on_branch(repository, tip, commit)
    gone = len(repository.gained(commit.id, tip.id))
    body = f"This brings back all that commit {commit.id} held,\nand takes back the {count(gone, 'commit')} since."
    return CommitDraft(commit.tree, f'Return to "{commit.subject}"', body)


def _without(repository: Repository, tip: Commit, commit: Commit, before: Commit, path: str) -> bytes | None:
    """A table without the lines of a commit; None where there is no telling which, or it is none."""
    if not (is_rows(path) or path == EXPECTATIONS_PATH):
        return None
    base, ours, theirs = (repository.content_at(one.tree, path) for one in (commit, tip, before))
    return merge_lines(base, ours, theirs) if ours else None


def _check_on_branch(repository: Repository, tip: Commit, commit: Commit) -> None:
    if not repository.is_ancestor(commit.id, tip.id):
        message = f"{tell_commit(commit)} is not on the served branch, so there is nothing to go back from or to"
        raise NotRevertible(message, "location-policy history lists what is")


def _first_parent(repository: Repository, commit: Commit, back: str) -> Commit:
    parents = repository.parents(commit.id)
    if not parents:
        message = f"{tell_commit(commit)} is the first commit, and without it nothing is left to serve"
        raise NotRevertible(message, f"name the commit to go back to: {back.format('COMMIT')}")
    return repository.commit(parents[0])


def _conflict(
    repository: Repository, tip: Commit, commit: Commit, before: Commit, merged: str, paths: Sequence[str], back: str
) -> RevertConflict:
    places = [_place(repository, tip, commit, merged, path) for path in paths]
    since = count(len(repository.gained(commit.id, tip.id)), "commit")
    hint = f"take those back first, or it and the {since} since: {back.format(before.id[:10])}"
    return RevertConflict(f"what {tell_commit(commit)} changed has changed again since", hint, places)


def _place(repository: Repository, tip: Commit, commit: Commit, merged: str, path: str) -> str:
    """Where in a file of the tip two changes meet, and the commits that have changed that file since."""
    lines = conflicting_lines(repository.content_at(merged, path))
    where = ":".join([escape(path), *map(str, lines[:1])]) + (f" and {len(lines) - 1:,} more" if lines[1:] else "")
    later = repository.changing(commit.id, tip.id, path)
    by = ", ".join(tell_commit(repository.commit(commit_id)) for commit_id in later[:NAMED])
    return f"{where}: changed by {by}" + (f" and {len(later) - NAMED:,} more" if later[NAMED:] else "")


def conflicting_lines(content: bytes) -> list[int]:
    """The lines of our file, 1-based, at which the conflicts of a merged file begin (git-merge, "How conflicts…")."""
    found, number, side = [], 0, ""
    for line in content.split(b"\n"):
        marker = _MARKER.match(line)
        sign = marker[1][:1].decode() if marker else ""
        if sign and sign == _NEXT[side]:
            found += [number + 1] * (sign == "<")
            side = sign
        elif side != "=":
            number += 1
    return found
