"""A partial clone of a remote: the history of one branch, and of its files only those that make the map.

It is fetched as `git clone --bare --filter=blob:none` would (git-clone, "--filter"), and the contents that are read in
one further request, as git itself fetches what it misses (promisor-remote.c). `refs/remotes/origin/<branch>` moves when
all is there.

That the clone is partial is said to the gits that fetch and pack, and not in its config: nothing that reads it fetches.
git 2.39 would: for an object that is missing it calls a `git fetch`, which misses it too, and so on without end.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from ...errors import RepositoryError
from ..config import SECTION
from ..ownership import require_own
from .backup import kept_notes, notes_file
from .failures import RemoteError
from .faults import CopyDamaged
from .fetch import RemoteFailed, RemoteGit
from .leftovers import remove_leftovers

REMOTE = "origin"
TRACKED = f"refs/remotes/{REMOTE}/"
FILES = ("policy.toml", ":(glob)*.csv", "locations", "views")
"""Where the files are that are read, as git takes it (gitglossary, "pathspec"); for a glob it walks into no folder."""

_INCOMING = "refs/incoming/"
_TIP = f"{_INCOMING}tip"
HOW = ("--progress", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--recurse-submodules=no")
_MARKED = ("-c", f"remote.{REMOTE}.promisor=true", "-c", f"remote.{REMOTE}.partialclonefilter")
_PARTIAL = (*_MARKED[:-1], f"{_MARKED[-1]}=blob:none")
_NEXT = (*_MARKED[:-1], f"{_MARKED[-1]}=blob:limit=1m")
"""A commit after one that is here: contents come with it, as what differs, in the same request."""
BY_ID = (*_PARTIAL, "-c", "fetch.negotiationAlgorithm=noop")
"""What a git is told that fetches contents by their ids: what is here has no bearing on them."""
_NO_PACK = ("pack header", "early EOF", "unresolved delta", "index-pack")
"""What is said where the remote has not all that it was to give, or gives a difference to what is not here."""
HARMLESS = ("badTimezone", "missingSpaceBeforeDate", "zeroPaddedFilemode")
"""What old programs have written into histories (git-fsck, "FSCK MESSAGES"); those of a forge cannot be corrected."""
_OLD = re.compile(f"object [0-9a-f]{{40,64}}: ({'|'.join(HARMLESS)}): ")
"""What git < 2.44 says of them where it fetches a part: it takes no settings there (git-index-pack(1))."""
_KIND = f"{SECTION}.copy"
"""The key that says whether this clone is `partial` or `whole`."""
_SETTINGS = {
    "fetch.fsckObjects": "true",
    **dict.fromkeys(map("fetch.fsck.{}".format, HARMLESS), "ignore"),
    "core.bare": "true",
    "gc.reflogExpire": "never",  # to what was active once, a branch may go back over a limit
    "transfer.hideRefs": "refs/location-policy",  # of us alone, where the copy itself is cloned from
    "uploadpack.hideRefs": "refs/remotes",
    "gc.autoDetach": "false",  # git >= 2.47 leaves a process at each fetch: a zombie where we are the container's init
}
_WHOLE = "follow what it is a clone of, or make it whole there: git fetch --unshallow"
_OURS = "refs/location-policy/"
_ACCEPTED = f"{SECTION}.acceptedHistory"
_SERVICE = f"{SECTION}.ofService"
"""The key that says that a service has told what was to be fetched."""


class Content(NamedTuple):
    """What a clone has: the commits that its remote had, by branch; and how many digits an id has."""

    tips: Mapping[str, str]
    id_length: int


class Kept(NamedTuple):
    """What a clone has that its remote has not: refs of ours, the history that was accepted, and the logs of refs."""

    directory: Path
    branch: str
    refs: Mapping[str, str]
    accepted: str


class PartialClone:
    """The clone in a directory; for one thread."""

    def __init__(self, git: RemoteGit, directory: Path, url: str, settings: Mapping[str, str]) -> None:
        """`url` has no secret in it; `settings`: what its config says."""
        self.directory = directory
        self._git = git
        self._url = url
        self._settings = {f"remote.{REMOTE}.url": url, **_SETTINGS, **settings}

    def make(self, id_length: int = 40) -> None:
        """Make it, empty, where there is none yet, and let it have its settings; what is right is not written.

        Raises RepositoryError where it cannot be written, ForeignRepository where another user has made it.
        """
        if self.directory.is_symlink():
            raise linked(self.directory)
        if self.directory.exists() and not self.directory.is_dir():
            raise CopyDamaged(f"{self.directory} is a file")
        kind = {}
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise RepositoryError(f"{self.directory} cannot be made: {error.strerror}") from None
        require_own(self.directory, self.directory)
        if not self.is_there():
            ids = "sha256" if id_length > 40 else "sha1"
            self._run("init", "--quiet", "--bare", "--template=", "--initial-branch=main", f"--object-format={ids}")
            kind = {_KIND: "partial"}
        there = self._config()
        for key, value in {**self._settings, **kind}.items():
            if there.get(key.lower()) != value:
                self._run("config", key, value)

    def _config(self) -> Mapping[str, str]:
        lines = self._run("config", "--local", "--null", "--list").decode(errors="surrogateescape").split("\0")
        return dict(line.partition("\n")[::2] for line in lines)

    def content(self) -> Content:
        """What is there; raises RepositoryError where that cannot be read."""
        tips = {ref.removeprefix(TRACKED): commit_id for ref, commit_id in self._refs(TRACKED).items()}
        kind = self._run("rev-parse", "--show-object-format").strip()
        return Content(tips, 64 if kind == b"sha256" else 40)

    def is_there(self) -> bool:
        """Has nobody taken it away?"""
        return (self.directory / "HEAD").exists() and (self.directory / "objects").is_dir()

    def require_whole(self) -> Mapping[str, str]:
        """Its config; raises CopyDamaged where it is not as it was written, RemoteFailed where a commit is missing."""
        there = self._config()
        if _KIND not in there:
            raise CopyDamaged(f"{self.directory} is of an earlier version, or has lost its config")
        for key, value in self._settings.items():
            if there.get(key.lower()) != value:
                raise CopyDamaged(f"{self.directory} has lost {key} in its config")
        self._run("rev-list", "--count", "--all")
        return there

    def fetch(
        self,
        branch: str,
        environment: Mapping[str, str],
        others: Sequence[str] = (),
        commit_id: str | None = None,
        *,
        is_next: bool = False,
    ) -> tuple[str, bool]:
        """Fetch a branch, and then all contents that are read; its tip, and whether the remote has left out the rest.

        `others`: commits that are fetched besides, if the remote has them. `commit_id`: one that is taken for the tip,
        wherever the branch is. `is_next`: one that was before it is here, and what is small beside the map may come.
        Raises RepositoryError.
        """
        remove_leftovers(self.directory, self._git.standstill)
        options = _options(self.require_whole())
        began, wanted = time.time(), f"+{commit_id or f'refs/heads/{branch}'}:{_TIP}"
        try:
            said, is_partial = self._fetch_tip(environment, wanted, options, is_next=is_next)
            for number, other in enumerate(others):
                with suppress(RemoteFailed):  # many a server gives a commit only while a ref names it
                    self._fetch(environment, f"+{other}:{_INCOMING}{number}", options=options)
            is_filtered = is_partial and "filtering not recognized" not in said
            if missing := self._missing():
                is_filtered = self._fetch_contents(environment, missing, wanted)
            tip = self._track(branch)
        except BaseException:
            remove_leftovers(self.directory, self._git.standstill, began)
            raise
        return tip, is_filtered

    def _fetch_tip(
        self, environment: Mapping[str, str], wanted: str, options: Sequence[str], *, is_next: bool
    ) -> tuple[str, bool]:
        """Fetch a commit: with what differs from one that is here, without contents where that cannot be had, or with
        all contents where old history is to be checked. What git says, and whether contents were left out.
        """
        if options and is_next:
            try:
                return self._fetch(environment, wanted, options=_NEXT), True
            except RemoteFailed as error:
                if not any(words in error.stderr for words in _NO_PACK):
                    raise
        try:
            return self._fetch(environment, wanted, options=options), bool(options)
        except RemoteFailed as error:
            if not options or not _OLD.search(error.stderr):
                raise
        return self._fetch_all(environment, wanted), False

    def _fetch_all(self, environment: Mapping[str, str], wanted: str) -> str:
        """Fetch all there is of a commit, whatever is here; what git says."""
        said = self._fetch(environment, "--refetch", wanted)
        self._run("config", _KIND, "whole")
        return said

    def _fetch(
        self, environment: Mapping[str, str], *words: str, stdin: bytes = b"", options: Sequence[str] = ()
    ) -> str:
        """What git says while it fetches."""
        _, said = self._git.run(
            self.directory, "fetch", *HOW, REMOTE, *words, stdin=stdin, options=options, environment=environment
        )
        if "shallow roots" in said:  # and git takes that for a success
            raise RemoteError("remote", f"{self._url} is a shallow clone, so its history does not come", _WHOLE)
        return said

    def _fetch_contents(self, environment: Mapping[str, str], missing: Sequence[str], wanted: str) -> bool:
        """Fetch these contents; False where the remote gives none by its id, and so has had to give all there is."""
        try:
            self._fetch(environment, "--stdin", stdin="\n".join([*missing, ""]).encode(), options=BY_ID)
        except RemoteFailed as error:
            if not any(words in error.stderr for words in ("not our ref", "unadvertised object")):
                raise
            self._fetch_all(environment, wanted)
            return False
        return True

    def _missing(self) -> list[str]:
        """The ids of contents of commits that have come, which are read and are not here."""
        walk = ("--objects", "--missing=print", "--full-history", f"--glob={_INCOMING}*")
        known = ("--not", f"--exclude={_INCOMING}*", "--all")
        lines = self._run("rev-list", *walk, *known, "--", *FILES).decode(errors="replace").splitlines()
        return [line[1:] for line in lines if line.startswith("?")]

    def _track(self, branch: str) -> str:
        """Let the ref of the remote's branch name the tip that has come, and no other ref; which it is."""
        there = self._refs(_INCOMING, TRACKED)
        moves = [f"delete {ref}\n" for ref in there if ref != TRACKED + branch]
        move = f"update {TRACKED}{branch} {there[_TIP]}\n"
        self._run("update-ref", "--stdin", stdin="".join([move, *moves]).encode())
        return there[_TIP]

    def _refs(self, *below: str) -> Mapping[str, str]:
        """The ids of refs, by their full names."""
        lines = self._run("for-each-ref", "--format=%(objectname) %(refname)", *below).decode().splitlines()
        return {ref: object_id for object_id, _, ref in (line.partition(" ") for line in lines)}

    def follow(self, branch: str) -> None:
        """Let HEAD name the branch that is followed; where that is, is for the judgement of what was fetched to say."""
        if _lines(self.directory / "HEAD") != [f"ref: refs/heads/{branch}"]:  # a HEAD written is looked at
            self._run("symbolic-ref", "HEAD", f"refs/heads/{branch}")

    def is_ahead(self, commit_id: str, of: str) -> bool:
        """Is a commit a descendant of another, or not here yet?"""
        try:
            self._run("merge-base", "--is-ancestor", of, commit_id)
        except RemoteFailed as error:
            return error.status != 1
        return True

    def is_of_service(self) -> bool:
        """Was what is here fetched by the word of a service?"""
        with suppress(RepositoryError):
            return self.is_there() and _SERVICE.lower() in self._config()
        return False

    def note_service(self, *, is_one: bool) -> None:
        """Keep whether that is so."""
        self._run("config", *((_SERVICE, "true") if is_one else ("--unset-all", _SERVICE)))

    def tidy(self) -> None:
        """Pack what has come, where that is much by now (git-gc, "--auto")."""
        self._git.run(self.directory, "gc", "--auto", "--quiet", options=_options(self._config()))

    def size(self) -> int:
        """Bytes of its packs."""
        return sum(path.stat().st_size for path in self.directory.glob("objects/pack/*.pack"))

    # --- what a new clone takes over ---

    def kept(self, branch: str) -> Kept:
        """What only this clone has, as far as it can be read: by its files, since git may not be able to."""
        refs: dict[str, str] = {}
        accepted = ""
        with suppress(OSError, RepositoryError):
            require_own(self.directory, self.directory)
            for line in _lines(self.directory / "packed-refs"):
                commit_id, _, ref = line.partition(" ")
                refs[ref] = commit_id
            for path in (self.directory / "refs").rglob("*"):
                if path.is_file() and (lines := _lines(path)):
                    refs[str(path.relative_to(self.directory))] = lines[0]
            accepted = (
                self._run("config", "--file", str(self.directory / "config"), "--get", _ACCEPTED).decode().strip()
            )
        return Kept(
            self.directory,
            branch,
            {ref: refs[ref] for ref in refs if _is_own(ref, branch)},
            accepted,
        )

    def take_over(self, kept: Kept) -> None:
        """Take over what another clone had, where what it names is here, or still there."""
        for ref, object_id in kept.refs.items():
            with suppress(RepositoryError, OSError):
                if not self._has(object_id):
                    self._take_objects(kept.directory, object_id)
                if self._has(object_id):
                    self._run("update-ref", ref, object_id)
        if kept.accepted:
            self._run("config", _ACCEPTED, kept.accepted)
        old, new = kept.directory / "logs", self.directory / "logs"
        with suppress(OSError):
            for log in filter(Path.is_file, old.rglob("*")):
                place = new / log.relative_to(old)
                if _is_own(str(log.relative_to(old)), kept.branch):  # that of another can be in the way of a folder
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(log, place)

    def take_notes(self, kept_beside: Path) -> None:
        """Take over the notes that are kept beside a clone, where there are none; what cannot be read is left there."""
        with suppress(RepositoryError):
            if (kept := kept_notes(kept_beside)) and not self._refs(kept[1]):
                self._run("bundle", "unbundle", str(notes_file(kept_beside).absolute()))
                self._run("update-ref", kept[1], kept[0])

    def _has(self, object_id: str) -> bool:
        """Is a commit here, or the one that a tag names, with all that is read of it and of those before it?"""
        walk = ("--objects", "--missing=print", "--full-history", f"{object_id}^{{commit}}")
        try:
            lines = self._run("rev-list", *walk, "--not", f"--glob={TRACKED}*", "--", *FILES)
        except RepositoryError:
            return False
        return b"?" not in {line[:1] for line in lines.splitlines()}

    def _take_objects(self, directory: Path, object_id: str) -> None:
        """What another clone has of a commit, or of a tag of ours, that the remote does not give."""
        there = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": str((directory / "objects").absolute())}
        pack = self.directory.absolute() / "objects/pack/pack"
        words = ("--revs", "--missing=allow-any", "--quiet", str(pack))
        wanted = "\n".join([object_id, *(f"^{tip}" for tip in self.content().tips.values()), ""]).encode()
        name, _ = self._git.run(self.directory, "pack-objects", *words, stdin=wanted, environment=there)
        pack.with_name(f"pack-{name.decode().strip()}.promisor").touch()

    def _run(self, command: str, *arguments: str, stdin: bytes = b"") -> bytes:
        return self._git.run(self.directory, command, *arguments, stdin=stdin)[0]


def _is_own(ref: str, branch: str) -> bool:
    """Is a ref the copy's own branch of this name, or another that the remote does not have?"""
    return ref == f"refs/heads/{branch}" or ref.startswith(_OURS)


def linked(directory: Path) -> RepositoryError:
    """A link is in the place of a copy: what it leads to is not ours to write."""
    hint = f"rm {quote(str(directory.absolute()))}"
    return RepositoryError(f"{directory} is a symbolic link, not a copy that was made here", hint)


def _options(config: Mapping[str, str]) -> Sequence[str]:
    """What a git is told that fetches or packs: all that a partial clone gets is marked, and kept by that mark."""
    return () if config.get(_KIND) == "whole" else _PARTIAL


def _lines(path: Path) -> list[str]:
    with suppress(OSError):
        return [os.fsdecode(line) for line in path.read_bytes().splitlines() if not line.startswith((b"#", b"^"))]
    return []
