"""What is in force, and why not something newer, as JSON (the contract of `GET /status`)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from types import MappingProxyType
from typing import Any

from ... import __version__
from ...config.commit import Commit
from ...fleet.followers import Followers
from ...gate.overrides import Override
from ...gate.pin import Pin
from ...history.commit_text import commit_fields
from ...lookup.snapshot import Snapshot
from ...repository.remote.looks import Looks
from ...rollout.notify.outbox import Outbox
from ...rollout.relation import Relation
from ...rollout.state import Failure, Head, State
from ...text import ROOM, fitting, precise_moment_text, shorten
from .settings import Settings

SHOWN_LOCATIONS = 1_000
"""Locations of which it is told how many rows they have; the rest is counted."""


def status(
    state: State,
    settings: Settings,
    started_at: datetime,
    draining_since: datetime | None = None,
    followers: Followers | None = None,
    outboxes: Mapping[str, Outbox] = MappingProxyType({}),
) -> dict[str, Any]:
    """The whole of `/status` from one state."""
    return {
        "state": state.name,
        "active": _active(state),
        "pin": pin_fields(state.pin),
        "pin_problem": state.pin_problem,
        "head": _head(state.head),
        "failure": _failure(state.failure),
        "source": {
            "repository": settings.repository,
            "branch": state.branch,
            "last_checked_at": _time(state.last_checked_at),
            "last_changed_at": _time(state.last_changed_at),
            **_looks(state.looks),
            "is_stale": state.is_stale,
            "state_directory": None if state.not_kept else str(settings.state_directory),
            "state_directory_problem": state.not_kept,
            "signatures": state.signatures,
            "signatures_problem": state.signatures_problem,
        },
        "hook": {"state": state.hook.state, "version": state.hook.version},
        "service": {
            "version": __version__,
            "started_at": _time(started_at),
            "pid": os.getpid(),
            "draining_since": _time(draining_since),
        },
        "followers": (followers or Followers()).fields(),
        "notifications": {name: _notifications(one) for name, one in outboxes.items()},
    }


def _notifications(outbox: Outbox) -> dict[str, Any]:
    """How it stands with one receiver, of which no more is told than its host."""
    error = outbox.last_error
    return {
        "to": outbox.to,
        "sent": outbox.sent,
        "failed": outbox.failed,
        "dropped": outbox.dropped,
        "waiting": outbox.waiting,
        "last_sent_at": _time(outbox.last_sent_at),
        "last_error": {"at": _time(error.at), "message": error.message} if error else None,
    }


def _looks(looks: Looks | None) -> dict[str, Any]:
    """Those at a remote, null for a repository here."""
    error = looks.last_error if looks else None
    return {
        "last_succeeded_at": _time(looks.last_succeeded_at) if looks else None,
        "last_error": {**asdict(error), "at": _time(error.at)} if error else None,
        "unreachable_since": _time(looks.unreachable_since) if looks else None,
        "next_look_at": _time(looks.next_look_at) if looks else None,
        "fetches": {"ok": looks.ok, "failed": looks.failed, "made_anew": looks.remade} if looks else None,
    }


def _active(state: State) -> dict[str, Any] | None:
    snapshot = state.snapshot
    if snapshot is None or snapshot.commit is None:
        return None
    room = ROOM // max(1, len(snapshot.views))  # for all of them together
    views = {view.view: {"subnets": view.size, **location_fields(view, room)} for view in snapshot.views}
    counts = {"subnets": snapshot.size, **location_fields(snapshot), "views": views}
    loaded = {"loaded_at": _time(snapshot.loaded_at), "override": _override(state.override)}
    return {**_commit(snapshot.commit), **loaded, **counts}


def location_fields(snapshot: Snapshot, room: int = ROOM) -> dict[str, Any]:
    """How many rows each location has, in the order of names; and how many locations more there are."""
    shown = fitting(islice(snapshot.locations.items(), SHOWN_LOCATIONS), room=room)
    return {"locations": dict(shown), "more_locations": len(snapshot.locations) - len(shown)}


def _override(override: Override | None) -> dict[str, Any] | None:
    return {**asdict(override), "reason": shorten(override.reason), "at": _time(override.at)} if override else None


def pin_fields(pin: Pin | None) -> dict[str, Any] | None:
    """By which what is in force is held."""
    if pin is None:
        return None
    return {"commit": pin.commit, "by": pin.by, "at": _time(pin.at), "until": _time(pin.until), "reason": pin.reason}


def _head(head: Head | None) -> dict[str, Any] | None:
    return {**_commit(head.commit), "seen_at": _time(head.seen_at), **_relation(head.relation)} if head else None


def _relation(found: Relation | None) -> dict[str, Any]:
    """To the commit `relation_to`, which was in force when this one came; it may be in force by now."""
    if found is None:
        return {"relation": None, "relation_to": None, "gained": 0, "dropped": 0, "dropped_commits": []}
    return {
        "relation": found.kind,
        "relation_to": found.base,
        "gained": found.gained,
        "dropped": found.dropped,
        "dropped_commits": [commit_fields(commit) for commit in found.newest],
    }


def _commit(commit: Commit) -> dict[str, Any]:
    return {**commit_fields(commit), "committed_at": _time(commit.committed_at)}


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    return {
        "commit": failure.commit,
        "failed_at": _time(failure.failed_at),
        "message": failure.message,
        "served": failure.served,
        "hint": failure.hint,
        **failure.problems.fields(),
    }


def _time(moment: datetime | None) -> str | None:
    return precise_moment_text(moment) if moment else None
