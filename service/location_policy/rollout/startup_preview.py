"""What `serve` would put in force if it began now, and its map, without doing it: nothing is written."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ..config.commit import Commit
from ..config.location_map import LocationMap
from ..config.validate import Validator
from ..errors import AnotherHistory, InvalidConfiguration, NotSigned, RepositoryError
from ..repository.maps import load_map_at
from ..repository.repository import Repository
from ..repository.signing_policy import Scope, SignatureRule, signature_rule
from . import last_good
from .candidates import Candidate, start_candidates
from .journal import put_in_force
from .last_good import Identity, LastGood
from .same_history import HistoryRule, history_rule

_Rules = tuple[HistoryRule, SignatureRule]


@dataclass(frozen=True, slots=True)
class StartupPreview:
    """What would be served of a repository."""

    branch: str
    head: Commit | None
    """None: the branch has no commit."""
    refusal: InvalidConfiguration | NotSigned | AnotherHistory | None
    """What keeps the head from being served."""
    served: Commit | None
    """None: nothing; the answer would be 503."""
    size: int
    """Rows of what would be served."""
    must_be_signed: Scope


@dataclass(frozen=True, slots=True)
class Loaded:
    """A commit with its map; `head` is the newest one and `refusal` what is wrong with it, where that is refused."""

    commit: Commit
    location_map: LocationMap
    was_served: bool = False
    head: Commit | None = None
    refusal: InvalidConfiguration | None = None


def preview_start(repository: Repository, place: Path, state_directory: Path) -> StartupPreview:
    """What `serve` would do; raises RepositoryError where the repository cannot be read."""
    settings = repository.settings()
    rule = signature_rule(settings, repository.directory)
    ref = repository.served_ref(settings)
    history = history_rule(settings, str(place.absolute()))
    stored = stored_content(state_directory, history.here)
    tip = repository.tip(ref)
    if tip is None:
        repository.require_not_lost(ref)
    head = repository.commit(tip) if tip else None
    order = start_candidates(repository, rule, tip, history.here, stored, put_in_force(state_directory))
    rules, validator = (history, rule), Validator()
    refusal: InvalidConfiguration | NotSigned | AnotherHistory | None = None
    served: Loaded | None = None
    try:
        if head:
            served = _judge(repository, rules, next(order), validator)
    except (InvalidConfiguration, NotSigned, AnotherHistory) as error:
        refusal = error
    if not head or refusal:
        served = _first_of(repository, rules, order, validator)
    commit, size = (served.commit, served.location_map.total_size) if served else (None, 0)
    return StartupPreview(ref.removeprefix("refs/heads/"), head, refusal, commit, size, rule.scope)


def load_in_force(repository: Repository, place: Path, state_directory: Path) -> Loaded:
    """The map of the newest commit that is served; where that is not valid, of what is answered from instead.

    Raises InvalidConfiguration where there is nothing else.
    """
    head = repository.served_commit()
    validator = Validator()
    try:
        return Loaded(head, load_map_at(repository, validator, head, errors_only=True))
    except InvalidConfiguration as error:
        settings = repository.settings()
        rules = history_rule(settings, str(place.absolute())), signature_rule(settings, repository.directory)
        stored = stored_content(state_directory, rules[0].here)
        noted = put_in_force(state_directory)
        order = start_candidates(repository, rules[1], head.id, rules[0].here, stored, noted)
        if found := _first_of(repository, rules, order, validator):
            return replace(found, head=head, refusal=error)
        raise


def stored_content(state_directory: Path, identity: Identity) -> LastGood | None:
    """The content on disk, if it can be used and is of this repository, or of another at its place."""
    try:
        stored = last_good.load(state_directory)
    except ValueError:
        return None
    return stored if stored and stored.identity.is_here(identity) else None


def _first_of(repository: Repository, rules: _Rules, order: Iterable[Candidate], validator: Validator) -> Loaded | None:
    for one in order:
        with suppress(InvalidConfiguration, NotSigned, AnotherHistory, RepositoryError):
            return _judge(repository, rules, one, validator)
    return None


def _judge(repository: Repository, rules: _Rules, one: Candidate, validator: Validator) -> Loaded:
    """A candidate with its map; raises what `serve` refuses it for."""
    history, signatures = rules
    history.require(repository, one.follows, one.commit_id)
    signatures.require(repository, one.gains)
    if one.stored:
        stored = validator.load_map(one.stored.files, was_served=True, errors_only=True)
        return Loaded(one.stored.commit, stored, was_served=True)
    commit = repository.commit(one.commit_id)
    found = load_map_at(repository, validator, commit, was_served=one.was_served, errors_only=True)
    return Loaded(commit, found, was_served=one.was_served)
