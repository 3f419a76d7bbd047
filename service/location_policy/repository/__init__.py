"""Commits, their files, who changed what: every question that is put to git, one small method each.

Everything is read from a commit's tree by object id, never from a working copy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..errors import UnknownRevision
from ..sources import FILE_LIMIT, File, is_read
from .blame import Written, blame_line
from .directory import find_git_directory
from .git import Git, GitFailed, PlainGit, PythonGit, config_values, git_version, require_git
from .notes import append_note, list_notes
from .objects import Commit, Entry, Objects, Signer
from .signatures import Keys, Signature, keyring_bytes, read_signatures

__all__ = [
    "PROC_RECEIVE",
    "SECTION",
    "Commit",
    "Entry",
    "Keys",
    "Repository",
    "Signature",
    "Signer",
    "Written",
    "find_git_directory",
    "git_version",
    "is_true",
    "keyring_bytes",
    "open_pushed_repository",
    "open_repository",
    "require_git",
]

SECTION = "location-policy"
"""The section of the repository's git config that binds hook and service alike."""

PROC_RECEIVE = "receive.procReceiveRefs"
"""The key of the git config that names the refs that the hook proc-receive handles, many values."""

_ID = re.compile(r"[0-9a-f]{7,64}")

NOTE_LIMIT = 64 * 1024
"""Bytes of a note that is read: a larger one is not ours."""

Knows = Callable[[str, str], bool]
"""Does who asks know the content of this path and blob already?"""


def _knows_nothing(_path: str, _blob: str) -> bool:
    return False


class Repository:
    """One repository, for one thread."""

    def __init__(self, directory: Path, git: Git, objects: Objects) -> None:
        self.directory = directory
        self._git = git
        self._objects = objects

    def settings(self) -> Mapping[str, str]:
        """Our section of the git config, keys in lower case as git gives them; a key without `=` is "true"."""
        try:
            text = self._git.run("config", "--null", "--get-regexp", rf"^{SECTION}\.").decode(errors="surrogateescape")
        except GitFailed as error:
            if error.status == 1:  # no such key
                return {}
            raise
        pairs = (entry.partition("\n") for entry in text.split("\0") if entry)
        return {key.removeprefix(f"{SECTION}."): value if equals else "true" for key, equals, value in pairs}

    def served_ref(self, settings: Mapping[str, str]) -> str:
        """The full name of the ref that is served: the configured branch, else what HEAD names."""
        if branch := settings.get("branch"):
            return f"refs/heads/{branch}"
        try:
            return self._git.run("symbolic-ref", "--quiet", "HEAD").decode(errors="surrogateescape").removesuffix("\n")
        except GitFailed as error:
            if error.status == 1:  # detached
                return "HEAD"
            raise

    def tip(self, ref: str) -> str | None:
        """The id of the commit that a ref points at, None where the ref is not there."""
        try:
            found = self._git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        except GitFailed as error:
            if error.status == 1:
                return None
            raise
        return found.decode().strip()

    def find_commit(self, revision: str) -> Commit:
        """The commit that a person means; raises UnknownRevision, which says what is there."""
        try:
            found = self.tip(revision)
        except GitFailed:
            found = None
        if found is None:
            raise UnknownRevision(f"there is no revision {revision!r} in {self.directory}", self._what_is_here())
        return self.commit(found)

    def find_served(self, revision: str) -> Commit:
        """The commit of an id, whole or shortened, that comes from who may see the served branch and nothing else.

        Raises UnknownRevision, also for a commit that is there and that the branch does not have.
        """
        served = self.tip(self.served_ref(self.settings()))
        found = self.tip(revision) if _ID.fullmatch(revision) else None
        if found is None or served is None or not self.is_ancestor(found, served):
            raise UnknownRevision(f"the served branch has no commit {revision[:64]!r}")
        return self.commit(found)

    def _what_is_here(self) -> str:
        if self.is_shallow():
            return "the clone is shallow, so older commits are not here: git fetch --unshallow"
        names = self.branches()
        return f"branches here: {', '.join(names)}" if names else "the repository has no branch yet"

    def symbolic_refs(self) -> Mapping[str, str]:
        """The refs that stand for another one, and which."""
        text = self._git.run("for-each-ref", "--format=%(refname)%00%(symref)").decode(errors="surrogateescape")
        pairs = (line.split("\0") for line in text.splitlines())
        return {name: target for name, target in pairs if target}

    def branches(self) -> list[str]:
        """The short names of all branches."""
        text = self._git.run("for-each-ref", "--format=%(refname)", "refs/heads/").decode(errors="surrogateescape")
        return [name.removeprefix("refs/heads/") for name in text.split("\n")[:-1]]

    def hooks_folder(self) -> Path | None:
        """Where git looks for hooks, `core.hooksPath` respected; None where there is a working copy."""
        text = self._git.run("rev-parse", "--is-bare-repository", "--git-path", "hooks")
        is_bare, folder = text.decode(errors="surrogateescape").removesuffix("\n").split("\n", 1)
        return self.directory / folder if is_bare == "true" else None

    def formats(self) -> tuple[str, str]:
        """How objects are named, and how refs are stored (git-config, "extensions")."""
        objects = self._git.run("rev-parse", "--show-object-format").decode().strip()
        return objects, (self.config("extensions.refStorage") or ["files"])[-1]

    def config(self, key: str) -> list[str]:
        """The values of a key in the repository's git config."""
        return config_values(self._git, key)

    def largest_push(self) -> int | None:
        """Bytes that the pack of a push may have (git-config, "receive.maxInputSize"); None where there is no limit."""
        try:
            text = self._git.run("config", "--type=int", "--get", "receive.maxInputSize")
        except GitFailed as error:
            if error.status == 1:  # no such key
                return None
            raise
        return int(text) or None

    def commit(self, commit_id: str) -> Commit:
        """The commit of this id."""
        return self._objects.commit(commit_id)

    def entries(self, commit: Commit) -> tuple[Entry, ...]:
        """What of a commit belongs to the configuration; equal entries are equal configurations."""
        return self._objects.entries(commit.tree)

    def staged(self, index: Path | None) -> tuple[Entry, ...]:
        """What is staged for the next commit (gitglossary, "index"); `index` is the file, None for the usual one."""
        environment = {"GIT_INDEX_FILE": str(index)} if index else None
        return self._objects.entries(self._git.run("write-tree", environment=environment).decode().strip())

    def files(self, entries: Iterable[Entry], knows: Knows = _knows_nothing) -> list[File]:
        """The files of these entries; those that `knows(path, blob)`, or that are too large, without content."""
        return [self._file(entry, knows) for entry in entries]

    def _file(self, entry: Entry, knows: Knows) -> File:
        path, kind, blob = entry
        if kind != "file" or not is_read(path) or knows(path, blob):
            return File(path, kind, 0, blob)
        size = self._objects.size(blob)
        return File(path, kind, size, blob, self._objects.content(blob, "blob") if size <= FILE_LIMIT else None)

    def content_at(self, tree: str, path: str) -> bytes:
        """The content of a file of a tree; empty where there is none."""
        try:
            return self._git.run("cat-file", "blob", f"{tree}:{path}")
        except GitFailed:
            return b""

    def parents(self, commit_id: str) -> list[str]:
        """The ids of a commit's parents, the first that which it was made on."""
        return self._revisions("--no-walk", "--parents", commit_id)[1:]

    def changing(self, old: str, new: str, path: str) -> list[str]:
        """The commits of `old..new` that have changed a file, newest first."""
        return self._git.run("rev-list", new, f"^{old}", "--", f":(literal){path}").decode().split()

    def gained(self, old: str, new: str) -> list[str]:
        """The commits that a ref gains by moving from `old` to `new`, oldest first."""
        return self._revisions("--topo-order", "--reverse", new, f"^{old}")

    def is_ancestor(self, old: str, new: str) -> bool:
        """Is moving a ref from `old` to `new` a fast-forward?

        `gained` cannot tell: rev-list stops early where the dates of commits lie, and names commits that are in both.
        """
        try:
            self._git.run("merge-base", "--is-ancestor", old, new)
        except GitFailed as error:
            if error.status == 1:
                return False
            raise
        return True

    def merge_base(self, one: str, other: str) -> str | None:
        """The commit at which two histories have parted; None where they have nothing in common."""
        try:
            return self._git.run("merge-base", one, other).decode().split("\n")[0]
        except GitFailed as error:
            if error.status == 1:
                return None
            raise

    def ancestors(self, commit_id: str, limit: int, *, first_parent: bool = False) -> list[str]:
        """At most `limit` commits behind a commit, newest first, itself the first."""
        return self._revisions(f"--max-count={limit}", *["--first-parent"] * first_parent, commit_id)

    def first_parents(self, commit_id: str) -> list[str]:
        """Every commit behind a commit along first parents, newest first, itself the first."""
        return self._revisions("--first-parent", commit_id)

    def _revisions(self, *arguments: str) -> list[str]:
        return self._git.run("rev-list", *arguments, "--").decode().split()

    def message(self, commit_id: str) -> str:
        """The whole message of a commit."""
        return self._objects.message(commit_id)

    def trailers(self, commit_id: str, key: str) -> list[str]:
        """The values of a trailer at the end of a commit's message (git-interpret-trailers), in order."""
        form = f"--format=%(trailers:key={key},valueonly,unfold)"
        found = self._git.run("show", "--no-patch", "--no-show-signature", "--encoding=UTF-8", form, commit_id, "--")
        return [line for line in found.decode(errors="replace").split("\n") if line]

    def handles(self, prefix: str) -> bool:
        """Are pushes to refs below this prefix handed to the hook proc-receive, and no refs made?"""
        try:
            values = self._git.run("config", "--null", "--get-all", PROC_RECEIVE).decode(errors="replace").split("\0")
        except GitFailed as error:
            if error.status == 1:  # no such key
                return False
            raise
        return prefix.rstrip("/") in (value.rpartition(":")[2].rstrip("/") for value in values)

    def notes(self, ref: str) -> Mapping[str, str]:
        """The blobs of the notes that a ref has, by the commits that they are on."""
        return list_notes(self._git, ref)

    def note(self, blob: str) -> str:
        """The text of a note, empty when it is too large to be one of ours."""
        if self._objects.size(blob) > NOTE_LIMIT:
            return ""
        return self._objects.content(blob, "blob").decode(errors="replace")

    def append_note(self, ref: str, commit_id: str, text: str) -> None:
        """Add a paragraph to the note on a commit, whoever else adds one at this moment; raises RepositoryError."""
        append_note(self._git, ref, commit_id, text)

    def signatures(self, commit_ids: Sequence[str], keys: Keys) -> Mapping[str, Signature]:
        """Who has signed each of these commits, as far as these keys can tell."""
        return read_signatures(self._git, commit_ids, keys)

    def blame(self, commit: Commit, path: str, line: int) -> Written:
        """Which commit has written this line of a file, 1-based, as it is in `commit`."""
        return blame_line(self._git, commit.id, path, line)

    def is_shallow(self) -> bool:
        """Does its history end before the first commit?"""
        return self._git.run("rev-parse", "--is-shallow-repository").strip() == b"true"

    def pin(self, ref: str, commit_id: str) -> None:
        """Keep a commit from being collected, by a ref of ours."""
        self._git.run("update-ref", ref, commit_id)


def is_true(value: str | None) -> bool:
    """Does a value of the git config say yes (git-config, "boolean")?"""
    return value is not None and value.lower() in ("true", "yes", "on", "1")


@contextmanager
def open_repository(path: Path) -> Iterator[Repository]:
    """The repository at a path, bare or not, for the length of the `with` block; raises RepositoryError."""
    directory = find_git_directory(path)
    with PythonGit(directory) as git, Objects(git) as objects:
        yield Repository(directory, git, objects)


@contextmanager
def open_pushed_repository(path: Path) -> Iterator[Repository]:
    """The repository of a running pre-receive hook, with the objects of the push."""
    git = PlainGit(path, quarantine=True)
    with Objects(git) as objects:
        yield Repository(path, git, objects)
