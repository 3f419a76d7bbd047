"""What somebody wants of the map on a page: given the tip of the branch, the tree that is wanted and a message.

An intent is small and travels with every form, so nothing is remembered between what is shown and what is confirmed:
on another tip it gives another tree, or says why it cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..config.commit import Commit
from ..repository.new_commits import Author, Draft
from ..repository.repository import Repository
from .revert import ON_PAGE, go_back, take_back


class Intent(Protocol):
    """What is wanted; `draft` raises LocationPolicyError where it cannot be had on this tip."""

    def draft(self, repository: Repository, tip: Commit, author: Author) -> Draft:
        """The tree that is wanted, and what its commit says unless somebody says otherwise."""


@dataclass(frozen=True, slots=True)
class Revert:
    """A commit of the served branch taken back, or with `is_return` all that came after it."""

    commit: str
    is_return: bool = False

    def draft(self, repository: Repository, tip: Commit, author: Author) -> Draft:
        """The branch without it, or as it was at it."""
        commit = repository.find_served(self.commit)
        if self.is_return:
            return go_back(repository, tip, commit)
        return take_back(repository, tip, commit, author, ON_PAGE)
