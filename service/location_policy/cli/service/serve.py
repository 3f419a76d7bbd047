"""`location-policy serve`: put the parts together, and run them."""

from __future__ import annotations

import logging
import shutil
import socket
import sys
from pathlib import Path
from shlex import quote

from ... import __version__
from ...calls.hand_up import HandUp
from ...calls.history import CallHistory
from ...repository.git_process import end_all
from ...rollout.state import now
from ...rollout.upstream.question import can_tell
from ...runtime.log_format import log_to_stderr
from ...runtime.systemd import ServiceManager
from ...server.run import end_on_signals
from ...server.sockets import bind, remove_unix
from ...server.tls import Certificates
from ...web.edge.git_http import PLACE
from ...web.ops.decision_log import DecisionLog
from ...web.ops.settings import Settings
from .access import asks_who, open_access, open_webhook, tell_strangers
from .notify import open_receivers
from .opening import open_source
from .options import Logs, ServeOptions
from .remote_secrets import forget_variables, refuse_password_of_proxy
from .run import Parts, work
from .source import Source, source_of, write_problem

log = logging.getLogger(__name__)


def serve(options: ServeOptions) -> None:
    """Serve until a signal comes; raises LocationPolicyError when it cannot be started."""
    end_on_signals()
    log_to_stderr(options.logs.form)
    manager = ServiceManager()
    certificates = Certificates(options.listen.tls) if options.listen.tls else None
    access, looks = open_access(options.listen, options.users)
    secrets = open_webhook(options.listen, options.users)
    receivers, receiver_looks = open_receivers(options)
    looks = [*looks, *receiver_looks, *(one.look for one in (certificates, secrets) if one)]
    listener = bind(options.listen, asks_who=asks_who(options.listen, options.users))
    try:
        refuse_password_of_proxy(options.remote)
        source = source_of(options)
        forget_variables()
        opened = open_source(source, options)
        not_kept = write_problem(source.state)
        if access.credentials and not not_kept:
            access.credentials.clients.keep_in(source.state)
        parts = Parts(
            options=options,
            settings=_settings(options, listener, source),
            listener=listener,
            source=source,
            opened=opened,
            access=access,
            secrets=secrets,
            certificates=certificates,
            looks=looks,
            not_kept=not_kept,
            decisions=_decision_log(options.logs),
            receivers=receivers,
            calls=_calls(options.call_history, source, not_kept),
        )
        is_remote = source.mirror is not None
        tell_strangers(access, is_remote=is_remote, for_review=is_remote and options.changes == "review")
        _tell(_next_steps(parts), options.logs)
        work(parts, manager)
    finally:
        end_all()
        remove_unix(options.listen.uds)


def _tell(text: str, logs: Logs) -> None:
    """Where there are decisions on standard output, there is nothing else."""
    if logs.decisions == "-" and logs.form == "json":
        log.info("%s", text.partition("\n")[0])
    else:
        print(text, flush=True, file=sys.stderr if logs.decisions == "-" else sys.stdout)


def _settings(options: ServeOptions, listener: socket.socket, source: Source) -> Settings:
    where = options.listen.host, _port(listener)
    return Settings(source.shown, *where, source.state, source.place, options.changes, now())


def _decision_log(logs: Logs) -> DecisionLog | None:
    """The decision log, if there is to be one."""
    return None if logs.decisions is None else DecisionLog(logs.decisions, with_names=logs.with_names)


def _calls(days: int, source: Source, not_kept: str | None) -> CallHistory | None:
    """What remembers calls, if that is wanted; where nothing can be kept, as long as the process lives."""
    if not days:
        return None
    above = HandUp() if source.mirror and can_tell(source.mirror.url) else None
    return CallHistory(None if not_kept else source.state, days, above=above)


def _port(listener: socket.socket) -> int:
    return 0 if listener.family == socket.AF_UNIX else int(listener.getsockname()[1])


def _program() -> str:
    """The program as it can be typed here: by its path where `PATH` does not lead to it."""
    beside = Path(sys.executable).with_name("location-policy")
    return "location-policy" if shutil.which("location-policy") or not beside.exists() else quote(str(beside))


def _next_steps(parts: Parts) -> str:
    options, listen, listener = parts.options, parts.options.listen, parts.listener
    scheme = "https" if listen.tls else "http"
    if listen.uds:
        shown, curl, url = str(listen.uds), f"curl --unix-socket {quote(str(listen.uds))}", f"{scheme}://localhost"
    else:
        host, port = listener.getsockname()[:2]
        shown = url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        curl = "curl"
    is_here = parts.opened.backend() and not parts.source.mirror and not listen.uds
    clone = f"{url}{PLACE}" if is_here else quote(parts.settings.repository)
    login = " --user USER" if options.users.htpasswd else ""
    query = "protocol=mssip&ms-subnet=10.61.2.0"
    return f"""location-policy {__version__} serves {parts.settings.repository} on {shown}

  change the map:  git clone {clone}
  check a clone:   {_program()} check
  ask as a node:   {curl}{login} '{url}/policy/v1/participant/location?{query}'
  what is active:  {curl}{login} {url}/status
"""
