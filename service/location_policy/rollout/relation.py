"""How a new HEAD lies to what was in force before it: what it adds to that, and what it drops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..config.commit import Commit
from ..errors import RepositoryError
from ..repository.repository import Repository

NAMED = 10
"""Commits that are named when history is dropped; the rest is counted."""

Kind = Literal["equal", "ahead", "behind", "diverged"]


@dataclass(frozen=True, slots=True)
class Relation:
    """How many commits HEAD has `gained` since the commit `base`, and how many it has `dropped`.

    Of these the `newest` are named, newest first.
    """

    base: str
    gained: int = 0
    dropped: int = 0
    newest: tuple[Commit, ...] = ()

    @property
    def kind(self) -> Kind:
        """By which of the two there are."""
        if self.dropped:
            return "diverged" if self.gained else "behind"
        return "ahead" if self.gained else "equal"


def relation_to(repository: Repository, base: str | None, head: str) -> Relation | None:
    """That of HEAD to what was in force; None where nothing was, or one of them is not whole."""
    if base is None:
        return None
    if base == head:
        return Relation(base)
    try:
        if repository.is_ancestor(base, head):
            return Relation(base, repository.count_gained(base, head))
        dropped = repository.gained(head, base)
        newest = tuple(repository.commit(commit_id) for commit_id in dropped[: -NAMED - 1 : -1])
        return Relation(base, repository.count_gained(base, head), len(dropped), newest)
    except RepositoryError:
        return None
