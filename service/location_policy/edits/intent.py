"""The intent of a change: given the tip of the branch, the tree that is wanted and a message.

An intent is small and travels with every form, so nothing is remembered between what is shown and what is confirmed:
on another tip it gives another tree, or says why it cannot.
"""

from __future__ import annotations

from typing import Protocol

from ..config.commit import Commit
from ..repository.new_commits import Author, CommitDraft
from ..repository.repository import Repository


class Intent(Protocol):
    """What is wanted; `draft` raises LocationPolicyError where it cannot be had on this tip."""

    def draft(self, repository: Repository, tip: Commit, author: Author) -> CommitDraft:
        """The tree that is wanted, and what its commit says unless the editor writes another message."""
