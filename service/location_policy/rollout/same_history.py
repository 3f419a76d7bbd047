"""Same history: is HEAD of the history that was served last, or of another one, which is not taken in silence?

A repository that was lost and made anew, or another one that stands in its place, is valid, and is not the map. What
shares a commit with what was served is of its history, also after a forced push or a restored backup. What does not,
or is of a repository with another id, waits until an administrator has said that it is meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from ..config.commit import Commit
from ..errors import AnotherHistory, BranchMoved, RepositoryError, UnknownRevision
from ..repository.config import SECTION
from ..repository.remote.copy_path import is_mirror
from ..repository.remote.naming import fetched_ref, naming_options
from ..repository.repository import Repository
from .last_good import Identity

ACCEPTED = f"{SECTION}.acceptedHistory"
"""The key of a repository's config that names a commit whose history, and what comes after it, is meant."""


class Served(NamedTuple):
    """What was served last: its commit, the id of its repository, the first commits behind it, and by which ref.

    What is not known is empty.
    """

    commit_id: str
    repository_id: str
    roots: Sequence[str]
    ref: str = ""


class HistoryRule(NamedTuple):
    """Which repository it is now, the commit that its config names as accepted, if any, and the ref that it serves."""

    here: Identity
    accepted: str = ""
    ref: str = ""

    def require(self, repository: Repository, served: Served | None, head: str) -> None:
        """Raises AnotherHistory where HEAD is not of the history that was served last, and is not accepted."""
        if served is None or head == served.commit_id:
            return
        is_another = self.here.is_another(Identity(served.repository_id, self.here.place))
        if not is_another and (self._is_switched(repository, served) or not _has_parted(repository, served, head)):
            return
        if _is_behind(repository, self.accepted, head):
            return
        before = f"commit {served.commit_id[:10]}, which was served last"
        if is_another:
            ids = f"of the repository with id {self.here.id[:10]}", f"is of the one with id {served.repository_id[:10]}"
            message = f"commit {head[:10]} is {ids[0]}, and {before}, {ids[1]}"
        else:
            message = f"commit {head[:10]} shares no history with {before}"
        command = accept_command(repository, self.here.place)
        raise AnotherHistory(
            f"{message}; it waits for: {command}",
            f"mount or restore the repository of before, or if this one is meant: {command}",
            served.commit_id,
        )

    def _is_switched(self, repository: Repository, served: Served) -> bool:
        """Does the same repository serve another ref? No push can do that: an administrator has."""
        return served.ref not in ("", self.ref) and repository.has_commit(served.commit_id)


def accept_command(repository: Repository, place: str) -> str:
    """What is typed to say that the history of the repository at a place is meant."""
    return f"location-policy accept-history {naming_options(repository, place)}"


def accept(repository: Repository, seen: str | None = None) -> Commit:
    """Write to the config that the history of the served branch is meant; its tip, in a mirror what was fetched.

    Raises UnknownRevision where it has none, BranchMoved where it is not the one that was `seen`, and RepositoryError.
    """
    ref = repository.served_ref(repository.settings())
    name = ref.removeprefix("refs/heads/")
    tip = repository.tip(fetched_ref(ref) if is_mirror(repository.directory) else ref)
    if tip is None:
        raise UnknownRevision(f"branch {name} has no commit", "push the one that is meant first")
    if seen not in (None, tip):
        raise BranchMoved(
            f"{name} is at {tip[:10]} now, and nothing was accepted", "review the new commits, and try again"
        )
    repository.set_config(ACCEPTED, tip)
    return repository.commit(tip)


def history_rule(settings: Mapping[str, str], place: str) -> HistoryRule:
    """The rule of the repository at a place, by its settings."""
    return HistoryRule(Identity(settings.get("id", ""), place), settings.get(ACCEPTED.partition(".")[2].lower(), ""))


def _has_parted(repository: Repository, served: Served, head: str) -> bool:
    """Do they share no commit, as far as that can be known? A shallow clone, or a damaged one, does not know."""
    with suppress(RepositoryError):
        if served.commit_id in repository.parents(head):
            return False
        if repository.is_shallow():
            return False
        if repository.has_commit(served.commit_id):
            return repository.merge_base(served.commit_id, head) is None
        return not set(served.roots) & set(repository.roots(head))
    return False


def _is_behind(repository: Repository, accepted: str, head: str) -> bool:
    if not accepted:
        return False
    with suppress(RepositoryError):  # it names a commit that is not here
        return repository.is_ancestor(accepted, head)
    return False
