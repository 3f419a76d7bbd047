"""Real repositories in temporary folders, and pushes into them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from uuid import uuid4

from tests.support.program import closed_environment, run_program

Files = Mapping[str, bytes | str]

IDENTITY = {
    "GIT_AUTHOR_NAME": "Alice",
    "GIT_AUTHOR_EMAIL": "alice@example.com",
    "GIT_COMMITTER_NAME": "Alice",
    "GIT_COMMITTER_EMAIL": "alice@example.com",
}

SYDNEY = "Sydney,Melbourne,Singapore,10.61.2.0/24\n"
MELBOURNE = "Melbourne,Sydney,Singapore,10.61.3.0/24\n"
GOOD: Files = {"locations/apac.csv": SYDNEY + MELBOURNE}
BAD: Files = {"locations/apac.csv": "Melbourne,Sydney,Singapore,10.61.3.0/23\n"}


def run_git(
    *arguments: str | Path, cwd: Path, stdin: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[str]:
    """git's status and what it printed."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=cwd,
        env=closed_environment(**{**IDENTITY, **environment}),
        input=stdin,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def git(*arguments: str | Path, cwd: Path, **environment: str) -> str:
    """What git printed; an assertion where it failed."""
    done = run_git(*arguments, cwd=cwd, stdin=b"", **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass(frozen=True)
class Clone:
    """A working copy with a remote named origin."""

    path: Path

    def write(self, files: Files) -> None:
        """Put files there."""
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Files, message: str = "Change the map", **environment: str) -> str:
        """The id of a new commit that changes these files."""
        self.write(files)
        git("add", "--all", cwd=self.path)
        with_nothing_after = ("-c", "maintenance.auto=false")  # it would start another git to see what is to be cleared
        git(*with_nothing_after, "commit", "--allow-empty", "--quiet", "-m", message, cwd=self.path, **environment)
        return self.git("rev-parse", "HEAD")

    def git(self, *arguments: str) -> str:
        """What git printed here."""
        return git(*arguments, cwd=self.path)

    def push(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The outcome of a push to origin."""
        return run_git("push", "origin", *(arguments or ("HEAD:main",)), cwd=self.path)


def init(path: Path, *arguments: str | Path) -> Path:
    """A new repository as `location-policy init` makes it; the first of its kind is made, others are its copies."""
    if path.exists():
        _run_init(path, *arguments)
        return path
    kind = tuple(_content(one) if isinstance(one, Path) else one for one in arguments)
    if kind not in _MADE:
        _MADE[kind] = _run_init(Path(_templates().name) / f"{len(_MADE)}.git", *arguments)
    shutil.copytree(_MADE[kind], path, symlinks=True)
    config = path / "config"
    config.write_text(re.sub(r"(?<=\tid = )\w+", uuid4().hex, config.read_text()))  # each has one of its own
    return path


_MADE: dict[tuple[object, ...], Path] = {}


@cache
def _templates() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="templates")


def _content(folder: Path) -> tuple[tuple[str, bytes], ...]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return tuple((str(path.relative_to(folder)), path.read_bytes()) for path in files)


def _run_init(path: Path, *arguments: str | Path) -> Path:
    done = run_program("init", path, *arguments)
    assert done.returncode == 0, done.stderr
    return path


def init_with(folder: Path, files: Files) -> Path:
    """A new repository in a folder, as `location-policy init` makes it, with these files as its first commit."""
    Clone(folder / "start").write(files)
    return init(folder / "map.git", "--from", folder / "start")


def clone(repository: Path, path: Path) -> Clone:
    """A clone of a repository, on branch main."""
    git("clone", "--quiet", repository, path, cwd=repository)
    git("checkout", "--quiet", "-B", "main", cwd=path)
    return Clone(path)


def make_repository(path: Path, files: Files, *, keeps_log: bool = False) -> Path:
    """A bare repository with one commit on main that holds these files; it has no hook, so they may be wrong.

    With `keeps_log` it knows what its branches have named, as one that `location-policy init` has made.
    """
    path.mkdir(parents=True)
    git("init", "--quiet", "--bare", "--initial-branch=main", cwd=path)
    if keeps_log:
        with (path / "config").open("a") as config:
            config.write("[core]\n\tlogAllRefUpdates = true\n")
    force_commit(path, files)
    return path


def force_commit(repository: Path, files: Files, ref: str = "refs/heads/main", message: str = "Force it in") -> str:
    """Put a commit with exactly these files on a ref, round the hook, as a restore or a mirror does."""
    old = tip(repository, ref)
    who = "Alice <alice@example.com> now"
    contents = {name: content.encode() if isinstance(content, str) else content for name, content in files.items()}
    parts = [
        f"commit {ref}\nmark :1\nauthor {who}\ncommitter {who}\n".encode(),
        _data(message.encode() + b"\n"),
        f"from {old}\ndeleteall\n".encode() if old else b"",
        *(b"M 100644 inline %b\n%b" % (_quoted(name), _data(content)) for name, content in contents.items()),
        b"\nget-mark :1\n",
    ]
    loose = ("-c", "fastImport.unpackLimit=100")  # under any setting of the repository
    done = run_git(*loose, "fast-import", "--quiet", "--date-format=now", cwd=repository, stdin=b"".join(parts))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def commit_series(repository: Path, series: Sequence[Files]) -> list[str]:
    """Put commits on main, each with exactly these files, round the hook and in one go; their ids."""
    who = "Alice <alice@example.com> now"
    stream = [b"reset refs/heads/main\nfrom refs/heads/main^0\n"]
    for number, files in enumerate(series, 1):
        stream.append(f"commit refs/heads/main\nmark :{number}\nauthor {who}\ncommitter {who}\n".encode())
        stream += [_data(b"Force it in\n"), b"deleteall\n"]
        for name, content in files.items():
            text = content.encode() if isinstance(content, str) else content
            stream.append(b"M 100644 inline %b\n%b" % (_quoted(name), _data(text)))
        stream.append(f"\nget-mark :{number}\n".encode())
    done = run_git("fast-import", "--quiet", "--date-format=now", cwd=repository, stdin=b"".join(stream))
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def _data(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)


def _quoted(name: str) -> bytes:
    """A path as fast-import reads it."""
    return b'"%b"' % os.fsencode(name).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")


def said(push: subprocess.CompletedProcess[str]) -> str:
    """What the hook told the pusher, without the prefix and the padding of git."""
    lines = [line.removeprefix("remote:").removeprefix(" ").rstrip() for line in push.stderr.splitlines()]
    remote = [line.startswith("remote:") for line in push.stderr.splitlines()]
    return "\n".join(line for line, is_remote in zip(lines, remote, strict=True) if is_remote)


def verdict(push: subprocess.CompletedProcess[str]) -> str:
    """What the hook told the pusher after the plan."""
    return said(push).partition("\n\n")[2]


def tip(repository: Path, ref: str = "refs/heads/main") -> str:
    """The id that a ref of a repository has, empty where it is not there."""
    return run_git("rev-parse", "--verify", "--quiet", ref, cwd=repository).stdout.strip()


def take_away(folder: Path) -> None:
    """Delete a folder at once: a service may write there, and a folder that is deleted by its parts is never empty."""
    away = Path(mkdtemp(dir=folder.parents[1]))
    folder.rename(away / folder.name)
    shutil.rmtree(away, ignore_errors=True)


def forge_blob(repository: Path, size: int) -> str:
    """The id of a blob of which git can tell the size, but not read the content: only its header is there."""
    blob = "5" * 40
    path = repository / "objects" / blob[:2] / blob[2:]
    path.parent.mkdir(exist_ok=True)
    packer = zlib.compressobj()
    path.write_bytes(packer.compress(b"blob %d\0" % size + bytes(50)) + packer.flush(zlib.Z_SYNC_FLUSH))
    return blob


def force_entry(repository: Path, mode: str, object_id: str, path: str) -> str:
    """The id of a commit on no branch, on top of main, that holds one entry: what is behind it is not looked at."""
    index = {"GIT_INDEX_FILE": str(repository / "index.of.test")}
    git("read-tree", "--empty", cwd=repository, **index)
    git("update-index", "--add", "--cacheinfo", f"{mode},{object_id},{path}", cwd=repository, **index)
    tree = git("write-tree", "--missing-ok", cwd=repository, **index)
    return git("commit-tree", tree, "-m", "Force it in", "-p", "main", cwd=repository)
