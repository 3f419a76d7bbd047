"""Commits and trees, read by object id from one `git cat-file` that stays open for many questions.

Nothing is checked out: what is read by id cannot change under its reader, and is held to its id, which git does not do.
Formats: gitformat-... of git, "tree" and "commit" objects.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import IO, NamedTuple

from ..config.commit import Commit
from ..config.files import BeyondBounds, Kind, PathCounter, concerns
from ..errors import RepositoryError
from .git import Git, found
from .git_process import Conversation, has_answered

COMMIT_LIMIT = 1024 * 1024
"""Bytes of a commit that are read: its head, and where its message begins; what follows is passed over."""
TOLD_LIMIT = 300
"""Characters of a subject, and of the name of an author, that are told wherever a commit is."""
PIECE = 65_536
TREE_LIMIT = 16 * 1024 * 1024
"""Bytes of a tree that is read: more than as many names take as a commit may have."""
REMEMBERED = 100_000
"""Folders, and files in them, that are not walked again when they are in the next commit too; and small trees."""
SMALL_TREE = 1_024
"""Bytes of a tree that is remembered."""

_KINDS: dict[bytes, Kind] = {b"120000": "symlink", b"160000": "submodule"}
_FOLDER = b"40000"
_OBJECT_ID = re.compile(rb"[0-9a-f]{40}|[0-9a-f]{64}")
"""Whole: git would take a part of one, or `HEAD^{tree}`, for the object that it means today."""
_LATIN_1 = ("latin1", "latin-1", "iso8859-1", "iso-8859-1", "iso-latin-1")
_FSCK = "run git fsck in the repository"


class Entry(NamedTuple):
    """A file of a commit that belongs to the configuration."""

    path: str
    kind: Kind
    blob: str


class Folder(NamedTuple):
    """What of a folder belongs to the configuration, and how many files and folders are below it."""

    entries: tuple[Entry, ...]
    paths: int


class Objects:
    """Answers from the object store; git starts at the first question and ends with the `with` block."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._conversation: Conversation | None = None
        self._exit = ExitStack()
        self._walked: dict[tuple[str, str], Folder] = {}
        self._trees: dict[str, bytes] = {}
        self._remembered = 0
        """How many folders, files and trees these two have."""
        self._sizes: dict[str, int] = {}

    def __enter__(self) -> Objects:
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def size(self, object_id: str) -> int:
        """Bytes of an object's content, without reading it."""
        if object_id not in self._sizes:
            self._sizes[object_id] = self._ask("info", object_id)[1]
        return self._sizes[object_id]

    def measure(self, object_id: str) -> tuple[str, int]:
        """The kind of an object, and the bytes of its content; an id from outside may be none, or that of nothing."""
        if not _OBJECT_ID.fullmatch(object_id.encode(errors="replace")):
            return "", 0
        try:
            return self._ask("info", object_id)[:2]
        except RepositoryError:
            return "", 0

    def content(self, object_id: str, kind: str, most: int | None = None) -> bytes:
        """The content of an object of this kind, of which `most` bytes at the most are kept.

        Raises RepositoryError where it is not whole, or another one's.
        """
        found, size, stdout = self._ask("contents", object_id)
        if found != kind:
            self._end()
            raise RepositoryError(f"object {object_id} is a {found}, not a {kind}", _FSCK)
        content = stdout.read(size if most is None else min(size, most))
        digest = _digest(found, size, len(object_id))
        digest.update(content)
        for left in range(size - len(content), 0, -PIECE):
            digest.update(stdout.read(min(left, PIECE)))
        if not stdout.read(1):  # the line feed after it; read by itself, since to cut it off would be to copy all
            self._end()
            raise RepositoryError(f"object {object_id} cannot be read whole", _FSCK)
        if digest.hexdigest() != object_id:
            raise RepositoryError(f"object {object_id} is not what its id says: another one stands under it", _FSCK)
        return content

    def commit(self, commit_id: str) -> Commit:
        """The commit of this id."""
        head, _, message = self._read_commit(commit_id)
        fields = _fields(head)
        codec = _codec(fields)
        seconds = fields.get(b"committer", b"").rpartition(b"> ")[2].split(b" ")[0]
        if not _OBJECT_ID.fullmatch(fields.get(b"tree", b"")):
            raise RepositoryError(f"commit {commit_id} names no tree", _FSCK)
        return Commit(
            id=commit_id,
            tree=fields[b"tree"].decode(),
            subject=_told(b" ".join(message.strip().split(b"\n\n")[0].split(b"\n")), codec),
            author=_told(fields.get(b"author", b"").partition(b"<")[0].strip(), codec),
            committed_at=_time(seconds),
        )

    def names_parent(self, commit_id: str) -> bool:
        """Was this commit made on another one, whether that is here or not?"""
        return b"\nparent " in self._read_commit(commit_id)[0]

    def message(self, commit_id: str) -> str:
        """The message of a commit."""
        head, _, message = self._read_commit(commit_id)
        return message.decode(_codec(_fields(head)), errors="replace")

    def _read_commit(self, commit_id: str) -> tuple[bytes, bytes, bytes]:
        """The head of a commit and its message, and what lies between them."""
        return self.content(commit_id, "commit", COMMIT_LIMIT).partition(b"\n\n")

    def entries(self, tree: str) -> tuple[Entry, ...]:
        """The files of a tree that belong to the configuration; folders already walked are not walked again.

        A small pack can name a tree without end: where it is beyond a bound of `PathCounter`, that is the one entry.
        """
        if self._remembered >= REMEMBERED:
            self._walked.clear()
            self._trees.clear()
            self._remembered = 0
        try:
            return self._walk("", tree, PathCounter()).entries
        except BeyondBounds as bound:
            return self._walked.setdefault(("", tree), Folder((Entry(bound.path, bound.kind, tree),), 0)).entries

    def _walk(self, prefix: str, tree: str, counter: PathCounter) -> Folder:
        known = self._walked.get((prefix, tree))
        if known is not None:
            counter.walk(prefix, known.paths)
            counter.find(prefix, len(known.entries))
            return known
        found: list[Entry] = []
        before = counter.paths
        for mode, name, object_id in _parse_tree(self._tree(prefix, tree), len(tree) // 2):
            path = prefix + name
            counter.walk(path)
            if mode == _FOLDER:
                found += self._walk(f"{path}/", object_id, counter).entries
            elif concerns(path, kind := _KINDS.get(mode, "file")):
                counter.find(path)
                found.append(Entry(path, kind, object_id))
        folder = Folder(tuple(found), counter.paths - before)
        if self._remembered < REMEMBERED or not prefix:
            self._walked[prefix, tree] = folder
            self._remembered += 1 + len(found)
        return folder

    def _tree(self, prefix: str, tree: str) -> bytes:
        """The content of a tree, for which git is not asked again: a folder may be in many places."""
        content = self._trees.get(tree)
        if content is None:
            if self.size(tree) > TREE_LIMIT:
                raise BeyondBounds(prefix, "too-many-paths")
            content = self.content(tree, "tree")
            if len(content) <= SMALL_TREE and self._remembered < REMEMBERED:
                self._trees[tree] = content
                self._remembered += 1
        return content

    def _ask(self, command: str, object_id: str) -> tuple[str, int, IO[bytes]]:
        """Kind and size, in the line `<id> <type> <size>` (git-cat-file, "Batch Output"); the content follows it."""
        if self._conversation is None:
            self._conversation = self._exit.enter_context(self._git.converse("cat-file", "--batch-command"))
        try:
            self._conversation.stdin.write(f"{command} {object_id}\n".encode())
            self._conversation.stdin.flush()
        except OSError:
            self._end()
            raise RepositoryError(f"git ended before object {object_id} was read", _FSCK) from None
        if not has_answered(self._conversation):
            self._end()
            raise RepositoryError(f"object {object_id} cannot be read: git does not answer", _FSCK)
        words = self._conversation.stdout.readline().split()
        if len(words) != 3 or words[0] != object_id.encode():  # git also takes names, and tells what it has found
            self._end()
            raise self._missing(object_id)
        return words[1].decode(), int(words[2]), self._conversation.stdout

    def _missing(self, object_id: str) -> RepositoryError:
        """Why an object is not there: a partial clone leaves out what its filter says (git-clone, "--filter")."""
        if found(self._git, "config", "--get-regexp", r"^remote\..*\.promisor$") is None:
            return RepositoryError(f"object {object_id} cannot be read", _FSCK)
        message = f"object {object_id} is not here: the clone is partial, made with --filter"
        return RepositoryError(message, "fetch the rest: git fetch --refetch --no-filter, or clone without --filter")

    def _end(self) -> None:
        """Part from a git of which an answer is left unread: it would be taken for that to the next question."""
        self._exit.close()
        self._conversation = None


def _digest(kind: str, size: int, width: int) -> hashlib._Hash:
    """What makes the id of an object, in so many hex digits, once its content follows (gitformat-loose)."""
    digest = hashlib.sha1(usedforsecurity=False) if width == 40 else hashlib.sha256()
    digest.update(b"%b %d\0" % (kind.encode(), size))
    return digest


def _parse_tree(content: bytes, width: int) -> Iterator[tuple[bytes, str, str]]:
    """Mode, name and object id of each entry: `<mode> <name>\\0<id of `width` bytes>`."""
    position, names = 0, set[bytes]()
    while position < len(content):
        end = content.find(b"\0", position)
        mode, _, name = content[position:end].partition(b" ")
        position = end + 1 + width
        if end < 0 or position > len(content):
            raise RepositoryError("a tree cannot be parsed", _FSCK)
        if name in names or b"/" in name:  # git does not look again, and which of two is meant is not known
            raise RepositoryError("a tree has a name twice, or one with a slash", _FSCK)
        names.add(name)
        mode = mode.lstrip(b"0")  # programs of old have padded it (git-fsck, "zeroPaddedFilemode")
        yield mode, name.decode(errors="surrogateescape"), content[end + 1 : position].hex()


def _fields(head: bytes) -> dict[bytes, bytes]:
    """The fields of a commit's head; of two with one name the first counts."""
    return dict(line.split(b" ", 1) for line in reversed(head.split(b"\n")) if b" " in line)


def _codec(fields: dict[bytes, bytes]) -> str:
    """No codec is looked up by a name from outside: some of them take hours."""
    named = fields.get(b"encoding", b"").decode(errors="replace").lower().replace("_", "-")
    return "latin-1" if named in _LATIN_1 else "utf-8"


def _told(text: bytes, codec: str) -> str:
    """The beginning of a text, as it is told."""
    whole = text.decode(codec, errors="replace")
    return whole if len(whole) <= TOLD_LIMIT else f"{whole[:TOLD_LIMIT]}…"


def _time(seconds: bytes) -> datetime:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
