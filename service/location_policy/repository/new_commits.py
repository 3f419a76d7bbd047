"""Commits made without a working copy, and refs moved from where they were seen.

Nothing is checked out, and git clears a commit that no ref names away in time. So a commit can be made first and judged
then.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ..config.row_file import RowFile
from ..errors import GitUnavailable, NotWritable
from ..text import quote
from .git import Git, GitFailed, config_variables, found

_USAGE = 129
"""The status of git for an option that it does not know (git, usage.c)."""
_AUTHOR = re.compile(r"\s*([^<>\n]*[^<>\s])\s*<([^<>\s]+)>\s*")
_GAP = re.compile(r"\n(?:[ \t\r]*\n)+")
_TRAILER = re.compile(r"^[A-Za-z0-9-]+[ \t]*:", re.MULTILINE)
"""A line of a message that git may take for a trailer, below its first paragraph (git-interpret-trailers)."""
RENAMED = "500"
"""Files among which those that have got another name are looked for, in time that grows with its square."""
_OPEN = ("PATH", "HOME", "XDG_CONFIG_HOME")
"""What git needs to find the settings of its user, which are closed to it elsewhere."""


class Author(NamedTuple):
    """Who makes a commit."""

    name: str
    email: str

    @classmethod
    def parse(cls, text: str) -> Author:
        """`Alice <alice@example.com>`; raises ValueError for anything else."""
        found = _AUTHOR.fullmatch(text)
        if not found:
            raise ValueError(f"{text!r} is not a name and an address")
        return cls(found[1], found[2])

    def environment(self) -> dict[str, str]:
        """The variables by which git learns of it."""
        return {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", self.name), ("EMAIL", self.email))
        }


PROGRAM = Author("location-policy", "location-policy@localhost")
"""Who makes the commits of the program itself, and moves its refs."""
IDENTITY = PROGRAM.environment()


def operator(user: str) -> Author:
    """Who called sudo; else whom git knows by `user.name` and `user.email`; else the user of the system."""
    host = os.uname().nodename or "localhost"
    if caller := os.environ.get("SUDO_USER"):
        return Author(caller, f"{caller}@{host}")
    return Author(_setting("user.name") or user, _setting("user.email") or f"{user.replace(' ', '-')}@{host}")


def _setting(key: str) -> str:
    """A setting of this user or of the machine, empty where there is none."""
    environment = {name: os.environ[name] for name in _OPEN if name in os.environ}
    done = subprocess.run(
        ["git", "config", "--get", key], env=environment, cwd="/", capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


class CommitDraft(NamedTuple):
    """The tree of a commit to be made, and its message: the subject, and below it what it does.

    `uploaded` has the rows that come from a file, at the lines of that file.
    """

    tree: str
    subject: str
    body: str
    uploaded: RowFile | None = None

    def message(self, typed: str | None = None) -> str:
        """The message, with what was typed in place of the subject; where that ends in trailers, they stay the end."""
        *paragraphs, last = _GAP.split((typed or self.subject).strip())
        if paragraphs and _TRAILER.search(last):
            return "\n\n".join([*paragraphs, self.body, last]) + "\n"
        return "\n\n".join([*paragraphs, last, self.body]) + "\n"


class Merge(NamedTuple):
    """A tree, and the paths of it in which two changes met; those hold both, between conflict markers."""

    tree: str
    conflicts: Sequence[str]


def make_commit(git: Git, tree: str, parents: Sequence[str], message: str, author: Author) -> str:
    """The id of a new commit that no ref names."""
    behind = [word for parent in parents for word in ("-p", parent)]
    made = git.run(
        "commit-tree", tree, *behind, stdin=message.encode(errors="replace"), environment=author.environment()
    )
    return made.decode().strip()


def make_blob(git: Git, content: bytes) -> str:
    """The id of a content that no tree names yet: git keeps it for two weeks (git-gc, "gc.pruneExpire")."""
    return git.run("hash-object", "-w", "--stdin", stdin=content).decode().strip()


def change_files(git: Git, tree: str, contents: Mapping[str, bytes | None]) -> str:
    """The id of a tree in which these files have these contents, None: are not there, and all others stay.

    A file that is there keeps its mode. Raises NotWritable for a path that git ignores (with status 0): one that some
    file systems take for a path in `.git` (git-config, "core.protectNTFS").
    """
    with tempfile.TemporaryDirectory() as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch, "index"))}
        git.run("read-tree", tree, environment=index)
        for path, content in contents.items():
            blob = f"0 {'0' * len(tree)}" if content is None else f"{_mode(git, path, index)} {make_blob(git, content)}"
            entry = f"{blob}\t{path}\0".encode(errors="surrogateescape")
            git.run("update-index", "--add", "-z", "--index-info", stdin=entry, environment=index)
            if content is not None and not _staged(git, path, index):
                message = f"git ignores the path {quote(path)}: some file systems take a part of it for .git"
                raise NotWritable(message, "take another name for the file")
        # what this repository lacks, the copy of a remote with files of the map alone, the tree had before
        return git.run("write-tree", "--missing-ok", environment=index).decode().strip()


def _mode(git: Git, path: str, index: Mapping[str, str]) -> str:
    """That of the file in an index, if it is one there; otherwise that of a new file."""
    return "100755" if _staged(git, path, index).startswith(b"100755 ") else "100644"


def _staged(git: Git, path: str, index: Mapping[str, str]) -> bytes:
    return git.run("ls-files", "--stage", "-z", "--", f":(literal){path}", environment=index)


def merge_trees(git: Git, base: str, ours: str, theirs: str, author: Author) -> Merge:
    """Our tree with what differs between `base` and `theirs`.

    git merges commits, so the trees get some that last as long as the question; to name the base itself takes git 2.40.
    Raises GitUnavailable where git is older than 2.39, which has no `merge-tree --stdin`.
    """
    below = make_commit(git, base, (), "base", author)
    sides = [make_commit(git, tree, (below,), "side", author) for tree in (ours, theirs)]
    options = ("--write-tree", "--stdin", "-z", "--name-only", "--no-messages")
    try:
        told = git.run("merge-tree", *options, stdin=f"{' '.join(sides)}\n".encode(), environment=_plain(git))
    except GitFailed as error:
        if error.status == _USAGE:
            raise GitUnavailable(
                "git is too old to revert a commit below others", "install git 2.39 or newer"
            ) from None
        raise
    _, tree, *paths = told.decode(errors="surrogateescape").split("\0")  # whether it is clean, tree, conflicts
    return Merge(tree, [path for path in paths if path])


def _plain(git: Git) -> Mapping[str, str]:
    """That conflicts have two sides, and no program merges, under any config: files with a driver are in conflict.

    Each of the files that are gone is held against each that has come, unless there are too many of them.
    """
    told = found(git, "config", "--null", "--name-only", "--get-regexp", r"^merge\..+\.driver$") or b""
    drivers = told.decode(errors="surrogateescape").split("\0")[:-1]
    settings = {"merge.conflictStyle": "merge", "merge.renameLimit": RENAMED}
    return config_variables(settings | dict.fromkeys(drivers, "false"))


def move_ref(git: Git, ref: str, new: str, old: str, why: str, author: Author) -> None:
    """Let a ref that names `old` name `new`; `why` goes to its log. Raises GitFailed, also where it names another."""
    git.run("update-ref", "--create-reflog", "-m", why, ref, new, old, environment=author.environment())
