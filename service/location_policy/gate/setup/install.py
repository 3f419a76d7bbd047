"""Hooks and settings of a repository, put there; and a new repository made.

Another program's hook is never overwritten, and a setting that the site has chosen otherwise is kept.
"""

from __future__ import annotations

import os
import stat
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

from ...config.validate import Validator
from ...errors import NotARepository, NotSigned, RepositoryError
from ...repository.config import PROC_RECEIVE, SECTION
from ...repository.git_dir import find_git_directory
from ...repository.git_process import LEAN
from ...repository.maps import load_map_at
from ...repository.new_repository import check_branch, make_bare, unbundle
from ...repository.repository import Repository, open_repository
from ...repository.signing_policy import signature_rule
from ..hooks import install_hooks, is_ours
from ..pusher import SETTING, server_variable
from ..ref_updates import DRY_RUN
from .signing_options import SigningOptions

BRANCH = "main"

SETTINGS = {
    "receive.fsckObjects": "true",
    "receive.maxInputSize": "128m",
    "receive.advertisePushOptions": "true",
    "transfer.unpackLimit": "1",
    **LEAN,
    "core.logAllRefUpdates": "true",
    "gc.reflogExpire": "never",
}
"""Settings of a repository that takes pushes, with one value each. The log of a branch says what was served, so that a
push may go back to it; a line of it has 200 bytes.
"""

REFS = {
    "transfer.hideRefs": "refs/location-policy",
    "receive.hideRefs": "refs/notes/location-policy",
    PROC_RECEIVE: DRY_RUN.rstrip("/"),
}
"""Settings with many values, of which one is ours: no push moves the refs that the program writes, and no ref is
made for a dry run."""

SHARED = {
    "core.sharedRepository": "group",
    "gc.packRefs": "false",  # it would replace a file at the top, which is its owner's
}
"""Settings of a repository that a group pushes to."""

NO_SIGNATURES = SigningOptions()
NO_CHANGES: Mapping[str, bytes | None] = MappingProxyType({})

_OWNERS = ("hooks", "location-policy")
"""Folders of a shared repository that only its owner writes: hooks, and what the service keeps beside it."""
_OWNERS_FOLDER = 0o2750


def create(
    path: Path,
    content: Path | None,
    *,
    changes: Mapping[str, bytes | None] = NO_CHANGES,
    bundle: Path | None = None,
    branch: str | None = None,
    shared: bool = False,
    signatures: SigningOptions = NO_SIGNATURES,
) -> None:
    """A new bare repository with hook and settings, and `content` as its first commit, but for `changes`: files with
    other contents; None: not there. Or with the history of a bundle, valid or not: it is a backup.

    It is made aside and moved into place whole. Raises InvalidConfiguration or NotSigned when the content would be
    refused by the hook, and RepositoryError when the place is taken, the current folder, or cannot be written.
    """
    if content is not None and signatures.require not in (None, "off"):
        raise NotSigned("a first commit that is made here is signed by nobody", "--empty, and push one that is signed")
    if path.exists() and path.samefile(Path.cwd()):
        message = f"{path} is the folder that you are in, and a repository cannot take its place"
        raise RepositoryError(message, "write location-policy init locations.git")
    with _made_aside(path) as aside:
        check_branch(branch or BRANCH)
        make_bare(aside, branch or BRANCH)
        install(aside, branch=branch, shared=shared, signatures=signatures)
        if bundle is not None:
            unbundle(aside, bundle, branch)
        if content is not None:
            with open_repository(aside) as repository:
                commit_id = repository.commit_folder(content, "Start the map of media locations", changes)
                load_map_at(repository, Validator(), repository.commit(commit_id))
                repository.keep(f"refs/heads/{branch or BRANCH}", commit_id)
        for made in (aside, *aside.rglob("*")):  # also under a umask that lets every user write
            made.chmod(made.stat().st_mode & ~0o002)
        if shared:
            _share(aside)


def missing_settings(repository: Repository) -> Iterator[str]:
    """The settings that `install` would write, as `key = value`."""
    for key, wanted in SETTINGS.items():
        if not repository.config(key):
            yield f"{key} = {wanted}"
    takes_dry_runs = is_ours((repository.hooks_folder() or Path()) / "proc-receive")
    for key, wanted in REFS.items():
        if wanted not in repository.config(key) and (takes_dry_runs or key != PROC_RECEIVE):
            yield f"{key} = {wanted}"
    if not repository.config(f"{SECTION}.id"):
        yield f"{SECTION}.id"
    if (variable := server_variable(repository.hooks_folder() or Path())) and not repository.config(SETTING):
        yield f"{SETTING} = {variable}"


def other_settings(repository: Repository) -> Iterator[str]:
    """The settings that the site has chosen otherwise, which `install` keeps."""
    for key, wanted in SETTINGS.items():
        values = repository.config(key)
        if values and values[-1] != wanted:
            yield f"{key} = {values[-1]} ({wanted} is usual)"
    for key, value in repository.fsck_exceptions().items():
        yield f"{key} = {value}"


def install(
    path: Path, *, branch: str | None = None, shared: bool = False, signatures: SigningOptions = NO_SIGNATURES
) -> list[str]:
    """Hook and settings of an existing bare repository, never its content; what was done, a line each.

    Raises ForeignHook, NotARepository for one that is not bare, and NotSigned where signatures could not be judged.
    """
    directory = find_git_directory(path)
    with open_repository(directory) as repository:
        hooks = repository.hooks_folder()
        if hooks is None:
            raise NotARepository(f"{path} is not a bare repository", "make one with: git clone --bare")
        if branch is not None:
            check_branch(branch)
        wanted = _check_signatures(repository, signatures)
        done = [*install_hooks(hooks)]
        if branch is not None:
            repository.set_config(f"{SECTION}.branch", branch)
            done.append(f"serves branch {branch}")
        for key, value in wanted.items():
            repository.set_config(key, value)
            done.append(f"{key} = {value}")
        done += _tell_unsigned(repository) if wanted else ()
        done += _install_settings(repository, takes_dry_runs=is_ours(hooks / "proc-receive"))
        if (variable := server_variable(hooks)) and not repository.config(SETTING):
            repository.set_config(SETTING, variable)
            done.append(f"{SETTING} = {variable}")
        for key, value in SHARED.items() if shared else ():
            repository.set_config(key, value)
    if shared:
        _share(directory)
        done.append("shared with its group")
    return done


def _install_settings(repository: Repository, *, takes_dry_runs: bool) -> Iterator[str]:
    for key, wanted in SETTINGS.items():
        values = repository.config(key)
        if not values:
            repository.set_config(key, wanted)
        elif values[-1] != wanted:
            yield f"kept {key} = {values[-1]} ({wanted} is usual)"
    for key, wanted in REFS.items():
        if wanted not in repository.config(key) and (takes_dry_runs or key != PROC_RECEIVE):
            repository.add_config(key, wanted)
    if not repository.config(f"{SECTION}.id"):
        repository.set_config(f"{SECTION}.id", uuid.uuid4().hex)


def _check_signatures(repository: Repository, signatures: SigningOptions) -> dict[str, str]:
    """The settings that are asked for; raises NotSigned where they, with those that are there, lead nowhere."""
    wanted = signatures.config(SECTION)
    if wanted:
        asked = {key.removeprefix(f"{SECTION}.").lower(): value for key, value in wanted.items()}
        rule = signature_rule({**repository.settings(), **asked}, repository.directory)
        if rule.problem and rule.scope != "off":
            raise rule.problem
    return wanted


def _tell_unsigned(repository: Repository) -> Iterator[str]:
    settings = repository.settings()
    tip = repository.tip(repository.served_ref(settings))
    try:
        signature_rule(settings, repository.directory).require(repository, [tip] if tip else [])
    except NotSigned as error:
        yield error.message
        yield "a service that serves it goes on; a new one waits for a commit that is signed"


def _share(directory: Path) -> None:
    """Let the group read all, and write what a push writes, new files too, as git does for what it makes itself.

    The writer of config and hooks says what the next user of the repository runs. So what lies at the top, the hooks
    and what the service keeps there are their owner's, and nothing at the top may be moved away by others (chmod(1),
    "restricted deletion flag").
    """
    try:
        for name in _OWNERS:  # what is not there yet, a member could make
            (directory / name).mkdir(exist_ok=True)
        for folder, _, names in os.walk(directory):
            path = Path(folder)
            is_owners = path != directory and path.relative_to(directory).parts[0] in _OWNERS
            path.chmod(_OWNERS_FOLDER if is_owners else path.stat().st_mode | (0o3070 if path == directory else 0o2070))
            for file in (path / name for name in names):
                mode = file.lstat().st_mode
                if stat.S_ISREG(mode):
                    shared = mode | (mode & 0o700) >> 3
                    file.chmod(shared & 0o750 if is_owners or path == directory else shared)
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
