"""Commits, their files, who changed what: every question that is put to git, one small method each.

Everything is read from a commit's tree by object id, never from a working copy.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..config.commit import Commit
from ..config.files import File
from ..errors import RepositoryError, UnknownRevision
from ..text import listed
from .config import PROC_RECEIVE, config_matching, config_number, config_values, read_section
from .files import Knows, knows_nothing, read_files
from .git import Git, GitFailed, PlainGit, PythonGit
from .new_commits import Author, Merge, change_files, make_blob, make_commit, merge_trees, move_ref
from .objects import COMMIT_LIMIT, Entry, Objects
from .refs import Resolver, is_id, read_ref, read_target
from .revisions import Revisions
from .signatures import Keys, Signature, read_signatures

if TYPE_CHECKING:
    from .blame import Written


NOTE_LIMIT = 64 * 1024
"""Bytes of a note that is read: a larger one is not ours."""


class Repository(Revisions):
    """One repository, for one thread."""

    def __init__(self, directory: Path, git: Git, objects: Objects) -> None:
        super().__init__(git)
        self.directory = directory
        self._objects = objects
        self._resolver = Resolver(git, objects)

    def settings(self) -> Mapping[str, str]:
        """Our section of the git config, keys in lower case as git gives them; a key without `=` is "true"."""
        return read_section(self._git)

    def served_ref(self, settings: Mapping[str, str]) -> str:
        """The full name of the ref that is served: the configured branch, else what HEAD names."""
        if branch := settings.get("branch"):
            return f"refs/heads/{branch}"
        try:
            return read_target(self._git, "HEAD") or "HEAD"  # detached
        except GitFailed as error:
            from .fingerprint import symref_target  # the hook has no need of it

            target = symref_target(self.directory / "HEAD")
            if target is None or "No such ref" not in error.message:
                raise
            return target  # git follows it, and stops where its file names no commit

    def read_ahead(self, *refs: str) -> None:
        """Ask git once for what these refs name: from here on that is told of each, until it is written here."""
        self._resolver.read_ahead(refs)

    def tip(self, ref: str) -> str | None:
        """The id of the commit that a ref names, by its full name; None where the ref is not there."""
        return self._resolver.tip(ref)

    def tips(self, ref: str, tip: str, limit: int) -> list[str]:
        """At most `limit` commits that a ref has named up to this one, newest first; none where it has no log."""
        return self._resolver.tips(ref, tip, limit)

    def has_commit(self, commit_id: str) -> bool:
        """Is there a commit of this full id?"""
        return self._objects.measure(commit_id)[0] == "commit"

    def served_commit(self) -> Commit:
        """The newest commit of what is served; raises UnknownRevision where it has none."""
        ref = self.served_ref(self.settings())
        commit_id = self.tip(ref)
        if commit_id is None:
            raise self._unknown(ref)
        return self.commit(commit_id)

    def require_not_lost(self, ref: str) -> None:
        """Raises RepositoryError where a ref without a commit is not simply absent: what it names, or it, is lost."""
        named = read_ref(self._git, ref)
        hint = "run git fsck in the repository, and restore what it misses from a backup or push it again"
        if named is not None:
            raise RepositoryError(f"{ref} names {named}, which is lost: no such commit is here", hint)
        if self._loose(ref).is_file():
            raise RepositoryError(f"{ref} cannot be read: its file names no commit", hint)

    def find_commit(self, revision: str) -> Commit:
        """The commit that a person means; raises UnknownRevision, which says what is there."""
        try:
            commit_id = _only(revision, self._resolver.find(revision))
        except GitFailed:
            commit_id = None
        if commit_id is None:
            raise self._unknown(revision)
        return self.commit(commit_id)

    def find_id(self, beginning: str, is_meant: Callable[[str], bool]) -> str | None:
        """The commit whose id begins so, of those that are meant; None where there is none.

        At least seven digits are asked for. Raises UnknownRevision where there are several.
        """
        return _only(beginning, [*filter(is_meant, self._resolver.commits(beginning))])

    def find_served(self, revision: str) -> Commit:
        """The commit of an id, whole or shortened, that comes from who may see the served branch and nothing else.

        Raises UnknownRevision, also for a commit that is there and that the branch does not have.
        """
        served = self.tip(self.served_ref(self.settings()))
        commit_id = self.find_id(revision, lambda one: served is not None and self.is_ancestor(one, served))
        if commit_id is None:
            raise UnknownRevision(f"the served branch has no commit {revision[:64]!r}")
        return self.commit(commit_id)

    def _unknown(self, revision: str) -> UnknownRevision:
        return UnknownRevision(f"there is no revision {revision!r} in {self.directory}", self._what_is_here(revision))

    def _what_is_here(self, revision: str) -> str:
        if is_id(revision) and (named := self._resolver.refs_named(revision)):
            return f"it is read as an id; to name a ref write {named[0]}"
        if self.is_shallow():
            return "the clone is shallow, so older commits are not here: git fetch --unshallow"
        names = self.branches()
        return f"branches here: {listed(names)}" if names else "the repository has no branch yet"

    def symbolic_refs(self, missing: Iterable[str] = ()) -> Mapping[str, str]:
        """The refs that stand for another one, and which; `missing` are asked for too, since git lists none of them."""
        text = self._git.run("for-each-ref", "--format=%(refname)%00%(symref)").decode(errors="surrogateescape")
        pairs = (line.split("\0") for line in text.split("\n")[:-1])
        hidden = {name: read_target(self._git, name) or "" for name in missing}
        return {name: target for name, target in (*pairs, *hidden.items()) if target}

    def branches(self) -> list[str]:
        """The short names of all branches."""
        return [name.removeprefix("refs/heads/") for name in self.refs_below("refs/heads/")]

    def refs_below(self, *folders: str) -> list[str]:
        """The full names of the refs that have one of these names, or are in folders of these names."""
        text = self._git.run("for-each-ref", "--format=%(refname)", *folders).decode(errors="surrogateescape")
        return text.split("\n")[:-1]

    def hooks_folder(self) -> Path | None:
        """Where git looks for hooks, `core.hooksPath` respected; None where there is a working copy."""
        if self._git.run("rev-parse", "--is-bare-repository").strip() != b"true":
            return None
        folders = self._git.run("config", "--null", "--type=path", "--get-all", "core.hooksPath").split(b"\0")[:-1]
        *own, _ = map(os.fsdecode, folders)  # the last is that of `NOTHING_RUNS`
        return self.directory.absolute() / (own[-1] if own else "hooks")

    def formats(self) -> tuple[str, str]:
        """How objects are named, and how refs are stored (git-config, "extensions")."""
        objects = self._git.run("rev-parse", "--show-object-format").decode().strip()
        return objects, (self.config("extensions.refStorage") or ["files"])[-1]

    def config(self, key: str) -> list[str]:
        """The values of a key in the repository's git config."""
        return config_values(self._git, key)

    def fsck_exceptions(self) -> Mapping[str, str]:
        """What a push may have that git otherwise refuses, by key (git-config, "receive.fsck.<msg-id>")."""
        return config_matching(self._git, r"^receive\.fsck\.")

    def largest_push(self) -> int | None:
        """Bytes that the pack of a push may have (git-config, "receive.maxInputSize"); None where there is no limit."""
        return config_number(self._git, "receive.maxInputSize") or None

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

    def files(self, entries: Iterable[Entry], knows: Knows = knows_nothing) -> list[File]:
        """The files of these entries; those that `knows(path, blob)`, or that are too large, without content."""
        return read_files(self._objects, entries, knows)

    def files_of(self, commit: Commit, knows: Knows = knows_nothing) -> list[File]:
        """The files of a commit, as `files` gives them."""
        return self.files(self.entries(commit), knows)

    def measure(self, blob: str) -> int:
        """Bytes of a content, which is not read; its id may come from outside, and be none."""
        return self._objects.measure(blob)[1]

    def content_at(self, tree: str, path: str) -> bytes:
        """The content of a file of a tree; empty where there is none."""
        try:
            return self._git.run("cat-file", "blob", f"{tree}:{path}")
        except GitFailed:
            return b""

    def is_cut(self, commit_id: str) -> bool:
        """Does a shallow clone end with this commit, though it was made on another?"""
        return self._objects.names_parent(commit_id) and not self.parents(commit_id)

    def blob(self, blob: str, limit: int) -> bytes | None:
        """A content by its id, which may come from outside; None where there is none, or it is larger than `limit`."""
        kind, size = self._objects.measure(blob)
        return self._objects.content(blob, "blob") if kind == "blob" and size <= limit else None

    def named(self, ref: str) -> str | None:
        """The id of the object that a ref names, by its full name: of a tag its own. None where it is not there."""
        return self._resolver.named(ref)

    def has_object(self, object_id: str) -> bool:
        """Is there an object of this full id?"""
        return self._objects.measure(object_id)[0] != ""

    def tag(self, tag: str, limit: int) -> bytes | None:
        """The text of an annotated tag; None where the object is none, or is larger than `limit`."""
        kind, size = self._objects.measure(tag)
        return self._objects.content(tag, "tag") if kind == "tag" and size <= limit else None

    def message(self, commit_id: str) -> str:
        """The whole message of a commit."""
        return self._objects.message(commit_id)

    def trailers(self, commit_id: str, key: str) -> list[str]:
        """The values of a trailer at the end of a commit's message (git-interpret-trailers), in order.

        A message that is not read to its end has none.
        """
        if self._objects.size(commit_id) > COMMIT_LIMIT:
            return []
        message = self.message(commit_id).encode(errors="replace")
        lines = self._git.run("interpret-trailers", "--parse", "--no-divider", stdin=message).decode().split("\n")
        found = (line.partition(": ") for line in lines)
        return [value for name, _, value in found if name.lower() == key.lower() and value]

    def handles(self, prefix: str) -> bool:
        """Are pushes to refs below this prefix handed to the hook proc-receive, and no refs made?"""
        values = self.config(PROC_RECEIVE)
        return prefix.rstrip("/") in (value.rpartition(":")[2].rstrip("/") for value in values)

    def notes(self, ref: str) -> Mapping[str, str]:
        """The blobs of the notes that a ref has, by the commits that they are on."""
        from .notes import list_notes  # most who ask a repository ask for none

        commit_id = self.tip(ref)
        return list_notes(self._git, commit_id) if commit_id else {}

    def note(self, blob: str) -> str:
        """The text of a note, empty when it is too large to be one of ours."""
        if self._objects.size(blob) > NOTE_LIMIT:
            return ""
        return self._objects.content(blob, "blob").decode(errors="replace")

    def append_notes(self, ref: str, commit_ids: Sequence[str], text: str, attempts: int | None = None) -> None:
        """Add a paragraph to the note on the last of these commits, also while other processes add one, and let it be
        the note on the others that have none; raises RepositoryError, after so many attempts.
        """
        from .notes import append_notes  # as above

        self._resolver.forget(ref)
        append_notes(self._git, ref, commit_ids, text, attempts)

    def signatures(self, commit_ids: Sequence[str], keys: Keys) -> Mapping[str, Signature]:
        """Who has signed each of these commits, as far as these keys can tell."""
        return read_signatures(self._git, commit_ids, keys)

    def blame(self, commit: Commit, path: str, lines: Iterable[int]) -> Mapping[int, Written]:
        """Which commit has written each of these lines of a file, 1-based, as it is in `commit`."""
        from .blame import blame_lines  # nor does the hook ask who wrote a line

        return blame_lines(self._git, commit.id, path, lines)

    def make_commit(self, tree: str, parents: Sequence[str], message: str, author: Author) -> str:
        """The id of a new commit that no ref names."""
        return make_commit(self._git, tree, parents, message, author)

    def make_tag(self, text: str) -> str:
        """The id of a new annotated tag that no ref names (git-mktag)."""
        return self._git.run("mktag", stdin=text.encode(errors="replace")).decode().strip()

    def commit_folder(self, folder: Path, message: str, changes: Mapping[str, bytes | None]) -> str:
        """The id of a first commit that holds the files of a folder, but for these; no ref names it."""
        from .new_repository import commit_folder  # the hook makes no repository, and does not wait for this

        return commit_folder(self._git, folder, message, changes)

    def make_blob(self, content: bytes) -> str:
        """The id of a content that no tree names yet: git keeps it for two weeks (git-gc, "gc.pruneExpire")."""
        return make_blob(self._git, content)

    def change_files(self, tree: str, contents: Mapping[str, bytes | None]) -> str:
        """The id of a tree in which these files have these contents, None: are not there, and all others stay."""
        return change_files(self._git, tree, contents)

    def merge_trees(self, base: str, ours: str, theirs: str, author: Author) -> Merge:
        """Our tree with what differs between `base` and `theirs`; raises GitUnavailable where git is too old."""
        return merge_trees(self._git, base, ours, theirs, author)

    def move_ref(self, ref: str, new: str, old: str, why: str, author: Author) -> None:
        """Let a ref that names `old` name `new`; `why` goes to its log. Raises GitFailed where it names another."""
        self._resolver.forget(ref)
        move_ref(self._git, ref, new, old, why, author)

    def delete_ref(self, ref: str, old: str) -> None:
        """Take away a ref that names this object. Raises GitFailed where it names another."""
        self._resolver.forget(ref)
        self._git.run("update-ref", "-d", ref, old)

    def set_config(self, key: str, value: str) -> None:
        """Let a key of the repository's git config have this one value."""
        self._git.run("config", key, value)

    def add_config(self, key: str, value: str) -> None:
        """Give a key of the repository's git config this value too."""
        self._git.run("config", "--add", key, value)

    def has_torn_ref(self, ref: str) -> bool:
        """Is there a file of a ref that names nothing, which git takes for no ref?"""
        return self._loose(ref).is_file() and read_ref(self._git, ref) is None  # the file is asked without git

    def remove_torn_ref(self, ref: str) -> None:
        """Take such a file away, which git itself cannot; raises OSError."""
        if self.has_torn_ref(ref):
            self._resolver.forget(ref)
            self._loose(ref).unlink(missing_ok=True)

    def _loose(self, ref: str) -> Path:
        from .git_dir import common_directory  # the hook's repository is where git says

        return common_directory(self.directory) / ref

    def bundle(self, ref: str) -> bytes:
        """All that a ref leads to, as one file (git-bundle)."""
        return self._git.run("bundle", "create", "--quiet", "-", ref)

    def keep(self, ref: str, commit_id: str) -> None:
        """Keep a commit from being collected, by a ref of ours."""
        self._resolver.forget(ref)
        self._git.run("update-ref", ref, commit_id)


def _only(revision: str, ids: Sequence[str]) -> str | None:
    """The one commit; None where there is none. Raises UnknownRevision where there are several."""
    if len(ids) > 1:
        raise UnknownRevision(f"{revision!r} can mean {len(ids)} commits", f"write a whole id, such as {ids[0]}")
    return ids[0] if ids else None


@contextmanager
def open_repository(path: Path) -> Iterator[Repository]:
    """The repository at a path, bare or not, for the length of the `with` block; raises RepositoryError."""
    from .git_dir import find_git_directory  # the hook's repository is git's own to find, and to judge
    from .ownership import require_own

    directory = find_git_directory(path)
    require_own(path, directory)
    with PythonGit(directory) as git, Objects(git) as objects:
        yield Repository(directory, git, objects)


@contextmanager
def open_pushed_repository(path: Path, *, quarantine: bool = True) -> Iterator[Repository]:
    """The repository of a running hook, with the objects of the push; without `quarantine` what is written stays."""
    git = PlainGit(path, quarantine=quarantine)
    with Objects(git) as objects:
        yield Repository(path, git, objects)
