"""`location-policy history`: what the commits of the served branch changed, and what the service made of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeVar

from ...config.commit import Commit
from ...errors import InvalidConfiguration
from ...gate.overrides import Override, limit_text, overrides
from ...gate.push_log import Push, read_log
from ...gate.push_notes import with_pushers
from ...history.as_json import (
    Events,
    answered_fields,
    effect_fields,
    location_answered_fields,
    push_fields,
    subnet_answered_fields,
)
from ...history.branch import (
    ROLES,
    Answered,
    Branch,
    CommitEffect,
    LocationAnswered,
    RoleChange,
    SubnetAnswered,
)
from ...history.commit_text import SHORT, answer_text, commit_text, signer_lines
from ...lookup.asked import Asked, parse_asked, require_location
from ...lookup.query_string import Pairs, Parameters, value_in
from ...net.addresses import Network, format_address
from ...net.split import LISTED, largest
from ...plan.as_json import Fields
from ...plan.change_text import name_text
from ...repository.git_dir import find_git_directory
from ...repository.repository import Repository, open_repository
from ...rollout import journal
from ...rollout.journal import Event
from ...rollout.startup_preview import Loaded, load_in_force
from ...text import count, escape, moment_text
from ..terminal.default_paths import Place
from ..terminal.exit_status import NO
from ..terminal.progress import Progress
from .in_force import head_fields, load_served
from .parts_text import change_line, rest_line
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
NO_PARAMETERS = Pairs()

AnyAnswered = Answered | SubnetAnswered | LocationAnswered
Told = TypeVar("Told", CommitEffect, AnyAnswered)


def history(place: Place, number: int | None, form: str) -> int:
    """Print the last commits, newest first; the exit status."""
    events = _events(place)
    with open_repository(place.repository) as repository:
        branch = _branch(repository, number or SHOWN, events)
        effects = _signed(repository, _watched(branch.effects(), len(branch.ids))[::-1])
        noted, end = overrides(repository, branch.ids), _end(branch)
        in_force = _in_force(repository, place) if effects[0].errors else None
    if form == "json":
        commits = [effect_fields(effect, noted, events) for effect in effects]
        print(json.dumps({"commits": commits, "end": end} | (head_fields(in_force) if in_force else {})))
        return 0
    for effect in effects:
        print(commit_text(effect.commit))
        print("".join(f"  {line}\n" for line in _effect_lines(effect, noted, events)), end="")
    _tell_end(end, branch)
    return 0


def history_of(text: str, place: Place, number: int | None, parameters: Pairs, form: str) -> int:
    """Print the commits at which what calls with these parameters get changed, newest first; the exit status."""
    asked = parse_asked(text)
    events = _events(place)
    with open_repository(place.repository) as repository:
        branch = _branch(repository, number or SEARCHED, events, parameters=parameters)
        answers = _answers(branch, asked)
        in_force = None if answers[0].is_valid else _in_force(repository, place)
        if in_force and in_force.commit.id not in branch.ids and repository.has_commit(in_force.commit.id):
            branch = _branch(repository, number or SEARCHED, events, in_force.commit, parameters)
            answers = _answers(branch, asked)
        end = _end(branch)
        found = _signed(repository, [answer for answer in answers if answer.is_change])
        if not found and isinstance(asked, str) and (in_force or answers[0].is_valid):
            loaded = in_force or load_in_force(repository, place.repository, place.state)
            answering = loaded.location_map.answering(value_in(parameters))
            require_location(asked, answering, loaded.location_map)
    if form == "json":
        fields = [_answered_json(answer, asked, events) for answer in found]
        head = head_fields(in_force) if in_force else {}
        print(json.dumps({_kind(asked): _asked_text(asked), "changes": fields, "end": end} | head))
        return 0 if found else NO
    for answer in found:
        print(commit_text(answer.commit))
        print("".join(f"  {line}\n" for line in _answered_lines(answer, asked, events)), end="")
    if not found:
        print(f"no change: {_unchanged(answers[0], asked)}")
    if invalid := sum(not answer.is_valid for answer in answers):
        print(f"location-policy: {count(invalid, 'commit')} with errors, skipped", file=sys.stderr)
    _tell_end(end, branch)
    return 0 if found else NO


def _answers(branch: Branch, asked: Asked) -> Sequence[AnyAnswered]:
    """What is asked for at each commit, newest first."""
    number = len(branch.ids)
    if isinstance(asked, Network):
        return _watched(branch.subnet_answers(asked), number)[::-1]
    if isinstance(asked, str):
        return _watched(branch.location_answers(asked), number)[::-1]
    return _watched(branch.answers(asked), number)[::-1]


def _in_force(repository: Repository, place: Place) -> Loaded | None:
    """What is in force while the newest commit is not valid, which is said; None where nothing is."""
    try:
        return load_served(repository, place)
    except InvalidConfiguration:
        return None


def _kind(asked: Asked) -> str:
    return "subnet" if isinstance(asked, Network) else "location" if isinstance(asked, str) else "address"


def _asked_text(asked: Asked) -> str:
    return str(asked) if isinstance(asked, (Network, str)) else format_address(asked)


def _unchanged(answer: AnyAnswered, asked: Asked) -> str:
    """What is asked for since the newest commit, in which nothing has changed."""
    match answer:
        case LocationAnswered(after=after):
            rows = [count(after[role], f"{role} row") for role in ROLES]
            return f"{name_text(str(asked))} has {' and '.join(rows)}"
        case SubnetAnswered(parts=parts) if len(parts) > 1:
            return f"{_asked_text(asked)} is split in {count(len(parts), 'part')}"
    names = answer.parts[0].names if isinstance(answer, SubnetAnswered) else answer.after
    return f"{_asked_text(asked)} gets {answer_text(names)}"


def refused_pushes(repository: Path, form: str) -> int:
    """Print the last pushes that the hook has not taken, newest first; the exit status."""
    pushes = read_log(find_git_directory(repository)).pushes[::-1]
    if form == "json":
        print(json.dumps({"refused_pushes": [*map(push_fields, pushes)]}))
        return 0
    for push in pushes:
        print(_push_text(push))
        print("".join(f"  {escape(reason)}\n" for reason in push.reasons), end="")
    if not pushes:
        print("location-policy: no push has been rejected, as far as is known", file=sys.stderr)
    return 0


def _push_text(push: Push) -> str:
    times = f", {push.times:,} times" if push.times > 1 else ""
    of = f" of {push.author}: {push.subject}" if push.author or push.subject else ""
    who = f"{moment_text(push.at)} {push.by} to {push.branch}{times}"
    return escape(f"{who}: {push.commit[:SHORT]}{of}")


def _signed(repository: Repository, found: Sequence[Told]) -> list[Told]:
    """The same, and who has signed and pushed each commit."""
    rule, commits = signers_of(repository), [one.commit for one in found]
    with Progress() as progress:
        commits = with_pushers(repository, commits)
        for at in range(0, len(commits), PROGRESS):
            progress.say(f"who has signed: {at:,} of {count(len(commits), 'commit')}")
            commits[at : at + PROGRESS] = rule.with_signers(repository, commits[at : at + PROGRESS])
    return [replace(one, commit=commit) for one, commit in zip(found, commits, strict=True)]


def _branch(
    repository: Repository,
    number: int,
    events: Events,
    tip: Commit | None = None,
    parameters: Parameters = NO_PARAMETERS,
) -> Branch:
    tip = tip or repository.served_commit()
    served = {commit_id for commit_id, found in events.items() if any(event.kind == "active" for event in found)}
    return Branch(repository, tip.id, number, served, value_in(parameters))


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
        yield f"rejected: {count(effect.errors, 'error')}"
    if override := noted.get(effect.commit.id):
        limits = [*map(limit_text, override.excess)]
        which = f" ({limits[0]})" if len(limits) == 1 else ""
        yield f"over the limit{which} by {override.who}: {override.reason}"
        yield from (f"  {limit}" for limit in limits if not which)
    yield from _event_lines(effect.commit.id, events)


def _answered_json(answer: AnyAnswered, asked: Asked, events: Events) -> Fields:
    match answer:
        case SubnetAnswered():
            return subnet_answered_fields(answer, len(asked) - 1, events)
        case LocationAnswered():
            return location_answered_fields(answer, events)
    return answered_fields(answer, events)


def _answered_lines(answer: AnyAnswered, asked: Asked, events: Events) -> Iterator[str]:
    yield from signer_lines(answer.commit)
    match answer:
        case SubnetAnswered(changes=parts):
            yield from (change_line(change, len(asked) - 1) for change in largest(parts))
            yield from rest_line(len(parts), "range")
        case LocationAnswered(changes=rows):
            yield ", ".join(
                f"{role} of {answer.before[role]:,} -> {count(answer.after[role], 'row')}" for role in ROLES
            )
            yield from (_role_line(change) for change in rows[:LISTED])
            yield from rest_line(len(rows), "row")
        case Answered():
            source = f"  ({escape(answer.source)})" if answer.source else ""
            view = f"  (view {answer.view})" if answer.view and not answer.source else ""
            yield f"{answer_text(answer.before)} -> {answer_text(answer.after)}{source}{view}"
    yield from _event_lines(answer.commit.id, events)


def _role_line(change: RoleChange) -> str:
    where = change.network or "the default"
    return f"{where}  {change.before or 'none'} -> {change.after or 'none'}"


def _event_lines(commit_id: str, events: Events) -> Iterator[str]:
    if found := events.get(commit_id):
        yield ", ".join(map(_event_text, found))


def _event_text(event: Event) -> str:
    by = f" by {escape(event.by)}" if event.by else ""
    return f"{event.kind} {moment_text(event.at)}{by}{f': {escape(event.reason)}' if event.reason else ''}"
