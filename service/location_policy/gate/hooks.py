"""The hooks of a repository: put there, judged.

Ours has its version in its second line. Another program's hook is never overwritten; where it runs what lies in a
folder beside it, as that of Gitea and Forgejo does, ours goes there.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from .. import __version__
from ..errors import ForeignHook, RepositoryError
from ..repository.repository import Repository
from ..runtime.atomic_file import replacing

HOOK = "pre-receive"
"""The one that judges."""
OTHER_HOOKS = {"post-receive": "why a limit is overridden is not noted", "proc-receive": "dry runs are not supported"}
"""Those that do the rest, and what is so where they are missing."""

HookState = Literal["ok", "missing", "not-executable", "other-version", "none"]

_MARK = re.compile(rb"^# location-policy hook, version (\S+)$", re.MULTILINE)
_PROGRAM_LINE = b"for program in location-policy; do"


class Hook(NamedTuple):
    """What stands in the place of the hook that judges."""

    state: HookState
    version: str | None = None


def shipped(name: str) -> Path:
    """A folder or file that travels with the program: inside the package, or at the root of a checkout."""
    package = Path(__file__).parent.parent
    return next(place for place in (package / name, package.parent.parent / name) if place.exists())


def hook_state(repository: Repository, name: str = HOOK) -> Hook:
    """Is our hook in force? "none" for a repository with a working copy: commits get in without a push."""
    return hook_in(repository.hooks_folder(), name)


def hook_in(folder: Path | None, name: str = HOOK) -> Hook:
    """The same for a folder of hooks, None where there is none."""
    if folder is None:
        return Hook("none")
    path = hook_place(folder, name)
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


def hook_program(repository: Repository) -> str | None:
    """The program that the hook that judges would run, None where it would find none."""
    text = hook_place(repository.hooks_folder() or Path(), HOOK).read_bytes()
    line = re.search(rb"^for program in (.*); do$", text, re.MULTILINE)
    programs = shlex.split(os.fsdecode(line[1])) if line else []
    return next(filter(None, map(shutil.which, programs)), None)


def install_hooks(folder: Path) -> Iterator[str]:
    """Put our hooks there; what was done, a line each. Raises ForeignHook where another judges pushes."""
    yield _install_hook(hook_place(folder, HOOK), HOOK)
    for name, otherwise in OTHER_HOOKS.items():
        try:
            yield _install_hook(hook_place(folder, name), name)
        except ForeignHook as error:
            yield f"{error.message}, so {otherwise}: {error.hint}"


def hook_place(folder: Path, name: str) -> Path:
    """Where this hook of ours is, or is put."""
    path, beside = folder / name, folder / f"{name}.d"
    if name == "proc-receive":  # only one can answer git
        return path
    return beside / "location-policy" if beside.is_dir() and _runs_folder(path) else path


def deciding_hook_files(folder: Path) -> tuple[Path, ...]:
    """The files by which the state of the hook that judges is told."""
    return folder / HOOK, folder / f"{HOOK}.d", folder / f"{HOOK}.d" / "location-policy"


def _runs_folder(path: Path) -> bool:
    try:
        text = path.read_bytes()
    except OSError:
        return False
    return b".d/" in text and not _MARK.search(text)


def _install_hook(path: Path, name: str) -> str:
    if os.path.lexists(path) and not is_ours(path):
        hint = f"move it away, or run `location-policy {name}` from it with its standard input"
        raise ForeignHook(f"{path} is not ours and stays as it is", hint)
    text = (shipped("hooks") / name).read_bytes()
    programs = b"for program in %b location-policy; do" % os.fsencode(shlex.quote(str(_program())))
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(text.replace(_PROGRAM_LINE, programs))
            os.fchmod(file.fileno(), 0o755)
    except OSError as error:
        raise RepositoryError(f"{path} cannot be written: {error.strerror}") from error
    return f"hook {path}, version {__version__}"


def is_ours(path: Path) -> bool:
    """Have we put this hook there?"""
    try:
        return bool(_MARK.search(path.read_bytes()))
    except OSError:  # unreadable or no file: we have not put it there
        return False


def _program() -> Path:
    """The program as it runs now, where a hook can find it: absolute, and beside the interpreter if it is there."""
    beside = Path(sys.executable).with_name("location-policy")
    return beside if beside.exists() else Path(shutil.which("location-policy") or beside).absolute()
