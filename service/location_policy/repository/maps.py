"""The map of a commit, and how much it is."""

from __future__ import annotations

from ..config.commit import Commit
from ..config.files import RULES_PATH, is_read
from ..config.location_map import LocationMap
from ..config.policy_toml import read_rules
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


def weight_of(repository: Repository, commit: Commit) -> int:
    """Bytes of the files of a commit whose content counts, as often as they may be held against another map: once, and
    once more for each view, since the calls of one may go to any other. Raises RepositoryError.
    """
    entries = [entry for entry in repository.entries(commit) if is_read(entry.path)]
    rules = repository.files(entry for entry in entries if entry.path == RULES_PATH)
    views = sum(len(read_rules(file.content)[0].views) for file in rules if file.content)
    return (1 + views) * sum(repository.measure(entry.blob) for entry in entries)
