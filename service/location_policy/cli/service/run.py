"""Run the service: follow the repository, and answer from it, until a signal comes."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...repository.http_backend import HttpBackend
from ...repository.mirror import Mirror
from ...rollout.refresher import Refresher
from ...rollout.state import Active
from ...rollout.status_notifier import Announcer, Manager
from ...rollout.watcher import Follower
from ...runtime.reloader import Look, Rereader
from ...server.run import Signs, on_hangup, run
from ...server.tls import Certificates
from ...web.app import BODIES, make_app
from ...web.edge.guard import Access
from ...web.ops.decision_log import DecisionLog
from ...web.ops.settings import Settings
from .options import ServeOptions
from .source import Source


@dataclass(frozen=True, slots=True)
class Parts:
    """What is there before the service runs."""

    options: ServeOptions
    settings: Settings
    listener: socket.socket
    source: Source
    directory: Path
    not_kept: str | None
    access: Access
    certificates: Certificates | None
    looks: Sequence[Look]
    backend: HttpBackend | None
    decisions: DecisionLog | None


def work(parts: Parts, manager: Manager) -> None:
    """Serve until a signal comes."""
    active = Active()
    active.change(not_kept=parts.not_kept)
    announcer = Announcer(manager, active)
    mirror = parts.source.mirror
    refresher = Refresher(parts.source.place, active, parts.source.state, mirror)
    follower = Follower(parts.directory, announcer.around(refresher.look), refresher.folders)
    looks = [announcer.begin_reload, *parts.looks, announcer.end_reload, _hurry(follower, refresher, mirror)]
    rereader = Rereader(looks)
    decisions = parts.decisions
    on_hangup(decisions.reopen if decisions else None, rereader.hurry)
    for thread in (decisions, follower, rereader):
        if thread:
            thread.start()
    try:
        _answer(parts, active, _signs(manager, announcer))
    finally:
        rereader.stop()
        if mirror:
            mirror.close()
        follower.stop()
        if decisions:
            decisions.close()


def _answer(parts: Parts, active: Active, signs: Signs) -> None:
    app = make_app(active, parts.settings, parts.decisions, parts.access, parts.backend)
    context = parts.certificates.context if parts.certificates else None
    run(app, parts.listener, parts.options.limits, context, signs, read=BODIES)


def _signs(manager: Manager, announcer: Announcer) -> Signs:
    """A sign of life twice as often as the service manager wants one, if it does."""
    if manager.watchdog is None:
        return Signs(ending=announcer.stop)
    return Signs(announcer.sign_of_life, max(1, int(manager.watchdog / 2)), announcer.stop)


def _hurry(follower: Follower, refresher: Refresher, mirror: Mirror | None) -> Look:
    """At SIGHUP the source is looked at now; otherwise it is when the follower sees fit."""

    def look(*, asked: bool) -> None:
        if asked:
            if mirror:
                mirror.hurry()
            refresher.hurry()
            follower.hurry()

    return look
