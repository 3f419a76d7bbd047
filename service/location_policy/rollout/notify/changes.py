"""The changes between what was seen last and what is so now, each found once.

What is so is a text for each topic; a topic of which nothing can be said at this moment is left as it was seen last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from ...integrations.notify.event import Event, Kind, Sender
from ...lookup.snapshot import Snapshot
from ...problems import errors_in
from ...text import moment_text
from ..state import Head, State, now
from .told import Seen

BEFORE_END = timedelta(days=14)
"""How long before its end a certificate is told of."""


class Change(NamedTuple):
    """What is so of a topic now, and the event that tells it."""

    topic: str
    value: str | None
    event: Event


def topics(state: State, ends: datetime | None) -> Seen:
    """What is so: the commit in force, the one that is refused, the pin, the source, a certificate about to end.

    `ends`: when the certificate of the service does, None where it has none.
    """
    seen: dict[str, str | None] = {}
    if ends:
        seen["certificate"] = moment_text(ends) if ends - now() < BEFORE_END else None
    if state.asked_at is not None:  # a look is under way: what it changes is not whole yet
        return {**seen, "source": "unreachable"} if state.is_overdue else seen
    if state.snapshot and state.snapshot.commit:
        seen["active"] = state.snapshot.commit.id
    if state.is_unreachable:
        seen["source"] = "unreachable"
    elif state.was_read:
        seen["source"] = None
        if state.is_settled and not state.pin:
            seen["refused"] = state.rejection.commit if state.rejection else None
    if state.was_read:
        seen["pin"] = f"{state.pin.id} {state.pin.commit}" if state.pin else None
    return seen


def changes(before: Seen, seen: Seen, state: State, sender: Sender, ends: datetime | None) -> Iterator[Change]:
    """What has changed and is to be told; that a commit is refused no more is not, nor that a certificate is new."""
    for topic in ("source", "pin", "refused", "active", "certificate"):
        old, new = before.get(topic), seen.get(topic, before.get(topic))
        if old != new and (kind := _kind(topic, new)):
            event = Event(kind, now(), replace(sender, branch=state.branch), serving=_serving(state))
            yield Change(topic, new, _with_facts(event, old or "", state, ends))


def _kind(topic: str, new: str | None) -> Kind | None:
    match topic:
        case "active":
            return "active"
        case "refused":
            return "refused" if new else None
        case "source":
            return "unreachable" if new else "reachable"
        case "pin":
            return "pinned" if new else "unpinned"
    return "certificate" if new else None


def _serving(state: State) -> str | None:
    return state.snapshot.commit.id if state.snapshot and state.snapshot.commit else None


def _with_facts(event: Event, before: str, state: State, ends: datetime | None) -> Event:
    match event.kind:
        case "active" if state.snapshot:
            return _with_active(event, state.snapshot, state.head)
        case "refused" if failure := state.rejection:
            head, errors = state.head, errors_in(failure.problems)
            commit = head.commit if head and head.commit.id == failure.commit else None
            event = replace(event, commit_id=failure.commit, commit=commit, problems=errors)
            return replace(event, message=failure.message, hint=failure.hint)
        case "unreachable" if failure := state.failure:
            return replace(event, message=failure.message, hint=failure.hint)
        case "pinned" if pin := state.pin:
            return replace(event, commit_id=pin.commit, by=pin.by, reason=pin.reason, until=pin.until)
        case "unpinned":
            return replace(event, commit_id=before.partition(" ")[2])
        case "certificate":
            return replace(event, ends=ends)
    return event


def _with_active(event: Event, snapshot: Snapshot, head: Head | None) -> Event:
    """With how long it took, where this process has seen the commit before it was in force."""
    commit, took = snapshot.commit, None
    if head and commit and head.commit.id == commit.id and head.seen_at <= snapshot.loaded_at:
        took = (snapshot.loaded_at - head.seen_at).total_seconds()
    return replace(event, commit_id=event.serving, commit=commit, subnets=snapshot.total_size, took=took, serving=None)
