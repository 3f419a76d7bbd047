"""Judge what was fetched as a push of it is judged, by the same judgement; nothing is written.

No pusher is known: a reason, and the word of owners, can only come with the message of the tip. A branch that was
forced on its forge is followed to where it is now, if that passes.
"""

from __future__ import annotations

import time
from pathlib import Path

from ..repository.repository import Repository, open_repository
from ..repository.signing_policy import signature_rule
from .excerpt import Excerpt, excerpt
from .judgement import Judge
from .ref_updates import Update

COUNTING = 3.0
"""Seconds after which commits before the tip are looked at no more: nothing depends on it, and the tip waits for it."""


def judge_fetch(repository: Repository, update: Update, *, spares_memory: bool = False) -> Excerpt:
    """Whether a branch may move so, in a repository that has fetched the commits; raises RepositoryError."""
    until = time.monotonic() + COUNTING
    judge = Judge(
        repository,
        (),
        lambda: time.monotonic() > until,
        signature_rule(repository.settings(), repository.directory),
        branch=update.ref,
        pusher="",
        allows_rewind=True,
        is_fetch=True,
        spares_memory=spares_memory,
    )
    return excerpt(judge.judge(update))


def judge_fetch_at(directory: Path, update: Update) -> Excerpt:
    """The same for the repository in a directory: for another process."""
    with open_repository(directory) as repository:
        return judge_fetch(repository, update, spares_memory=True)
