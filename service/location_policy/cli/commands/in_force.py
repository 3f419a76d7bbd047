"""What is in force, loaded for a question; where that is not the newest commit, this is said."""

from __future__ import annotations

import sys
from typing import Any

from ...gate.messages import tell_commit
from ...problems import errors_in
from ...repository.repository import Repository
from ...rollout.startup_preview import Loaded, load_in_force
from ...text import shorten
from ..terminal.default_paths import Place


def load_served(repository: Repository, place: Place) -> Loaded:
    """The map of what is served; on standard error both commits where the newest is not valid.

    Raises InvalidConfiguration where nothing can be answered from.
    """
    found = load_in_force(repository, place.repository, place.state)
    if found.head and found.refusal:
        errors = errors_in(found.refusal.problems).counted("error")
        print(f"location-policy: {tell_commit(found.head)} is rejected: {errors}", file=sys.stderr)
        if found.head.id == found.commit.id:
            what = "it was served before these were errors, and is active"
        elif found.was_served:
            what = f"answered from {tell_commit(found.commit)}, which is active"
        else:
            what = f"answered from {tell_commit(found.commit)}, the latest valid one before it"
        print(f"location-policy: {what}", file=sys.stderr)
    return found


def head_fields(found: Loaded) -> dict[str, Any]:
    """The newest commit as JSON, where it is refused; nothing else."""
    if not (found.head and found.refusal):
        return {}
    errors = errors_in(found.refusal.problems).total
    return {"head": {"commit": found.head.id, "subject": shorten(found.head.subject), "errors": errors}}
