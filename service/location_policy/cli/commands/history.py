"""`location-policy history`: what the commits of the served branch changed, and what the service made of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, TypeVar

from ...gate.overrides import Override, limit_text, overrides
from ...history.as_json import Events, answered_fields, effect_fields
from ...history.branch import Answered, Branch, CommitEffect
from ...history.commit_text import SHORT, answer_text, commit_text, signer_lines
from ...lookup.query_string import asked_address
from ...net.addresses import format_address
from ...repository.repository import Repository, open_repository
from ...rollout import journal
from ...text import count, escape, moment_text
from ..terminal.default_paths import Place
from ..terminal.exit_status import NO
from ..terminal.progress import Progress
from .signers import signers_of

SHOWN = 20
"""Commits that are looked at, unless more are asked for."""
SEARCHED = 1_000
"""The same where one address is asked for."""
PROGRESS = 50
"""Commits between two words about how far it is."""

End = Literal["first", "more", "shallow"]
"""What is behind the last commit that was looked at: nothing, more, or what a shallow clone has not."""

One = TypeVar("One")
Told = TypeVar("Told", CommitEffect, Answered)


def history(place: Place, number: int | None, form: str) -> int:
    """Print the last commits, newest first; the exit status."""
    events = _events(place)
    with open_repository(place.repository) as repository:
        branch = _branch(repository, number or SHOWN, events)
        effects = _signed(repository, _watched(branch.effects(), len(branch.ids))[::-1])
        noted, end = overrides(repository), _end(branch)
    if form == "json":
        commits = [effect_fields(effect, noted, events) for effect in effects]
        print(json.dumps({"commits": commits, "end": end}))
        return 0
    for effect in effects:
        print(commit_text(effect.commit))
        print("".join(f"  {line}\n" for line in _effect_lines(effect, noted, events)), end="")
    _tell_end(end, branch)
    return 0


def history_of(address: str, place: Place, number: int | None, form: str) -> int:
    """Print the commits at which the answer for an address changed, newest first; the exit status."""
    asked = asked_address(address)
    events = _events(place)
    with open_repository(place.repository) as repository:
        branch = _branch(repository, number or SEARCHED, events)
        answers = _watched(branch.answers(asked), len(branch.ids))[::-1]
        end = _end(branch)
        found = _signed(repository, [answer for answer in answers if answer.is_change])
    if form == "json":
        fields = [answered_fields(answer, events) for answer in found]
        print(json.dumps({"address": format_address(asked), "changes": fields, "end": end}))
        return 0 if found else NO
    for answer in found:
        print(commit_text(answer.commit))
        print("".join(f"  {line}\n" for line in _answered_lines(answer, events)), end="")
    if not found:
        print(f"no change: {format_address(asked)} gets {answer_text(answers[0].after)}")
    if invalid := sum(not answer.is_valid for answer in answers):
        print(f"location-policy: {count(invalid, 'commit')} not valid, passed over", file=sys.stderr)
    _tell_end(end, branch)
    return 0 if found else NO


def _signed(repository: Repository, found: Sequence[Told]) -> list[Told]:
    """The same, and who has signed each commit."""
    rule, commits = signers_of(repository), [one.commit for one in found]
    with Progress() as progress:
        for at in range(0, len(commits), PROGRESS):
            progress.say(f"who has signed: {at:,} of {count(len(commits), 'commit')}")
            commits[at : at + PROGRESS] = rule.with_signers(repository, commits[at : at + PROGRESS])
    return [replace(one, commit=commit) for one, commit in zip(found, commits, strict=True)]


def _branch(repository: Repository, number: int, events: Events) -> Branch:
    tip = repository.served_commit()
    served = {commit_id for commit_id, found in events.items() if any(event.kind == "active" for event in found)}
    return Branch(repository, tip.id, number, served)


def _events(place: Place) -> Events:
    """What the service has written down, by commit."""
    try:
        return journal.by_commit(journal.read(place.state))
    except OSError as error:
        why = f"no journal in {place.state}: {error.strerror}"
        print(f"location-policy: what a service made of these commits is not known: {escape(why)}", file=sys.stderr)
        return {}


def _watched(found: Iterator[One], number: int) -> list[One]:
    """All that is found, while the user who waits is told how far it is."""
    everything = []
    with Progress() as progress:
        for at, one in enumerate(found):
            if at % PROGRESS == 0:
                progress.say(f"{at:,} of {count(number, 'commit')}")
            everything.append(one)
    return everything


def _end(branch: Branch) -> End:
    if branch.older:
        return "more"
    return "shallow" if branch.is_cut else "first"


def _tell_end(end: End, branch: Branch) -> None:
    number = count(len(branch.ids), "commit")
    told = {
        "first": None,
        "more": f"that was the last {number}; for those before: --number {len(branch.ids) * 10}",
        "shallow": f"history ends at {branch.ids[-1][:SHORT]}, because the clone is shallow: git fetch --unshallow",
    }[end]
    if told:
        print(f"location-policy: {told}", file=sys.stderr)


def _effect_lines(effect: CommitEffect, noted: Mapping[str, Override], events: Events) -> Iterator[str]:
    yield from signer_lines(effect.commit)
    yield from effect.lines
    if effect.errors:
        yield f"not valid: {count(effect.errors, 'error')}"
    if override := noted.get(effect.commit.id):
        limits = [*map(limit_text, override.excess)]
        which = f" ({limits[0]})" if len(limits) == 1 else ""
        yield f"over the limit{which} by {override.by}: {override.reason}"
        yield from (f"  {limit}" for limit in limits if not which)
    yield from _event_lines(effect.commit.id, events)


def _answered_lines(answer: Answered, events: Events) -> Iterator[str]:
    source = f"  ({escape(answer.source)})" if answer.source else ""
    yield from signer_lines(answer.commit)
    yield f"{answer_text(answer.before)} -> {answer_text(answer.after)}{source}"
    yield from _event_lines(answer.commit.id, events)


def _event_lines(commit_id: str, events: Events) -> Iterator[str]:
    if found := events.get(commit_id):
        yield ", ".join(f"{event.kind} {moment_text(event.at)}" for event in found)
