"""`location-policy serve`: put the parts together, follow the repository, answer."""

from __future__ import annotations

import logging
import os
import re
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from .. import __version__, last_good
from ..active import Active
from ..announcer import Announcer
from ..decision_log import DecisionLog
from ..errors import CannotStart, RepositoryError
from ..follower import Follower
from ..git_hooks import shipped
from ..installation import create
from ..last_good import Identity
from ..mirror import Mirror, is_url, without_secrets
from ..ordinary_log import log_to_stderr
from ..refresh import Refresher
from ..repository import SECTION, find_git_directory, open_repository, require_git
from ..rereading import Look, Rereader
from ..sd_notify import ServiceManager
from ..server import Signs, end_on_signals, on_hangup, run
from ..settings import Logs, ServeOptions, Settings
from ..sockets import bind, remove_unix
from ..tls import Certificates
from ..web import BODIES, PLACE, Access, make_app
from .doors import asks_who, open_doors
from .git_door import open_git
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
    manager = ServiceManager()
    require_git()
    certificates = Certificates(options.listen.tls) if options.listen.tls else None
    access, looks = open_doors(options.listen, options.users)
    listener = bind(options.listen, asks_who=asks_who(options.listen, options.users))
    try:
        _serve(options, listener, access, certificates, looks, manager)
    finally:
        remove_unix(options.listen.uds)


def _serve(
    options: ServeOptions,
    listener: socket.socket,
    access: Access,
    certificates: Certificates | None,
    looks: Sequence[Look],
    manager: ServiceManager,
) -> None:
    source = _remote(options, options.repo) if options.repo and is_url(options.repo) else _local(options)
    directory = _find(source, options)
    backend = open_git(directory, is_copy=source.mirror is not None, wanted=options.git_http)
    active = Active()
    active.change(not_kept=_write_problem(source.state))
    announcer = Announcer(manager, active)
    refresh = Refresher(source.place, active, source.state, source.mirror).refresh
    follower = Follower(directory, announcer.around(refresh))
    where = options.listen.host, _port(listener)
    settings = Settings(source.shown, *where, source.state, source.place, options.changes)
    with _decision_log(options.logs) as decisions:
        looks = [*looks, *([certificates.look] if certificates else [])]
        source_look = _hurry(follower, source.mirror)
        rereader = Rereader([announcer.begin_reload, *looks, announcer.end_reload, source_look])
        on_hangup(decisions.reopen if decisions else None, rereader.hurry)
        output = sys.stderr if options.logs.decisions == "-" else sys.stdout
        print(_next_steps(settings, options, listener, is_door=backend is not None), flush=True, file=output)
        follower.start()
        rereader.start()
        try:
            app = make_app(active, settings, decisions, access, backend)
            context = certificates.context if certificates else None
            run(app, listener, options.limits, context, _signs(manager, announcer), read=BODIES)
        finally:
            rereader.stop()
            if source.mirror:
                source.mirror.close()
            follower.stop()


def _signs(manager: ServiceManager, announcer: Announcer) -> Signs:
    """A sign of life twice as often as the service manager wants one, if it does."""
    if manager.watchdog is None:
        return Signs(ending=announcer.stop)
    return Signs(announcer.sign_of_life, max(1, int(manager.watchdog / 2)), announcer.stop)


def _hurry(follower: Follower, mirror: Mirror | None) -> Look:
    """At SIGHUP the source is looked at now; otherwise it is when the follower sees fit."""

    def look(*, asked: bool) -> None:
        if asked:
            if mirror:
                mirror.hurry()
            follower.hurry()

    return look


@contextmanager
def _decision_log(logs: Logs) -> Iterator[DecisionLog | None]:
    """The decision log, if there is to be one: opened anew at SIGHUP, and written to its end with the block."""
    if logs.decisions is None:
        yield None
        return
    decisions = DecisionLog(logs.decisions, with_names=logs.with_names)
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
        create(place, shipped("config-repo") if options.example else None, signatures=options.signatures)
    return Source(str(place), place, state)


def _remote(options: ServeOptions, url: str) -> Source:
    state = (options.state_dir or STATE).absolute()
    settings = options.signatures.config(SECTION)
    mirror = Mirror(url, state, options.branch, options.fetch_interval, settings=settings)
    mirror.make()
    return Source(without_secrets(url), mirror.directory, state, mirror)


def _find(source: Source, options: ServeOptions) -> Path:
    """The git directory; one that cannot be read now is waited for when its last good content is on disk."""
    try:
        directory = find_git_directory(source.place)
        with open_repository(directory) as repository:
            settings = repository.settings()
            served = repository.served_ref(settings).removeprefix("refs/heads/")
            branches = repository.branches()
    except RepositoryError:
        if _was_served(source.state, source.place):
            return source.place
        raise
    _check_branch(source, options.branch, served, branches)
    _check_signatures(source, options, settings)
    return directory


def _check_signatures(source: Source, options: ServeOptions, settings: Mapping[str, str]) -> None:
    for name, wanted in options.signatures.config(SECTION).items():
        there = settings.get(name.removeprefix(f"{SECTION}.").lower())
        if there != wanted:
            option = re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", name.removeprefix(f"{SECTION}."))
            hint = f"location-policy init {quote(source.shown)} --{option} {quote(wanted)}"
            raise CannotStart(f"{name} of the repository is {there or 'not set'}, not {wanted}", hint)


def _check_branch(source: Source, branch: str | None, served: str, branches: Sequence[str]) -> None:
    if branch and branch != served:
        there = (
            "" if branch in branches else f", and has no such branch; branches here: {', '.join(branches) or 'none'}"
        )
        hint = f"location-policy init {quote(source.shown)} --branch {quote(branch)}"
        raise CannotStart(f"the repository serves branch {served}, not {branch}{there}", hint)


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


def _port(listener: socket.socket) -> int:
    return 0 if listener.family == socket.AF_UNIX else int(listener.getsockname()[1])


def _next_steps(settings: Settings, options: ServeOptions, listener: socket.socket, *, is_door: bool) -> str:
    listen = options.listen
    scheme = "https" if listen.tls else "http"
    if listen.uds:
        shown, curl, url = str(listen.uds), f"curl --unix-socket {quote(str(listen.uds))}", f"{scheme}://localhost"
    else:
        host, port = listener.getsockname()[:2]
        shown = url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        curl = "curl"
    clone = f"{url}{PLACE}" if is_door and not listen.uds else quote(settings.repository)
    login = " --user USER" if options.users.htpasswd else ""
    query = "protocol=mssip&ms-subnet=10.61.2.0"
    return f"""location-policy {__version__} serves {settings.repository} on {shown}

  change the map:  git clone {clone}
  ask as a node:   {curl}{login} '{url}/policy/v1/participant/location?{query}'
  what is active:  {curl}{login} {url}/status
"""
