"""What a worker of `serve` does: follow the repository, and answer from it. By itself it is the whole service."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..active import Active
from ..announcer import Announcer, Manager
from ..crew import SERVING, Crew
from ..decision_log import DecisionLog
from ..follower import Follower
from ..metrics import Dropped
from ..mirror import Mirror
from ..ordinary_log import log_as_worker
from ..refresh import Refresher
from ..report import Report
from ..repository.http_backend import HttpBackend
from ..rereading import Look, Rereader
from ..server import Signs, on_hangup, run
from ..settings import ServeOptions, Settings
from ..shared_mirror import SharedMirror
from ..shelf import Shelf
from ..tls import Certificates
from ..web import BODIES, Access, make_app
from .source import Source

PAUSE = 0.02
"""Seconds between two looks at whether there is something to answer from, or nobody else who answers."""
PATIENCE = 1.0
"""Seconds in which nobody answers at first: callers rather wait for a map than hear that there is none."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What is there before a worker begins; where there are several, each has a copy."""

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
    crew: Crew
    shelf: Shelf | None


def work_with_others(parts: Parts, report: Report) -> None:
    """Work in a process that is a copy of its supervisor."""
    log_as_worker()
    lost = Dropped(parts.crew, lambda: parts.decisions.dropped if parts.decisions else 0)

    def share(active: Active) -> None:
        state = active.state
        commit = state.snapshot.commit if state.snapshot else None
        checked = state.last_checked_at
        report.note(commit=commit and commit.id, checked=checked and checked.timestamp())
        lost.note()

    work(parts, report, share)


def work(parts: Parts, manager: Manager, share: Callable[[Active], None] = lambda _: None) -> None:
    """Work until a signal comes; after each look at the source `share` is called."""
    active = Active(parts.crew)
    active.change(not_kept=parts.not_kept)
    announcer = Announcer(manager, active)
    mirror = _mirror(parts)
    refresh = Refresher(parts.source.place, active, parts.source.state, mirror, parts.shelf).refresh
    has_looked = threading.Event()

    def look() -> None:
        refresh()
        share(active)
        has_looked.set()

    follower = Follower(parts.directory, announcer.around(look))
    looks = [announcer.begin_reload, *parts.looks, announcer.end_reload, _hurry(follower, mirror)]
    rereader = Rereader(looks)
    decisions = parts.decisions
    on_hangup(decisions.reopen if decisions else None, rereader.hurry)
    for thread in (decisions, follower, rereader):
        if thread:
            thread.start()
    try:
        _wait_for_a_turn(parts.crew, has_looked)
        _answer(parts, active, _signs(manager, announcer))
    finally:
        rereader.stop()
        if mirror:
            mirror.close()
        follower.stop()
        if decisions:
            decisions.close()


def _mirror(parts: Parts) -> Mirror | SharedMirror | None:
    mirror = parts.source.mirror
    return SharedMirror(mirror, parts.crew) if mirror and parts.crew.size > 1 else mirror


def _answer(parts: Parts, active: Active, signs: Signs) -> None:
    app = make_app(active, parts.settings, parts.decisions, parts.access, parts.backend)
    context = parts.certificates.context if parts.certificates else None
    run(app, parts.listener, parts.options.limits, context, signs, read=BODIES, crew=parts.crew)


def _wait_for_a_turn(crew: Crew, has_looked: threading.Event) -> None:
    """While another worker answers, nobody is better off with one that has nothing to answer from yet."""
    if crew.size == 1:
        return
    began = time.monotonic()
    while not has_looked.wait(PAUSE):
        if time.monotonic() - began > PATIENCE and not any(place.cells[SERVING] for place in crew.places):
            return


def _signs(manager: Manager, announcer: Announcer) -> Signs:
    """A sign of life twice as often as the service manager wants one, if it does."""
    if manager.watchdog is None:
        return Signs(ending=announcer.stop)
    return Signs(announcer.sign_of_life, max(1, int(manager.watchdog / 2)), announcer.stop)


def _hurry(follower: Follower, mirror: Mirror | SharedMirror | None) -> Look:
    """At SIGHUP the source is looked at now; otherwise it is when the follower sees fit."""

    def look(*, asked: bool) -> None:
        if asked:
            if mirror:
                mirror.hurry()
            follower.hurry()

    return look
