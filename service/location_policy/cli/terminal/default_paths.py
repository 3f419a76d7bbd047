"""Default paths: which repository is meant where none is named, and where its service keeps its state."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from ...errors import NotARepository
from ...repository.git_dir import common_directory, find_git_directory
from ...repository.remote.mirror import is_mirror, mirror_directory
from ...repository.remote.url import is_url
from ...rollout.last_good import FILE_NAME, kept_identity
from ...text import without_secrets
from .remote import instead

DATA = Path("data")
REPOSITORY = DATA / "locations.git"
STATE = DATA / "state"
"""What `serve` takes that is told nothing."""
STATE_VARIABLE = "LOCATION_POLICY_STATE_DIR"
"""That of the service, as `serve` takes it."""


class Place(NamedTuple):
    """A repository on this machine, and the state directory of its service."""

    repository: Path
    state: Path


def asked_place(repo: str | None, state_dir: Path | None = None) -> Place:
    """What is named, as `serve` takes it; else what `serve` takes by itself, else the folder that one is in.

    Raises NotARepository.
    """
    if repo and is_url(repo):
        state = state_dir or Path(os.environ.get(STATE_VARIABLE) or STATE)
        return Place(_find_copy(repo, state), state)
    if repo or not REPOSITORY.exists():
        directory = find_repository(Path(repo), state_dir) if repo else _here()
        return Place(directory, state_dir or (directory.parent if is_mirror(directory) else state_beside(directory)))
    return Place(find_repository(REPOSITORY, state_dir or STATE), state_dir or STATE)


def asked_state(repo: str | None, state_dir: Path | None) -> Path:
    """The state directory of the service that follows what is named, as `serve` takes it; raises NotARepository.

    Where nothing is named, a service may follow a URL, and there is no repository to find it by.
    """
    said = state_dir or os.environ.get(STATE_VARIABLE)
    if state_dir or (repo and is_url(repo)) or (repo is None and said):
        return Path(said or STATE)
    if repo is None and STATE.is_dir():
        return STATE
    return asked_place(repo).state


def served_place(repo: str | None) -> Place:
    """As `asked_place`, where the state directory is told by the environment alone, as `serve` takes it."""
    said = os.environ.get(STATE_VARIABLE)
    return asked_place(repo, Path(said) if said else None)


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


def _here() -> Path:
    try:
        return find_git_directory(Path())
    except NotARepository:
        message = f"there is no repository here, nor {REPOSITORY}"
        raise NotARepository(message, "name one: --repo /srv/git/locations.git") from None
