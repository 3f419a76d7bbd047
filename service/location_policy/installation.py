"""Hooks and settings of a repository: put there, judged; and a new repository made.

Our hook has its version in its second line. A hook of somebody else is never overwritten, and a setting that the site
has chosen otherwise is kept.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple

from . import __version__
from .errors import ForeignHook, NotARepository, RepositoryError
from .location_map import load_map
from .repository import SECTION, Repository, find_git_directory, open_repository
from .repository.creation import commit_folder, make_bare
from .repository.git import Git, GitFailed, PlainGit

HOOK = "pre-receive"
BRANCH = "main"

HookState = Literal["ok", "missing", "not-executable", "other-version", "none"]

SETTINGS = {
    "receive.fsckObjects": "true",
    "receive.maxInputSize": "128m",
    "receive.advertisePushOptions": "true",
    "core.logAllRefUpdates": "true",
}
"""Settings of a repository that takes pushes, with one value each."""

HIDDEN_REFS = {"transfer.hideRefs": "refs/location-policy", "receive.hideRefs": "refs/notes/location-policy"}
"""Settings with many values, of which one is ours: nobody pushes to the refs that the program writes."""

_MARK = re.compile(rb"^# location-policy hook, version (\S+)$", re.MULTILINE)
_PROGRAM_LINE = b"for program in location-policy; do"


class Hook(NamedTuple):
    """What stands in the place of the hook."""

    state: HookState
    version: str | None = None


def shipped(name: str) -> Path:
    """A folder that travels with the program: inside the package, or at the root of a checkout."""
    package = Path(__file__).parent
    return next(folder for folder in (package / name, package.parent.parent / name) if folder.is_dir())


def hook_state(repository: Repository) -> Hook:
    """Is our hook in force? "none" for a repository with a working copy: commits get in without a push."""
    folder = repository.hooks_folder()
    if folder is None:
        return Hook("none")
    path = folder / HOOK
    try:
        mark = _MARK.search(path.read_bytes())
    except OSError:
        return Hook("missing")
    if mark is None:
        return Hook("missing")
    version = mark[1].decode(errors="replace")
    if not path.stat().st_mode & stat.S_IXUSR:
        return Hook("not-executable", version)
    return Hook("ok" if version == __version__ else "other-version", version)


def create(path: Path, content: Path | None, *, branch: str | None = None, shared: bool = False) -> None:
    """A new bare repository with hook and settings, and `content` as its first commit.

    It is made aside and moved into place whole. Raises InvalidConfiguration when the content would be refused by the
    hook, and RepositoryError when the place is taken or cannot be written.
    """
    with _made_aside(path) as aside:
        git = PlainGit(aside)
        _check_branch(git, branch or BRANCH)
        make_bare(git, branch or BRANCH)
        install(aside, branch=branch, shared=shared)
        if content is not None:
            commit_id = commit_folder(git, content, "Start the map of media locations")
            with open_repository(aside) as repository:
                load_map(repository.files(repository.entries(repository.commit(commit_id))))
            git.run("update-ref", f"refs/heads/{branch or BRANCH}", commit_id)
        if shared:
            _share(aside)


def install(path: Path, *, branch: str | None = None, shared: bool = False) -> list[str]:
    """Hook and settings of an existing bare repository, never its content; what was done, a line each.

    Raises ForeignHook, and NotARepository for one that is not bare.
    """
    directory = find_git_directory(path)
    git = PlainGit(directory)
    with open_repository(directory) as repository:
        hooks = repository.hooks_folder()
    if hooks is None:
        raise NotARepository(f"{path} is not a bare repository", "make one with: git clone --bare")
    if branch is not None:
        _check_branch(git, branch)
    done = [_install_hook(hooks / HOOK)]
    if branch is not None:
        git.run("config", f"{SECTION}.branch", branch)
        done.append(f"serves branch {branch}")
    done += _install_settings(git)
    if shared:
        git.run("config", "core.sharedRepository", "group")
        _share(directory)
        done.append("shared with its group")
    return done


def _install_hook(path: Path) -> str:
    if os.path.lexists(path) and not _is_ours(path):
        hint = f"move it away, or run `location-policy {HOOK}` from it with its standard input"
        raise ForeignHook(f"{path} is not ours and stays as it is", hint)
    text = (shipped("hooks") / HOOK).read_bytes()
    programs = b"for program in %b location-policy; do" % os.fsencode(shlex.quote(str(_program())))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{HOOK}.") as folder:
            aside = Path(folder, HOOK)
            aside.write_bytes(text.replace(_PROGRAM_LINE, programs))
            aside.chmod(0o755)
            aside.replace(path)
    except OSError as error:
        raise RepositoryError(f"{path} cannot be written: {error.strerror}") from error
    return f"hook {path}, version {__version__}"


def _is_ours(path: Path) -> bool:
    try:
        return bool(_MARK.search(path.read_bytes()))
    except OSError:  # whatever it is, we have not put it there
        return False


def _program() -> Path:
    """The program as it runs now, where a hook can find it: absolute, and beside the interpreter if it is there."""
    beside = Path(sys.executable).with_name("location-policy")
    return beside if beside.exists() else Path(shutil.which("location-policy") or beside).absolute()


def _install_settings(git: Git) -> Iterator[str]:
    for key, wanted in SETTINGS.items():
        values = _values(git, key)
        if not values:
            git.run("config", key, wanted)
        elif values[-1] != wanted:
            yield f"kept {key} = {values[-1]} ({wanted} is usual)"
    for key, wanted in HIDDEN_REFS.items():
        if wanted not in _values(git, key):
            git.run("config", "--add", key, wanted)
    if not _values(git, f"{SECTION}.id"):
        git.run("config", f"{SECTION}.id", uuid.uuid4().hex)


def _values(git: Git, key: str) -> list[str]:
    try:
        text = git.run("config", "--null", "--get-all", key).decode(errors="replace")
    except GitFailed as error:
        if error.status == 1:  # no such key
            return []
        raise
    return [value for value in text.split("\0") if value]


def _check_branch(git: Git, branch: str) -> None:
    try:
        git.run("check-ref-format", f"refs/heads/{branch}")
    except RepositoryError:
        raise RepositoryError(f"{branch!r} is not a name for a branch", "write a name such as main") from None


def _share(directory: Path) -> None:
    """Read and write for the group, and new files of the group's, as git does for what it makes itself."""
    try:
        for folder, _, names in os.walk(directory):
            Path(folder).chmod(Path(folder).stat().st_mode | 0o2070)
            for path in (Path(folder, name) for name in names):
                mode = path.lstat().st_mode
                if stat.S_ISREG(mode):
                    path.chmod(mode | (mode & 0o700) >> 3)
    except OSError as error:
        raise RepositoryError(f"{error.filename} cannot be shared: {error.strerror}") from error


@contextmanager
def _made_aside(path: Path) -> Iterator[Path]:
    """A folder to be, beside `path`, that becomes `path` when all goes well; when not, nothing is left behind."""
    missing = [folder for folder in path.absolute().parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as scratch:
            yield Path(scratch, "repository")
            Path(scratch, "repository").rename(path)
    except OSError as error:
        raise RepositoryError(f"{path} cannot be made: {error.strerror}") from error
    finally:
        for folder in missing:
            with suppress(OSError):  # it is in use, since all went well
                folder.rmdir()
