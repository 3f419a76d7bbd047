"""What `serve` follows: a repository here or the copy of a remote one, and whether it is as it was asked for."""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from shlex import quote

from ...calls.remembered import history_directory
from ...errors import CannotStart, RepositoryError
from ...gate.hooks import shipped
from ...gate.setup.install import create
from ...repository.config import SECTION
from ...repository.remote.mirror import Mirror
from ...repository.remote.url import is_url
from ...repository.repository import Repository, open_repository
from ...rollout import last_good
from ...rollout.last_good import Identity
from ...runtime.writable import unwritable
from ...text import listed, without_secrets
from ..terminal.default_paths import find_repository, own_place, state_beside
from .options import ServeOptions

SHORTEST_STALE = 60.0
"""Seconds that `--max-stale` is at least."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """What is followed: a repository here, or the mirror of a remote one; and where its last good content is kept."""

    shown: str
    place: Path
    state: Path
    mirror: Mirror | None = None
    is_ours: bool = False

    @property
    def is_kept(self) -> bool:
        """Is there content of this place in the state directory, by which answers can begin?"""
        kept = last_good.kept_identity(self.state)
        return kept is not None and kept.is_here(last_good.Identity("", str(self.place)))


def source_of(options: ServeOptions) -> Source:
    """What is asked for; git is not asked, and nothing is made."""
    is_remote = options.repo is not None and is_url(options.repo)
    _check_max_stale(options.max_stale, options.fetch_interval if is_remote else 0.0)
    return _remote(options, options.repo) if options.repo and is_remote else _local(options)


def _check_max_stale(allowed: timedelta | None, interval: float) -> None:
    """Raises CannotStart where what is in force would be too old between two looks."""
    least = max(SHORTEST_STALE, 2 * interval)
    if allowed is not None and allowed.total_seconds() < least:
        raise CannotStart(f"--max-stale is under {least:g} seconds, in which it may well be read once", "write 1h")


def _local(options: ServeOptions) -> Source:
    """A repository on this machine; without a name it is our own."""
    is_ours = options.repo is None
    own = own_place()
    place = (Path(options.repo) if options.repo else own.repository).absolute()
    state = (options.state_dir or (own.state if is_ours else state_beside(place))).absolute()
    return Source(str(place), place, state, is_ours=is_ours)


def _remote(options: ServeOptions, url: str) -> Source:
    state = (options.state_dir or own_place().state).absolute()
    settings = options.signatures.config(SECTION)
    mirror = Mirror(url, state, options.branch, options.fetch_interval, settings=settings, access=options.remote)
    return Source(without_secrets(url), mirror.directory, state, mirror)


def make(source: Source, options: ServeOptions) -> None:
    """The repository, or the copy of a remote one, where it is ours to make."""
    if source.mirror:
        _make_mirror(source, source.mirror)
    elif source.is_ours and not os.access(source.place, os.F_OK) and not _was_served(source.state):
        content = shipped("config-repo") if options.example else None
        create(source.place, content, signatures=options.signatures)


def _make_mirror(source: Source, mirror: Mirror) -> None:
    """Where there is last good content of it, it is served whatever is wrong with the copy, which a look mends."""
    try:
        mirror.make()
    except RepositoryError as error:
        if not _was_served(source.state, source.place):
            found = unwritable(source.state)
            raise RepositoryError(error.message, found.mend) if found and not error.hint else error from None
        log.warning("no copy is made now: %s", "; ".join(filter(None, (mirror.told(error.message), error.hint))))


def find(source: Source, options: ServeOptions) -> Path:
    """The git directory; one that cannot be read now is waited for when its last good content is on disk.

    The copy of a remote is as it was asked for, or is made so.
    """
    if source.mirror:
        return source.place
    try:
        directory = find_repository(source.place, source.state)
        with open_repository(directory) as repository:
            settings = repository.settings()
            served = repository.served_ref(settings).removeprefix("refs/heads/")
            branches = repository.branches()
            _note_state(source, repository, settings)
    except RepositoryError:
        if _was_served(source.state, source.place):
            return source.place
        raise
    _check_branch(source, options.branch, served, branches)
    _check_signatures(source, options, settings)
    return directory


def _note_state(source: Source, repository: Repository, settings: Mapping[str, str]) -> None:
    """Let the repository say where its service keeps state, if it says otherwise: there the hook and `calls` look for
    what is remembered. One that may not be written stays as it is.
    """
    if history_directory(repository.directory, settings).resolve() != source.state.resolve():
        with suppress(RepositoryError):
            repository.set_config(f"{SECTION}.stateDirectory", str(source.state))


def _check_signatures(source: Source, options: ServeOptions, settings: Mapping[str, str]) -> None:
    for name, wanted in options.signatures.config(SECTION).items():
        there = settings.get(name.removeprefix(f"{SECTION}.").lower())
        if there != wanted:
            option = re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", name.removeprefix(f"{SECTION}."))
            hint = f"location-policy init {quote(source.shown)} --{option} {quote(wanted)}"
            raise CannotStart(f"{name} of the repository is {there or 'not set'}, not {wanted}", hint)


def _check_branch(source: Source, branch: str | None, served: str, branches: Sequence[str]) -> None:
    if branch and branch != served:
        there = "" if branch in branches else f", and has no such branch; branches here: {listed(branches) or 'none'}"
        hint = f"location-policy init {quote(source.shown)} --branch {quote(branch)}"
        raise CannotStart(f"the repository serves branch {served}, not {branch}{there}", hint)


def _was_served(state: Path, place: Path | None = None) -> bool:
    try:
        stored = last_good.load(state)
    except ValueError:
        return place is None
    return stored is not None and (place is None or stored.identity.is_same(Identity("", str(place))))


def write_problem(directory: Path) -> str | None:
    """Why nothing can be kept in this directory, which is made where it is missing."""
    try:
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=directory).close()
    except OSError as error:
        problem = f"{directory} cannot be written: {error.strerror}"
        found = unwritable(directory)
        log.warning("nothing is kept for a restart: %s%s", problem, f"; {found.mend}" if found else "")
        return problem
    return None
