"""What `serve` would put in force if it began now, without doing it: nothing is written."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..config.commit import Commit
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
    served: tuple[Commit | None, int] = None, 0
    try:
        if head:
            served = _judge(repository, rules, next(order), validator)
    except (InvalidConfiguration, NotSigned, AnotherHistory) as error:
        refusal = error
    if not head or refusal:
        served = _first_of(repository, rules, order, validator)
    return StartupPreview(ref.removeprefix("refs/heads/"), head, refusal, *served, rule.scope)


def stored_content(state_directory: Path, identity: Identity) -> LastGood | None:
    """The content on disk, if it can be used and is of this repository, or of another at its place."""
    try:
        stored = last_good.load(state_directory)
    except ValueError:
        return None
    return stored if stored and stored.identity.is_here(identity) else None


def _first_of(
    repository: Repository, rules: _Rules, order: Iterable[Candidate], validator: Validator
) -> tuple[Commit | None, int]:
    for one in order:
        with suppress(InvalidConfiguration, NotSigned, AnotherHistory, RepositoryError):
            return _judge(repository, rules, one, validator)
    return None, 0


def _judge(repository: Repository, rules: _Rules, one: Candidate, validator: Validator) -> tuple[Commit, int]:
    """The commit of a candidate, and how many rows it has; raises what `serve` refuses it for."""
    history, signatures = rules
    history.require(repository, one.follows, one.commit_id)
    signatures.require(repository, one.gains)
    if one.stored:
        return one.stored.commit, validator.load_map(one.stored.files, was_served=True, errors_only=True).size
    commit = repository.commit(one.commit_id)
    return commit, load_map_at(repository, validator, commit, was_served=one.was_served, errors_only=True).size
