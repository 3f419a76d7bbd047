"""Refs and revisions, resolved exactly: the one place where a name from outside becomes the full id of a commit.

git guesses (gitrevisions, "<refname>"): without a ref `refs/x` it takes the branch `refs/heads/refs/x` for it, a tag
goes before the branch of its name, and both before a commit whose id begins so. So it is asked here for refs by their
full names, and for objects by what their ids begin with; all else of the program hands full ids on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

from .git import Git, GitFailed, found
from .objects import Objects

FOLDERS = ("refs/heads/", "refs/tags/", "refs/remotes/")
"""Where a name is looked for, in this order: the branch goes before the tag."""

_ID = re.compile(r"[0-9a-f]{7,64}")
"""A full id, or enough of its beginning; a branch or a tag that is named so is found by its full name only."""
_REVISION = re.compile(r"([^~^]+)((?:[~^]\d*)*)")
"""A name or an id, and the way from there: `~2`, `^`, `^2`."""


def is_id(text: str) -> bool:
    """Does this mean the commit of an id, not a name?"""
    return _ID.fullmatch(text) is not None


def read_ref(git: Git, ref: str) -> str | None:
    """The id of the object that a ref names, by its full name; None where the ref is not there."""
    return _read_refs(git, [ref]).get(ref)


def read_target(git: Git, ref: str) -> str | None:
    """The full name of the ref that HEAD, or another one, stands for, there or not; None where it stands for none."""
    named = found(git, "symbolic-ref", "--quiet", ref)
    return None if named is None else named.decode(errors="surrogateescape").removesuffix("\n")


def _read_refs(git: Git, refs: Sequence[str]) -> dict[str, str]:
    """The ids of the objects that these refs name, in this order, of those that are there."""
    text = git.run("for-each-ref", "--format=%(refname)%00%(objectname)", *refs).decode(errors="surrogateescape")
    there = dict(line.split("\0") for line in text.split("\n")[:-1])  # also what a pattern, or a folder, finds
    return {ref: there[ref] for ref in refs if ref in there}


class Resolver:
    """Resolves names in one repository."""

    def __init__(self, git: Git, objects: Objects) -> None:
        self._git = git
        self._objects = objects
        self._known: dict[str, str | None] = {}

    def read_ahead(self, refs: Sequence[str]) -> None:
        """Ask once which objects these refs name, by their full names; that is told of each until it is forgotten."""
        self._known = {**dict.fromkeys(refs), **_read_refs(self._git, refs)}

    def forget(self, ref: str) -> None:
        """It is about to be written: ask anew."""
        self._known.pop(ref, None)

    def named(self, ref: str) -> str | None:
        """The id of the object that a ref names, by its full name: of a tag its own; None where it is not there."""
        return self._known[ref] if ref in self._known else read_ref(self._git, ref)

    def tip(self, ref: str) -> str | None:
        """The id of the commit that a ref names, by its full name or HEAD; None where there is none."""
        object_id = self._head() if ref == "HEAD" else self.named(ref)
        return None if object_id is None else self._commit(object_id)

    def tips(self, ref: str, tip: str, limit: int) -> list[str]:
        """At most `limit` commits that a ref has named up to this one, which is the first, newest first.

        Its log knows them (git-reflog), which is written by what moves the ref, and by nothing that is pushed. An entry
        says from where the ref has moved, and to where, so the oldest one tells of two. Nothing where there is no log.
        """
        ids: list[str] = []
        if read_ref(self._git, ref) is None:
            return ids
        with suppress(GitFailed):  # the oldest entry has made the ref; or commits are gone, and git cannot say which
            told = self._git.run("rev-list", "--walk-reflogs", f"--max-count={limit}", "--end-of-options", ref, "--")
            ids += told.decode().split()
            if 0 < len(ids) < limit:
                older = f"{ref}@{{{len(ids)}}}^{{commit}}"
                told = self._git.run("rev-parse", "--verify", "--quiet", "--end-of-options", older)
                ids += told.decode().split()
        return ids[ids.index(tip) :] if tip in ids else []

    def commits(self, beginning: str) -> list[str]:
        """The ids of the commits that begin so, also by a tag with an id of its own; none for what is no id."""
        if not is_id(beginning):
            return []
        if self._objects.measure(beginning)[0] == "commit":
            return [beginning]
        try:
            ids = self._git.run("rev-parse", f"--disambiguate={beginning}").decode().split()
        except GitFailed:  # it is longer than an id
            return []
        return list(dict.fromkeys(filter(None, map(self._commit, ids))))

    def find(self, revision: str) -> list[str]:
        """The ids of the commits that a person can mean: one, or several where what they write begins several ids.

        The rule is told in docs/use/review.md. Raises GitFailed where there is no such way from a commit.
        """
        parts = _REVISION.fullmatch(revision)
        if parts is None:
            return []
        name, way = parts.groups()
        begun = self.commits(name) if is_id(name) else [*filter(None, [self._named(name)])]
        return [commit_id for one in begun if (commit_id := self._commit(one, way))] if way else begun

    def refs_named(self, name: str) -> list[str]:
        """The full names of the refs that a name can mean, the one that it means first."""
        return [*self._refs_named(name)]

    def _named(self, name: str) -> str | None:
        if name == "HEAD" or name.startswith("refs/"):
            return self.tip(name)
        object_ids = self._refs_named(name).values()
        return self._commit(next(iter(object_ids))) if object_ids else None

    def _refs_named(self, name: str) -> dict[str, str]:
        return _read_refs(self._git, [folder + name for folder in FOLDERS])

    def _head(self) -> str | None:
        ref = read_target(self._git, "HEAD")
        if ref is not None:
            return read_ref(self._git, ref)
        return self._git.run("show-ref", "--verify", "--hash", "HEAD").decode().strip()

    def _commit(self, object_id: str, way: str = "") -> str | None:
        """The commit that a full id leads to, through tags and then on this way; None where it leads to none."""
        if not way and self._objects.measure(object_id)[0] == "commit":
            return object_id
        revision = f"{object_id}{way}^{{commit}}"
        commit_id = found(self._git, "rev-parse", "--verify", "--quiet", "--end-of-options", revision)
        return None if commit_id is None else commit_id.decode().strip()
