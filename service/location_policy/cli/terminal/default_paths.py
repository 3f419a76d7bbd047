"""Default paths: which repository is meant where none is named, and where its service keeps its state."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from ...errors import NotARepository
from ...repository.git_dir import common_directory, find_git_directory
from ...repository.remote.copy_path import is_mirror, mirror_directory
from ...repository.remote.url import is_url
from ...rollout.last_good import FILE_NAME, kept_identity
from ...text import without_secrets
from .remote import instead

_HERE = Path("data")
"""Where data is kept in a clone of the project, and wherever else it is there already."""
_IN_CLONE = Path("service", "location_policy")
STATE_VARIABLE = "LOCATION_POLICY_STATE_DIR"
"""That of the service, as `serve` takes it."""


class Place(NamedTuple):
    """A repository on this machine, and the state directory of its service."""

    repository: Path
    state: Path


def own_place() -> Place:
    """What `serve` takes that is told nothing: below `./data` in a clone of the project, or where that is in use; else
    below the state directory of the unit (systemd.exec(5), "StateDirectory="); else below that of the user
    (XDG Base Directory Specification).
    """
    if _IN_CLONE.is_dir() or any((_HERE / name).exists() for name in ("locations.git", "state")):
        folder = _HERE
    elif given := os.environ.get("STATE_DIRECTORY", "").partition(":")[0]:
        folder = Path(given)
    else:
        chosen = Path(os.environ.get("XDG_STATE_HOME") or "")
        folder = (chosen if chosen.is_absolute() else Path.home() / ".local" / "state") / "location-policy"
    return Place(folder / "locations.git", folder / "state")


def asked_place(repo: str | None, state_dir: Path | None = None) -> Place:
    """What is named, as `serve` takes it; else what `serve` has in `./data`, the folder that one is in, or what `serve`
    has elsewhere, the first that is there.

    Raises NotARepository.
    """
    own = own_place()
    if repo and is_url(repo):
        state = state_dir or Path(os.environ.get(STATE_VARIABLE) or own.state)
        return Place(_find_copy(repo, state), state)
    named = Path(repo) if repo else None if own.repository.is_relative_to(_HERE) else _around()
    if named is None and own.repository.exists():
        return Place(find_repository(own.repository, state_dir or own.state), state_dir or own.state)
    directory = find_repository(named, state_dir) if named else _here(own.repository)
    return Place(directory, state_dir or (directory.parent if is_mirror(directory) else state_beside(directory)))


def asked_state(repo: str | None, state_dir: Path | None) -> Path:
    """The state directory of the service that follows what is named, as `serve` takes it; raises NotARepository.

    Where nothing is named, a service may follow a URL, and there is no repository to find it by.
    """
    own, said = own_place().state, state_dir or os.environ.get(STATE_VARIABLE)
    if state_dir or (repo and is_url(repo)) or (repo is None and said):
        return Path(said or own)
    if repo is None and own.is_dir():
        return own
    return asked_place(repo).state


def said_state() -> Path | None:
    """The state directory that the environment tells, as `serve` takes it."""
    said = os.environ.get(STATE_VARIABLE)
    return Path(said) if said else None


def state_beside(repository: Path) -> Path:
    """The state directory of a repository that was named; working copies come and go, so theirs is where they share."""
    directory = find_git_directory(repository)
    common = common_directory(directory)
    return (directory if common == directory else common.resolve()) / "location-policy"


def find_repository(path: Path, state: Path | None) -> Path:
    """The git directory at a path; raises NotARepository, which advises no new one where content of one is kept."""
    try:
        return find_git_directory(path)
    except NotARepository as error:
        state = state or said_state()
        if state is None or not (state / FILE_NAME).exists():
            raise
        kept = kept_identity(state)
        hint = f"mount or restore it: {state} keeps what was served of {kept.place if kept else 'a repository'}"
        raise NotARepository(error.message, hint) from None


def _find_copy(url: str, state: Path) -> Path:
    """The copy that a service has made of a remote; it makes it, and no other command does."""
    directory = mirror_directory(url, state)
    if not directory.exists():
        message = f"there is no copy of {without_secrets(url)} in {state}"
        hint = f"name the state directory of the service that follows it: {STATE_VARIABLE}=/var/lib/location-policy"
        raise NotARepository(message, f"{hint}; or {instead(url, 'lookup')}")
    return find_git_directory(directory)


def _around() -> Path | None:
    """The repository of the folder that one is in, if it is in one."""
    try:
        return find_git_directory(Path())
    except NotARepository:
        return None


def _here(own: Path) -> Path:
    directory = _around()
    if directory is None:
        message = f"there is no repository here, nor {own}"
        raise NotARepository(message, "name one: --repo /srv/git/locations.git")
    return directory
