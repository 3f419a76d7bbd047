"""What `serve` would put in force if it began now, without doing it: nothing is written, and nothing is in force yet.

The order is that of `refresher`, which says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..config.commit import Commit
from ..config.location_map import Gate
from ..errors import InvalidConfiguration, RepositoryError
from ..problems import Problem, errors_in
from ..repository.repository import Repository
from . import last_good
from .activate import ANCESTORS
from .last_good import Identity, LastGood
from .persistence import PIN


@dataclass(frozen=True, slots=True)
class Outlook:
    """What would be served of a repository."""

    branch: str
    head: Commit | None
    """None: the branch has no commit."""
    errors: tuple[Problem, ...]
    """What keeps the head from being served."""
    served: Commit | None
    """None: nothing; the answer would be 503."""
    size: int = 0
    """Rows of what would be served."""


def look_ahead(repository: Repository, place: Path, state_directory: Path) -> Outlook:
    """What `serve` would do; raises RepositoryError where the repository cannot be read."""
    settings = repository.settings()
    ref = repository.served_ref(settings)
    branch = ref.removeprefix("refs/heads/")
    stored = stored_content(state_directory, Identity(settings.get("id", ""), str(place.absolute())))
    tip = repository.tip(ref)
    head = repository.commit(tip) if tip else None
    gate = Gate()
    errors: tuple[Problem, ...] = ()
    served = list(filter(None, (stored.commit.id if stored else None, repository.tip(PIN))))
    if head:
        try:
            return Outlook(branch, head, (), head, _size(repository, head, gate, was_served=head.id in served))
        except InvalidConfiguration as error:
            errors = errors_in(error.problems)
    ancestors = repository.ancestors(head.id, ANCESTORS, first_parent=True)[1:] if head else []
    for commit_id, was_served in [*((one, True) for one in served), *((one, False) for one in ancestors)]:
        try:
            commit = repository.commit(commit_id)
            return Outlook(branch, head, errors, commit, _size(repository, commit, gate, was_served=was_served))
        except (InvalidConfiguration, RepositoryError):
            continue
    return Outlook(branch, head, errors, stored.commit if stored else None)


def stored_content(state_directory: Path, identity: Identity) -> LastGood | None:
    """The content on disk, if it can be used and is of this repository."""
    try:
        stored = last_good.load(state_directory)
    except ValueError:
        return None
    return stored if stored and stored.identity.is_same(identity) else None


def _size(repository: Repository, commit: Commit, gate: Gate, *, was_served: bool) -> int:
    files = repository.files(repository.entries(commit))
    return sum(file.size for file in gate.load_map(files, was_served=was_served).files)
