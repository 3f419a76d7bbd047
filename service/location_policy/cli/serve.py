"""`location-policy serve`: put the parts together, follow the repository, answer."""

from __future__ import annotations

import logging
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from .. import __version__, last_good
from ..active import Active
from ..decision_log import DecisionLog
from ..errors import CannotStart, RepositoryError
from ..follower import Follower
from ..installation import create, shipped
from ..last_good import Identity
from ..mirror import Mirror, is_url, without_secrets
from ..ordinary_log import log_to_stderr
from ..refresh import Refresher
from ..repository import find_git_directory, open_repository, require_git
from ..server import bind, end_on_signals, on_hangup, run
from ..settings import Logs, ServeOptions, Settings
from ..web import make_app
from .place import REPOSITORY, STATE, state_beside

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """What is followed: a repository here, or the mirror of a remote one; and where its last good content is kept."""

    shown: str
    place: Path
    state: Path
    mirror: Mirror | None = None


def serve(options: ServeOptions) -> None:
    """Serve until a signal comes; raises LocationPolicyError when it cannot be started."""
    end_on_signals()
    log_to_stderr(options.logs.form)
    require_git()
    listener = bind(options.host, options.port, allow_anonymous=options.allow_anonymous)
    source = _remote(options, options.repo) if options.repo and is_url(options.repo) else _local(options)
    directory = _find(source, options.branch)
    active = Active()
    active.change(not_kept=_write_problem(source.state))
    follower = Follower(directory, Refresher(source.place, active, source.state, source.mirror).refresh)
    settings = Settings(source.shown, options.host, listener.getsockname()[1], source.state)
    with _decision_log(options.logs) as decisions:
        output = sys.stderr if options.logs.decisions == "-" else sys.stdout
        print(_next_steps(settings, listener), flush=True, file=output)
        follower.start()
        try:
            run(make_app(active, settings, decisions), listener, options.limits)
        finally:
            if source.mirror:
                source.mirror.close()
            follower.stop()


@contextmanager
def _decision_log(logs: Logs) -> Iterator[DecisionLog | None]:
    """The decision log, if there is to be one: opened anew at SIGHUP, and written to its end with the block."""
    if logs.decisions is None:
        yield None
        return
    decisions = DecisionLog(logs.decisions, with_names=logs.with_names)
    on_hangup(decisions.reopen)
    try:
        yield decisions
    finally:
        decisions.close()


def _local(options: ServeOptions) -> Source:
    """A repository on this machine; without a name it is our own, made unless there was one before."""
    is_ours = options.repo is None
    place = Path(options.repo or REPOSITORY).absolute()
    state = (options.state_dir or (STATE if is_ours else state_beside(place))).absolute()
    if is_ours and not os.access(place, os.F_OK) and not _was_served(state):
        create(place, shipped("config-repo") if options.example else None)
    return Source(str(place), place, state)


def _remote(options: ServeOptions, url: str) -> Source:
    state = (options.state_dir or STATE).absolute()
    mirror = Mirror(url, state, options.branch, options.fetch_interval)
    mirror.make()
    return Source(without_secrets(url), mirror.directory, state, mirror)


def _find(source: Source, branch: str | None) -> Path:
    """The git directory; one that cannot be read now is waited for when its last good content is on disk."""
    try:
        directory = find_git_directory(source.place)
        with open_repository(directory) as repository:
            served = repository.served_ref(repository.settings()).removeprefix("refs/heads/")
            branches = repository.branches()
    except RepositoryError:
        if _was_served(source.state, source.place):
            return source.place
        raise
    if branch and branch != served:
        there = (
            "" if branch in branches else f", and has no such branch; branches here: {', '.join(branches) or 'none'}"
        )
        hint = f"location-policy init {quote(source.shown)} --branch {quote(branch)}"
        raise CannotStart(f"the repository serves branch {served}, not {branch}{there}", hint)
    return directory


def _was_served(state: Path, place: Path | None = None) -> bool:
    try:
        stored = last_good.load(state)
    except ValueError:
        return place is None
    return stored is not None and (place is None or stored.identity.is_same(Identity("", str(place))))


def _write_problem(directory: Path) -> str | None:
    """Why nothing can be kept in this directory, which is made where it is missing."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=directory).close()
    except OSError as error:
        problem = f"{directory} cannot be written: {error.strerror}"
        log.warning("nothing is kept for a restart: %s", problem)
        return problem
    return None


def _next_steps(settings: Settings, listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    query = "protocol=mssip&ms-subnet=10.61.2.0"
    return f"""location-policy {__version__} serves {settings.repository} on {url}

  change the map:  git clone {quote(settings.repository)}
  ask as a node:   curl '{url}/policy/v1/participant/location?{query}'
  what is active:  curl {url}/status
"""
