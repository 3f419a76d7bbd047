"""What commits changed, and what the service made of them, as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from ..gate.overrides import Override
from ..plan.as_json import Fields, answer_fields, total_fields
from ..rollout.journal import Event
from ..text import moment_text, shorten
from .branch import Answered, CommitEffect
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
        "service": event_fields(answer.commit.id, events),
    }


def event_fields(commit_id: str, events: Events) -> list[Fields]:
    """When the service put a commit in force or refused it."""
    return [{"event": event.kind, "at": moment_text(event.at)} for event in events.get(commit_id, ())]
