"""Run the service: follow the repository, and answer from it, until a signal comes."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from ...access.watched_file import WatchedFile
from ...calls.history import CallHistory
from ...fleet.fleet import Fleet
from ...repository.remote.mirror import Mirror
from ...rollout.fleet_notes import FleetNotes
from ...rollout.notify.notifier import Notifier
from ...rollout.refresher import Refresher
from ...rollout.state import ActiveState, now
from ...rollout.status_notifier import Manager, StatusNotifier
from ...rollout.sync.sync_file import Serving, keep_sync
from ...rollout.sync.syncs import Sync, Syncs
from ...rollout.upstream.question import can_tell
from ...rollout.upstream.report import Follower
from ...rollout.upstream.wait import UpstreamWait
from ...rollout.watcher import Watcher
from ...runtime.reloader import ReloadCheck, Reloader
from ...runtime.service_id import service_id
from ...runtime.wakeup import Wakeup
from ...server.open_files import fitted
from ...server.run import LifecycleCallbacks, on_hangup, run
from ...server.tls import Certificates
from ...web.app import BODIES, make_app
from ...web.edge.guard import Access, Guard
from ...web.edge.webhook import Webhook
from ...web.ops.decision_log import DecisionLog
from ...web.ops.settings import Settings
from ...web.ops.sync_api import WAITING, SyncApi
from .notify import Receivers, start_notifiers
from .opening import Opened
from .options import ServeOptions
from .source import Source

log = logging.getLogger(__name__)

FIRST_LOOK = 0.5
"""Seconds that answers from the state directory wait for what HEAD says: mostly they need not be given at all."""
FIRST_FETCH = 0.2
"""The same where it is to be fetched: a remote may be away."""


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
    secrets: WatchedFile[Sequence[bytes]] | None
    certificates: Certificates | None
    looks: Sequence[ReloadCheck]
    decisions: DecisionLog | None
    receivers: Receivers
    calls: CallHistory | None


def work(parts: Parts, manager: Manager) -> None:
    """Serve until a signal comes."""
    active = ActiveState()
    active.change(not_kept=parts.not_kept, began_at=now(), max_stale=parts.options.max_stale)
    notifier = StatusNotifier(manager, active)
    mirror = parts.source.mirror
    refresher = Refresher(parts.source.place, active, parts.source.state, mirror)
    wakeup, fleet = Wakeup(WAITING), _fleet(parts.source.state, parts.options)
    notes = FleetNotes(parts.opened.directory, fleet, active)
    active.changed, fleet.on_change = lambda: fleet.move(active.commit), notes.tell
    syncs = Syncs(active, _hurried(refresher, mirror), _teller(wakeup, parts.source.state))
    notifiers = start_notifiers(parts.receivers, active, parts.source, parts.certificates)
    upstream = _upstream(parts, mirror, active, fleet)
    look = _told_look(refresher.look, [*notifiers.values(), notifier, syncs, *([upstream] if upstream else [])])
    watcher = Watcher(parts.opened.directory, look, refresher.folders)
    syncs.wake = watcher.hurry
    changed: list[ReloadCheck] = [one.look for one in notifiers.values()]
    serving = Serving(parts.source.state)
    serving.look()
    looks = [serving.look, notifier.begin_reload, *parts.looks, notifier.end_reload, _asking(syncs), *changed]
    reloader = Reloader(looks)
    decisions = parts.decisions
    on_hangup(decisions.reopen if decisions else None, reloader.hurry)
    if mirror and upstream:
        mirror.upstream, upstream.wake, notes.tell_upstream = upstream, watcher.hurry, upstream.tell
    for thread in (decisions, parts.calls, upstream, watcher, reloader, notes):
        if thread:
            thread.start()
    with ExitStack() as at_end:
        if decisions:
            at_end.callback(decisions.close)
        if parts.calls:
            at_end.callback(parts.calls.close)
        at_end.callback(serving.close)
        outboxes = [one.outbox.stop for one in notifiers.values()]
        for stop in (*outboxes, notes.stop, watcher.stop, *([mirror.close] if mirror else []), reloader.stop):
            at_end.callback(stop)  # the last of them is the first to be called
        app = _app(parts, active, SyncApi(syncs, wakeup), _webhook(parts, syncs), fleet, notifiers)
        if parts.source.is_kept and parts.opened.answers:
            watcher.wait_for_look(FIRST_FETCH if mirror else FIRST_LOOK)
        ends = (fleet.end, wakeup.end)
        signs, is_proxy = _signs(parts.options.drain, manager, notifier, active, ends), parts.access.proxies.believes
        run(app, parts.listener, parts.options.limits, parts.certificates, signs, read=BODIES, is_proxy=is_proxy)


class _Told(Protocol):
    """What is told of each look at the source."""

    def around(self, look: Callable[[], None], /) -> Callable[[], None]:
        """The look, of which it is told."""


def _told_look(look: Callable[[], None], told: Iterable[_Told]) -> Callable[[], None]:
    """This look, of which all of these are told, one after the other."""
    for one in told:
        look = one.around(look)
    return look


def _app(
    parts: Parts,
    active: ActiveState,
    syncs: SyncApi,
    webhook: Webhook | None,
    fleet: Fleet,
    notifiers: Mapping[str, Notifier],
) -> Guard:
    certificates = parts.certificates
    return make_app(
        active,
        parts.settings,
        parts.decisions,
        parts.access,
        parts.opened.backend,
        syncs,
        webhook,
        parts.source.mirror,
        fleet,
        outboxes={name: one.outbox for name, one in notifiers.items()},
        certificate_ends=lambda: certificates.ends if certificates else None,
        calls=parts.calls,
    )


def _upstream(parts: Parts, mirror: Mirror | None, active: ActiveState, fleet: Fleet) -> UpstreamWait | None:
    """What waits for the word of a remote that is a service, where it may be one."""
    if mirror is None or not can_tell(mirror.url):
        return None
    name, followers = parts.options.name or socket.gethostname(), fleet.followers
    follower = Follower(name, fleet.id, active, followers.summary, followers.ids)
    return UpstreamWait(mirror, follower.headers, calls=parts.calls.above if parts.calls else None)


def _webhook(parts: Parts, syncs: Syncs) -> Webhook | None:
    """What takes webhooks, where there are secrets by which they are proven."""
    secrets = parts.secrets
    if secrets is None:
        return None
    return Webhook(lambda: secrets.value, partial(syncs.ask, is_knock=True), parts.access.proxies)


def _fleet(state_directory: Path, options: ServeOptions) -> Fleet:
    """Those who may follow: their requests, which wait, leave half of the connections to others."""
    limits = fitted(options.limits)
    return Fleet(service_id(state_directory), min(limits.followers, limits.connections // 2))


def _signs(
    seconds: float, manager: Manager, notifier: StatusNotifier, active: ActiveState, waits: Sequence[Callable[[], None]]
) -> LifecycleCallbacks:
    """A sign of life twice as often as the service manager wants one, if it does; so many seconds to drain.

    Before the last of them all `waits` are let go.
    """

    def drain() -> None:
        active.draining_since = now()
        log.info("draining: not ready, and ends in %gs", seconds)
        notifier.drain(seconds)

    def let_go() -> None:
        for end_wait in waits:
            end_wait()

    def end() -> None:
        notifier.stop()
        let_go()

    alive = notifier.sign_of_life if manager.watchdog is not None else None
    interval = max(1, int((manager.watchdog or 0) / 2))
    return LifecycleCallbacks(alive, interval, seconds, drain, let_go, end)


def _hurried(refresher: Refresher, mirror: Mirror | None) -> Callable[[], None]:
    """What lets the next look ask git, and the remote, whenever the last one did."""

    def hurry() -> None:
        if mirror:
            mirror.hurry()
        refresher.hurry()

    return hurry


def _teller(wakeup: Wakeup, state_directory: Path) -> Callable[[Sync], None]:
    """Whom it is told what became of a look: those who wait over HTTP, and on this machine."""

    def tell(sync: Sync) -> None:
        keep_sync(state_directory, sync)
        wakeup.tell()

    return tell


def _asking(syncs: Syncs) -> ReloadCheck:
    """At SIGHUP the source is looked at now; otherwise it is when the watcher sees fit."""

    def look(*, asked: bool) -> None:
        if asked:
            syncs.ask()

    return look
