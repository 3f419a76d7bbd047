"""What commits changed, and what the service made of them, as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from ..gate.overrides import Override
from ..gate.push_log import Push
from ..net.split import LISTED, PartChange, largest, range_text
from ..plan.as_json import Fields, answer_fields, total_fields
from ..rollout.journal import Event
from ..text import moment_text, shorten
from .branch import Answered, CommitEffect, LocationAnswered, SubnetAnswered
from .commit_text import commit_fields

Events = Mapping[str, Sequence[Event]]
"""What a service has written down, by commit."""


def effect_fields(effect: CommitEffect, noted: Mapping[str, Override], events: Events) -> Fields:
    """What a commit changed, and what became of it."""
    return {
        **commit_fields(effect.commit),
        "errors": effect.errors,
        "effect": list(effect.lines),
        "totals": {kind: total_fields(total) for kind, total in effect.totals.items()},
        "override": override_fields(noted.get(effect.commit.id)),
        "service": event_fields(effect.commit.id, events),
    }


def override_fields(override: Override | None) -> Fields | None:
    """A limit that was overridden."""
    return (
        {**asdict(override), "reason": shorten(override.reason), "at": moment_text(override.at)} if override else None
    )


def answered_fields(answer: Answered, events: Events) -> Fields:
    """A commit at which the answer for an address changed."""
    return {
        **commit_fields(answer.commit),
        "from": answer_fields(answer.before),
        "to": answer_fields(answer.after),
        "source": answer.source,
        **({"view": answer.view} if answer.view else {}),
        "service": event_fields(answer.commit.id, events),
    }


def subnet_answered_fields(answer: SubnetAnswered, size: int, events: Events) -> Fields:
    """A commit at which answers of a subnet changed: the largest parts; `size` is that of an address, in bytes."""
    shown = [_part_fields(change, size) for change in largest(answer.changes)]
    more = len(answer.changes) - len(shown)
    told = {"parts": shown, "more": more, "service": event_fields(answer.commit.id, events)}
    return commit_fields(answer.commit) | told


def location_answered_fields(answer: LocationAnswered, events: Events) -> Fields:
    """A commit at which other rows began to lead to a location: how many do, and the first of those that changed."""
    rows = [
        {"subnet": str(change.network) if change.network else None, "from": change.before, "to": change.after}
        for change in answer.changes[:LISTED]
    ]
    return {
        **commit_fields(answer.commit),
        "as_location": {"from": answer.before["location"], "to": answer.after["location"]},
        "as_overflow": {"from": answer.before["overflow"], "to": answer.after["overflow"]},
        "rows": rows,
        "more": len(answer.changes) - len(rows),
        "service": event_fields(answer.commit.id, events),
    }


def _part_fields(change: PartChange, size: int) -> Fields:
    answers = {"from": answer_fields(change.before), "to": answer_fields(change.after)}
    return {"range": range_text(change.range, size), "size": str(change.range.size), **answers}


def push_fields(push: Push) -> Fields:
    """A push that was not taken."""
    return {
        "at": moment_text(push.at),
        "result": push.result,
        "pusher": push.by,
        "branch": push.branch,
        "commit": push.commit,
        "subject": push.subject,
        "author": push.author,
        "reasons": list(push.reasons),
        "times": push.times,
    }


def event_fields(commit_id: str, events: Events) -> list[Fields]:
    """When the service put a commit in force or refused it; of a pin, who has held it and why."""
    return [_event_fields(event) for event in events.get(commit_id, ())]


def _event_fields(event: Event) -> Fields:
    more = {name: text for name, text in (("by", event.by), ("reason", event.reason)) if text}
    return {"event": event.kind, "at": moment_text(event.at), **more}
