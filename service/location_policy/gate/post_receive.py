"""Write down what a push has overridden, where it is not written down yet (githooks, "post-receive").

pre-receive has noted it, unless it could not, and hands nothing on. So what it allowed is found out once more here,
from the same two commits, the same options and the same trailers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from ..config.validate import Validator
from ..plan.limits import Excess
from ..repository.maps import load_map_at
from ..repository.repository import Repository
from ..repository.revisions import LOOK_BACK
from .effect import effect_of, find_base
from .overrides import Override, asked_reason, is_recorded, joined, record
from .ref_updates import Update, stands_for


def record_overrides(
    updates: Sequence[Update],
    repository: Repository,
    options: Sequence[str],
    *,
    by: str,
    at: datetime,
) -> list[Override]:
    """Let there be a note on each tip of the served branch that exceeds the limits; what was overridden.

    Raises RepositoryError where it cannot be kept, and InvalidConfiguration where the tip cannot be read.
    """
    branch, of_branch = _of_branch(updates, repository)
    found = []
    for update in of_branch:
        if update.creates:
            continue
        reason = asked_reason(repository, update.new, options)
        if reason and (exceeded := _excess(update, repository, branch)):
            override = joined(exceeded, reason, by, at)
            if not is_recorded(repository, update.new, override):
                record(repository, update.new, override)
            found.append(override)
    return found


def served_tip(updates: Sequence[Update], repository: Repository) -> str | None:
    """The commit that these updates let the served branch name; None: they do not move it. Raises RepositoryError."""
    _, of_branch = _of_branch(updates, repository)
    return of_branch[-1].new if of_branch else None


def _of_branch(updates: Sequence[Update], repository: Repository) -> tuple[str, list[Update]]:
    """The served branch, and the updates that move it, also by another name."""
    aliases = repository.symbolic_refs()
    branch = stands_for(repository.served_ref(repository.settings()), aliases)
    return branch, [one for one in updates if not one.deletes and stands_for(one.ref, aliases) == branch]


def _excess(update: Update, repository: Repository, branch: str) -> Sequence[Excess]:
    validator, commit = Validator(), repository.commit(update.new)
    base = find_base(repository, validator, update.old)
    new = load_map_at(repository, validator, commit, errors_only=True)
    tips = partial(repository.tips, branch, update.old, LOOK_BACK)
    return effect_of(repository, validator, base, commit, new, tips, repository.settings()).excess
