"""What the served branch is to hold once commits are taken back, and the message that says so.

One commit is taken back as git revert does: what it changed against its first parent is changed the other way, in the
files as they are now; rows wherever they stand (see `line_merge`). Where later commits have changed the same rows there
is no telling what is meant; going back to a commit with all that it held is always possible.

To ask twice is safe: what is taken back already is so, and a revert is taken back only by who says that this is meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..config.commit import Commit
from ..config.files import EXPECTATIONS_PATH, below_view, holds_rows
from ..errors import NotConfirmed, NothingChanges, NotRevertible, RevertConflict
from ..gate.messages import tell_commit
from ..repository.new_commits import Author, CommitDraft
from ..repository.repository import Repository
from ..text import count, escape
from .line_merge import merge_lines
from .revert_history import RETURNS, REVERTS, taken_back_by, undone_by

NAMED = 3
"""Later commits that are named for each file; the rest is counted."""
NAMED_FILES = 20
"""Files in which changes meet that are named; for each git is asked."""
SOLVED = 200
"""Files in which changes meet that are looked at row by row; where there are more, all of them are in conflict."""

_MARKER = re.compile(rb"(<{7}|={7}|>{7})( |$)")
_NEXT = {"": "<", "<": "=", "=": ">", ">": "<"}
"""The marker that ends a part of a file, by the one that began it."""


class Wording(NamedTuple):
    """What a hint says to do, with a commit to be filled in: take it back though it is a revert or taken back already,
    go back to it, and go back to it though it is taken back.
    """

    again: str
    back: str
    back_again: str


BY_COMMAND = Wording(
    "location-policy revert {} --again", "location-policy revert --to {}", "location-policy revert --to {} --again"
)
ON_PAGE = Wording(
    'tick "again"',
    "restore {}",
    'restore {}, and tick "again"',
)


@dataclass(frozen=True, slots=True)
class Revert:
    """A commit of the served branch taken back, or with `is_return` all that came after it.

    `is_again` says that what was taken back is meant to come back, or to be taken back once more.
    """

    commit: str
    is_return: bool = False
    is_again: bool = False

    def draft(self, repository: Repository, tip: Commit, author: Author) -> CommitDraft:
        """The branch without it, or as it was at it."""
        commit = repository.find_served(self.commit)
        if self.is_return:
            return go_back(repository, tip, commit, ON_PAGE, is_again=self.is_again)
        return take_back(repository, tip, commit, author, ON_PAGE, is_again=self.is_again)


def take_back(
    repository: Repository,
    tip: Commit,
    commit: Commit,
    author: Author,
    wording: Wording = BY_COMMAND,
    *,
    is_again: bool = False,
) -> CommitDraft:
    """The branch without what one commit changed.

    Raises NotRevertible, NothingChanges where it is so already, RevertConflict where later commits have changed the
    same lines, and unless `is_again` NotConfirmed for a revert and for what is taken back already.
    """
    _check_on_branch(repository, tip, commit)
    before = _first_parent(repository, commit, wording)
    by = taken_back_by(repository, tip, commit)
    try:
        tree = _tree_without(repository, tip, commit, before, author, wording)
    except RevertConflict as conflict:
        if by is None or not _is_still_without(repository, tip, by, commit, author):
            raise (None if is_again else _doubt(repository, commit, by, wording)) or conflict from None
        tree = tip.tree
    if tree == tip.tree:
        so = f"{tell_commit(commit)} is already reverted, by {tell_commit(by)}" if by else _so_already(tip)
        raise NothingChanges(f"nothing to do: {so}")
    if not is_again and (doubt := _doubt(repository, commit, by, wording)):
        raise doubt
    is_merge = len(repository.parents(commit.id)) > 1
    reversing = f", reversing\nchanges made to {before.id}" if is_merge else ""
    return CommitDraft(tree, f'Revert "{commit.subject}"', f"{REVERTS}{commit.id}{reversing}.")


def go_back(
    repository: Repository, tip: Commit, commit: Commit, wording: Wording = BY_COMMAND, *, is_again: bool = False
) -> CommitDraft:
    """The branch as it was at a commit.

    Raises NotRevertible, NothingChanges where it is so already, and unless `is_again` NotConfirmed where the commit is
    taken back.
    """
    _check_on_branch(repository, tip, commit)
    if commit.tree == tip.tree:
        raise NothingChanges(f"nothing to do: {_so_already(tip)}")
    if not is_again and (by := taken_back_by(repository, tip, commit)):
        message = f"{tell_commit(commit)} is reverted, by {tell_commit(by)}: restoring it brings it back"
        raise NotConfirmed(message, f"if that is meant: {wording.back_again.format(commit.id[:10])}")
    gone = len(repository.gained(commit.id, tip.id))
    body = f"{RETURNS}{commit.id} held,\nand reverts the {count(gone, 'commit')} since."
    return CommitDraft(commit.tree, f'Restore "{commit.subject}"', body)


def revert_doubt(repository: Repository, commit: Commit, wording: Wording = BY_COMMAND) -> NotConfirmed | None:
    """Why it may not be meant that a revert, or a return, is itself taken back; None where the commit is none."""
    for undone, is_return in undone_by(repository, commit):
        other = tell_commit(repository.commit(undone))
        back = f"restore: reverting it restores what came after {other}"
        what = back if is_return else f"revert: reverting it restores {other}"
        hint = f"if that is meant: {wording.again.format(commit.id[:10])}"
        return NotConfirmed(f"{tell_commit(commit)} is itself a {what}", hint)
    return None


def _is_still_without(repository: Repository, tip: Commit, by: Commit, commit: Commit, author: Author) -> bool:
    """Has nothing changed since this revert, which does what it says? The rows of later commits may stand where those
    stood that it took back, so that to do it twice is a conflict.
    """
    if by.tree != tip.tree:
        return False
    try:
        parent, before = _first_parent(repository, by, BY_COMMAND), _first_parent(repository, commit, BY_COMMAND)
        return _tree_without(repository, parent, commit, before, author, BY_COMMAND) == by.tree
    except RevertConflict:
        return False


def _doubt(repository: Repository, commit: Commit, by: Commit | None, wording: Wording) -> NotConfirmed | None:
    """The same, or that it is taken back already."""
    if by is None:
        return revert_doubt(repository, commit, wording)
    message = f"{tell_commit(commit)} is already reverted, by {tell_commit(by)}, and more has changed since"
    return NotConfirmed(message, f"to revert it once more: {wording.again.format(commit.id[:10])}")


def _so_already(tip: Commit) -> str:
    return f"no change since {tell_commit(tip)}"


def _tree_without(
    repository: Repository, tip: Commit, commit: Commit, before: Commit, author: Author, wording: Wording
) -> str:
    """The tree of the tip without what a commit changed; raises RevertConflict."""
    if commit.id == tip.id:
        return before.tree
    merge = repository.merge_trees(commit.tree, tip.tree, before.tree, author)
    met = merge.conflicts if len(merge.conflicts) <= SOLVED else []
    contents = {path: _without(repository, tip, commit, before, path) for path in met}
    solved = {path: content for path, content in contents.items() if content is not None}
    if left := [path for path in merge.conflicts if path not in solved]:
        raise _conflict(repository, tip, commit, before, merge.tree, left, wording)
    return repository.change_files(merge.tree, solved)


def _without(repository: Repository, tip: Commit, commit: Commit, before: Commit, path: str) -> bytes | None:
    """A table without the lines of a commit; None where there is no telling which, or it is none."""
    if not (holds_rows(path) or below_view(path) == EXPECTATIONS_PATH):
        return None
    base, ours, theirs = (repository.content_at(one.tree, path) for one in (commit, tip, before))
    return merge_lines(base, ours, theirs) if ours else None


def _check_on_branch(repository: Repository, tip: Commit, commit: Commit) -> None:
    if not repository.is_ancestor(commit.id, tip.id):
        message = f"{tell_commit(commit)} is not on the served branch, so it can be neither reverted nor restored"
        raise NotRevertible(message, "location-policy history lists what is")


def _first_parent(repository: Repository, commit: Commit, wording: Wording) -> Commit:
    parents = repository.parents(commit.id)
    if not parents:
        message = f"{tell_commit(commit)} is the first commit, and without it nothing is left to serve"
        raise NotRevertible(message, f"name the one to keep: {wording.back.format('COMMIT')}")
    return repository.commit(parents[0])


def _conflict(
    repository: Repository,
    tip: Commit,
    commit: Commit,
    before: Commit,
    merged: str,
    paths: Sequence[str],
    wording: Wording,
) -> RevertConflict:
    places = [_place(repository, tip, commit, merged, path) for path in paths[:NAMED_FILES]]
    places += [f"and {len(paths) - NAMED_FILES:,} more files"] * (len(paths) > NAMED_FILES)
    since = count(len(repository.gained(commit.id, tip.id)), "commit")
    is_again = taken_back_by(repository, tip, before) is not None
    back = wording.back_again if is_again else wording.back
    hint = f"revert those first, or it and the {since} since: {back.format(before.id[:10])}"
    return RevertConflict(
        f"what {tell_commit(commit)} changed has changed again since", hint, places, before.id, is_again=is_again
    )


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
