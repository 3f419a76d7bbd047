"""A commit held in force by hand, and let go: what an editor does at 3 a.m., before the revert that says it in git.

Nothing of the branch changes. The service follows the pin at once, and holds it to the same rules once more.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from ..config.commit import Commit
from ..config.validate import Validator
from ..errors import NothingChanges, NotPinnable, NotSigned, RepositoryError, UnusablePin
from ..gate.messages import tell_commit
from ..gate.pin import ENDED, Pin, clear_pin, keep_pin, read_pin, was_named
from ..gate.ref_updates import PIN
from ..repository.maps import load_map_at
from ..repository.new_commits import Author
from ..repository.repository import Repository
from ..repository.signing_policy import signature_rule
from .landing import check_own


def check_pinnable(repository: Repository, commit: Commit, served: Collection[str], refused: Collection[str]) -> None:
    """Raises NotPinnable where the commit may not be in force, and NotWritable where no pin can be kept.

    `served` are the commits that the service has put in force, `refused` those that it has refused and never put there.
    What the files say is judged by `check_valid`.
    """
    check_own(repository, os.geteuid())
    if commit.id in served:
        return
    if commit.id in refused:
        message = f"{tell_commit(commit)} was rejected when it came, and was never active"
        raise NotPinnable(message, "pin one that was: location-policy history names them")
    settings = repository.settings()
    ref = repository.served_ref(settings)
    if not was_named(repository, ref, commit.id):
        tip = repository.tip(ref)
        if tip and repository.is_ancestor(commit.id, tip):
            message = f"{tell_commit(commit)} came below another commit, and was never active"
            raise NotPinnable(message, "pin one that was; or push a revert to it, which is judged")
        message = f"{tell_commit(commit)} is not of the served branch"
        raise NotPinnable(message, "location-policy history names those that are")
    try:
        signature_rule(settings, repository.directory).require(repository, (commit.id,))
    except NotSigned as error:
        raise NotPinnable(error.message, error.hint) from None


def check_valid(repository: Repository, commit: Commit, served: Collection[str]) -> None:
    """Raises InvalidConfiguration, by the gate that a start of the service uses too."""
    load_map_at(repository, Validator(), commit, was_served=commit.id in served, errors_only=True)


def pin(repository: Repository, commit: Commit, author: Author, span: timedelta, reason: str) -> Pin:
    """Hold a commit that may be for so long, in the place of any other; raises RepositoryError."""
    return keep_pin(repository, commit.id, author, span, reason)


def unpin(repository: Repository, author: Author) -> str | None:
    """End what is held; the id of its commit, None where what was kept could not be used.

    Raises NothingChanges where nothing is held, NotWritable, and RepositoryError.
    """
    check_own(repository, os.geteuid())
    try:
        held = read_pin(repository)
    except UnusablePin:
        try:
            clear_pin(repository)
        except OSError as error:
            raise RepositoryError(f"{PIN} cannot be removed: {error.strerror}") from None
        return None
    if held is None or held.is_over(datetime.now(UTC)):
        raise NothingChanges("nothing is pinned")
    keep_pin(repository, held.commit, author, timedelta(), ENDED)
    return held.commit
