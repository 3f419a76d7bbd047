"""The map of a commit."""

from __future__ import annotations

from ..config.commit import Commit
from ..config.location_map import LocationMap
from ..config.validate import Validator
from .repository import Repository


def load_map_at(
    repository: Repository, validator: Validator, commit: Commit, *, was_served: bool = False, errors_only: bool = False
) -> LocationMap:
    """The map of a commit, judged as `Validator.load_map` does; contents that the gate knows are not read again.

    Raises InvalidConfiguration, and RepositoryError.
    """
    files = repository.files_of(commit, validator.knows)
    return validator.load_map(files, was_served=was_served, errors_only=errors_only)
