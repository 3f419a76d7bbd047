"""The last good map: the content that was served last, kept on disk so that it survives a restart.

One file: the SHA-256 of all that follows, a line of JSON, the contents one after the other, each once. It is written
aside, synced and renamed, so that it is whole or absent. It names its repository; that of another is never given back.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ..config.commit import Commit, Signer
from ..config.files import File
from ..repository.remote.copy_path import is_mirror
from ..runtime.atomic_file import remove_abandoned, replacing, sync_folder
from ..runtime.chunks import ChunkedWriter, chunks
from ..runtime.regular_file import open_regular, read_regular

FILE_NAME = "last-good"
FORMAT = 2
BEFORE = 1
"""The format in which a content that is in several places stands as often."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which repository: the id in its config (empty where it has none, or was not asked yet), and its place."""

    id: str
    place: str

    def is_same(self, other: Identity) -> bool:
        """By id where both have one, by place where not."""
        return self.id == other.id if self.id and other.id else self._is_at(other.place)

    def is_here(self, other: Identity) -> bool:
        """Is it the same one, or another that stood at the same place?"""
        return self._is_at(other.place) or self.is_same(other)

    def _is_at(self, place: str) -> bool:
        """Is it there? The copy of a remote is named after its URL, and is the same wherever its state directory is."""
        here, there = Path(self.place), Path(place)
        return here == there or (here.name == there.name and is_mirror(here))

    def is_another(self, other: Identity) -> bool:
        """Do both have an id, and not the same one?"""
        return bool(self.id and other.id and self.id != other.id)


@dataclass(frozen=True, slots=True)
class LastGood:
    """A commit and its files, as they were served; `roots`: the first commits behind it, none where unknown."""

    identity: Identity
    commit: Commit
    files: tuple[File, ...]
    roots: tuple[str, ...] = ()


def save(directory: Path, last_good: LastGood) -> None:
    """Put it in the directory, made where it is missing, in place of what is there.

    Raises OSError, and then nothing has changed.
    """
    files = [file for file in last_good.files if file.content is not None]
    commit, identity = last_good.commit, last_good.identity
    header = {
        "format": FORMAT,
        "repository": {"id": identity.id, "place": identity.place},
        "commit": {
            "id": commit.id,
            "tree": commit.tree,
            "subject": commit.subject,
            "author": commit.author,
            "committed_at": commit.committed_at.isoformat(),
        },
        "signer": commit.signer,
        "pusher": commit.pusher,
        "roots": last_good.roots,
        "files": [{"path": file.path, "blob": file.blob, "size": file.size} for file in files],
    }
    contents = {file.blob: file.content or b"" for file in files}
    _write(directory, [json.dumps(header).encode() + b"\n", *contents.values()])


def load(directory: Path) -> LastGood | None:
    """What was put there, None where nothing was; raises ValueError when it is torn or the work of another version."""
    try:
        stored = read_regular(directory / FILE_NAME)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError(error.strerror) from error
    digest, _, rest = stored.partition(b"\n")
    if digest.decode(errors="replace") != hashlib.sha256(rest).hexdigest():
        raise ValueError("the file is not whole")
    text, _, contents = rest.partition(b"\n")
    try:
        header = json.loads(text)
        if header["format"] not in (FORMAT, BEFORE):
            raise ValueError(f"format {header['format']} is of another version")
        signer = Signer(*header["signer"]) if header.get("signer") else None
        commit = replace(_commit(header["commit"], signer), pusher=header.get("pusher"))
        files = _files(header["files"], contents, once=header["format"] == FORMAT)
        roots = tuple(map(str, header.get("roots", ())))  # an earlier version did not write them
        return LastGood(Identity(**header["repository"]), commit, files, roots)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("the file is of another version") from error


def kept_identity(directory: Path) -> Identity | None:
    """Of which repository content is kept there, which may be torn; None where none is."""
    try:
        with os.fdopen(open_regular(directory / FILE_NAME, os.O_RDONLY), "rb") as file:
            file.readline()
            return Identity(**json.loads(file.readline())["repository"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _commit(fields: dict[str, str], signer: Signer | None) -> Commit:
    committed_at = datetime.fromisoformat(fields.pop("committed_at"))
    return Commit(**fields, committed_at=committed_at, signer=signer)


def _files(entries: list[dict[str, str | int]], contents: bytes, *, once: bool) -> tuple[File, ...]:
    files, position, by_blob = [], 0, dict[str, bytes]()
    for entry in entries:
        blob, size = str(entry["blob"]), int(entry["size"])
        if blob not in by_blob or not once:
            by_blob[blob] = contents[position : position + size]
            position += size
        files.append(File(str(entry["path"]), "file", size, blob, by_blob[blob]))
    return tuple(files)


def _write(directory: Path, parts: Sequence[bytes]) -> None:
    digest = hashlib.sha256()
    for part in parts:
        for piece in chunks(part):
            digest.update(piece)
    directory.mkdir(mode=0o750, exist_ok=True)  # no parents: a repository that was moved away must not come back
    remove_abandoned(directory / FILE_NAME)
    with replacing(directory / FILE_NAME) as file:
        file.write(digest.hexdigest().encode() + b"\n")
        for part in parts:
            ChunkedWriter(file).write(part)
    sync_folder(directory)
