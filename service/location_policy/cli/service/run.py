"""Run the service: follow the repository, and answer from it, until a signal comes."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass

from ...repository.remote.mirror import Mirror
from ...rollout.refresher import Refresher
from ...rollout.state import ActiveState
from ...rollout.status_notifier import Manager, StatusNotifier
from ...rollout.watcher import Watcher
from ...runtime.reloader import ReloadCheck, Reloader
from ...server.run import LifecycleCallbacks, on_hangup, run
from ...server.tls import Certificates
from ...web.app import BODIES, make_app
from ...web.edge.guard import Access
from ...web.ops.decision_log import DecisionLog
from ...web.ops.settings import Settings
from .opening import Opened
from .options import ServeOptions
from .source import Source

FIRST_LOOK = 0.5
"""Seconds that answers from the state directory wait for what HEAD says: mostly they need not be given at all."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What is there before the service runs."""

    options: ServeOptions
    settings: Settings
    listener: socket.socket
    source: Source
    opened: Opened
    not_kept: str | None
    access: Access
    certificates: Certificates | None
    looks: Sequence[ReloadCheck]
    decisions: DecisionLog | None


def work(parts: Parts, manager: Manager) -> None:
    """Serve until a signal comes."""
    active = ActiveState()
    active.change(not_kept=parts.not_kept)
    notifier = StatusNotifier(manager, active)
    mirror = parts.source.mirror
    refresher = Refresher(parts.source.place, active, parts.source.state, mirror)
    watcher = Watcher(parts.opened.directory, notifier.around(refresher.look), refresher.folders)
    looks = [notifier.begin_reload, *parts.looks, notifier.end_reload, _hurry(watcher, refresher, mirror)]
    reloader = Reloader(looks)
    decisions = parts.decisions
    on_hangup(decisions.reopen if decisions else None, reloader.hurry)
    for thread in (decisions, watcher, reloader):
        if thread:
            thread.start()
    try:
        app = make_app(active, parts.settings, parts.decisions, parts.access, parts.opened.backend)
        if parts.source.is_kept and parts.opened.answers:
            watcher.wait_for_look(FIRST_LOOK)
        context = parts.certificates.context if parts.certificates else None
        signs, is_proxy = _signs(manager, notifier), parts.access.proxies.believes
        run(app, parts.listener, parts.options.limits, context, signs, read=BODIES, is_proxy=is_proxy)
    finally:
        reloader.stop()
        if mirror:
            mirror.close()
        watcher.stop()
        if decisions:
            decisions.close()


def _signs(manager: Manager, notifier: StatusNotifier) -> LifecycleCallbacks:
    """A sign of life twice as often as the service manager wants one, if it does."""
    if manager.watchdog is None:
        return LifecycleCallbacks(ending=notifier.stop)
    return LifecycleCallbacks(notifier.sign_of_life, max(1, int(manager.watchdog / 2)), notifier.stop)


def _hurry(watcher: Watcher, refresher: Refresher, mirror: Mirror | None) -> ReloadCheck:
    """At SIGHUP the source is looked at now; otherwise it is when the watcher sees fit."""

    def look(*, asked: bool) -> None:
        if asked:
            if mirror:
                mirror.hurry()
            refresher.hurry()
            watcher.hurry()

    return look
