"""`location-policy accept-history`: say that the history of the served branch is meant, though it is another one."""

from __future__ import annotations

from pathlib import Path

from ...repository.repository import open_repository
from ...rollout.same_history import accept
from ...text import escape
from ..terminal.default_paths import asked_place


def accept_history(repo: str | None, state_dir: Path | None) -> None:
    """Write the tip of the served branch to the repository's config; raises RepositoryError."""
    with open_repository(asked_place(repo, state_dir).repository) as repository:
        tip = accept(repository)
        name = repository.served_ref(repository.settings()).removeprefix("refs/heads/")
        print(f"accepted: branch {name} at {tip.id[:10]} {escape(tip.subject)}")
