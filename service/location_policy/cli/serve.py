"""`location-policy serve`: put the parts together, and let one worker use them, or several."""

from __future__ import annotations

import socket
import sys
from functools import partial
from shlex import quote

from .. import __version__
from ..active import now
from ..crew import Crew
from ..decision_log import DecisionLog
from ..line_writer import SharedTurns
from ..ordinary_log import log_to_stderr
from ..repository import require_git
from ..rereading import Look
from ..sd_notify import ServiceManager
from ..server import end_on_signals
from ..settings import Logs, ServeOptions, Settings
from ..shelf import Shelf
from ..sockets import bind, remove_unix
from ..supervisor import Supervisor
from ..tls import Certificates
from ..web import PLACE
from .doors import asks_who, open_doors
from .git_door import open_git
from .source import Source, find, source_of, write_problem
from .worker import Parts, work, work_with_others


def serve(options: ServeOptions) -> None:
    """Serve until a signal comes; raises LocationPolicyError when it cannot be started."""
    end_on_signals()
    log_to_stderr(options.logs.form)
    manager = ServiceManager()
    require_git()
    certificates = Certificates(options.listen.tls) if options.listen.tls else None
    access, looks = open_doors(options.listen, options.users)
    looks = [*looks, *([certificates.look] if certificates else [])]
    listener = bind(options.listen, asks_who=asks_who(options.listen, options.users))
    try:
        source = source_of(options)
        directory = find(source, options)
        parts = Parts(
            options=options,
            settings=_settings(options, listener, source),
            listener=listener,
            source=source,
            directory=directory,
            access=access,
            certificates=certificates,
            looks=looks,
            backend=open_git(directory, is_copy=source.mirror is not None, wanted=options.git_http),
            not_kept=write_problem(source.state),
            decisions=_decision_log(options.logs, options.workers),
            crew=Crew(options.workers),
            shelf=Shelf() if options.workers > 1 else None,
        )
        print(_next_steps(parts), flush=True, file=sys.stderr if options.logs.decisions == "-" else sys.stdout)
        _begin(parts, manager)
    finally:
        remove_unix(options.listen.uds)


def _settings(options: ServeOptions, listener: socket.socket, source: Source) -> Settings:
    where = options.listen.host, _port(listener)
    return Settings(source.shown, *where, source.state, source.place, options.changes, now())


def _begin(parts: Parts, manager: ServiceManager) -> None:
    if parts.crew.size == 1:
        work(parts, manager)
        return
    looks = [*parts.looks, *([_reopening(parts.decisions)] if parts.decisions else [])]
    Supervisor(parts.crew, manager, partial(work_with_others, parts), looks).run()


def _decision_log(logs: Logs, workers: int) -> DecisionLog | None:
    """The decision log, if there is to be one."""
    if logs.decisions is None:
        return None
    return DecisionLog(logs.decisions, with_names=logs.with_names, turns=SharedTurns() if workers > 1 else None)


def _reopening(decisions: DecisionLog) -> Look:
    """At SIGHUP the supervisor, which writes nothing, turns to the new file too: workers to come begin there."""

    def look(*, asked: bool) -> None:
        if asked:
            decisions.reopen_now()

    return look


def _port(listener: socket.socket) -> int:
    return 0 if listener.family == socket.AF_UNIX else int(listener.getsockname()[1])


def _next_steps(parts: Parts) -> str:
    options, listen, listener = parts.options, parts.options.listen, parts.listener
    scheme = "https" if listen.tls else "http"
    if listen.uds:
        shown, curl, url = str(listen.uds), f"curl --unix-socket {quote(str(listen.uds))}", f"{scheme}://localhost"
    else:
        host, port = listener.getsockname()[:2]
        shown = url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        curl = "curl"
    clone = f"{url}{PLACE}" if parts.backend and not listen.uds else quote(parts.settings.repository)
    login = " --user USER" if options.users.htpasswd else ""
    query = "protocol=mssip&ms-subnet=10.61.2.0"
    return f"""location-policy {__version__} serves {parts.settings.repository} on {shown}

  change the map:  git clone {clone}
  ask as a node:   {curl}{login} '{url}/policy/v1/participant/location?{query}'
  what is active:  {curl}{login} {url}/status
"""
