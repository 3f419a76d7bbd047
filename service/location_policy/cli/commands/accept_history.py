"""`location-policy accept-history`: say that the history of the served branch is meant, though it is another one."""

from __future__ import annotations

from pathlib import Path

from ...errors import UnknownRevision
from ...repository.remote.mirror import fetched_ref, is_mirror
from ...repository.repository import open_repository
from ...rollout.same_history import ACCEPTED
from ...text import escape
from ..terminal.default_paths import asked_place


def accept_history(repo: str | None, state_dir: Path | None) -> None:
    """Write the tip of the served branch to the repository's config; raises RepositoryError."""
    with open_repository(asked_place(repo, state_dir).repository) as repository:
        ref = repository.served_ref(repository.settings())
        name = ref.removeprefix("refs/heads/")
        tip = repository.tip(fetched_ref(ref) if is_mirror(repository.directory) else ref)
        if tip is None:
            raise UnknownRevision(f"branch {name} has no commit", "push the one that is meant first")
        repository.set_config(ACCEPTED, tip)
        print(f"accepted: branch {name} at {tip[:10]} {escape(repository.commit(tip).subject)}")
