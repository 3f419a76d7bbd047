"""Who has pushed a commit, kept as a note on it: any name may stand as its author.

Beside a paragraph on an override (`overrides`), which says it too, a push has one of its own: `Pushed-By`, `Pushed-At`.
The last that a note has counts. It travels with the repository, as the log of a branch does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from ..config.commit import Commit
from ..errors import RepositoryError
from ..repository.repository import Repository
from ..text import moment_text
from .overrides import NOTES, PUSHED_AT, PUSHED_BY, told_reason
from .verdict import Verdict

NOTED = 10_000
"""Commits of a push that are noted, the newest."""
ATTEMPTS = 8
"""Times that it is tried while others note too, some half a second in all: the pusher waits, and the push stands."""
_PUSHED = re.compile(rf"^{PUSHED_BY}: (.+)$", re.MULTILINE)


def note_push(verdict: Verdict, repository: Repository, by: str, at: datetime) -> None:
    """Note on each commit that the served branch gains who has pushed it; raises RepositoryError.

    A tip on which there is a note on what it overrides needs no other.
    """
    text = f"{PUSHED_BY}: {told_reason(by)}\n{PUSHED_AT}: {moment_text(at)}"
    for move in verdict.moves:
        gained = move.gained[:-1] if move.overrides else move.gained
        if gained and move.update in verdict.updates:  # no dry run
            repository.append_notes(NOTES, gained[-NOTED:], text, ATTEMPTS)


def with_pushers(repository: Repository, commits: Iterable[Commit]) -> list[Commit]:
    """The same commits, and who has pushed them, as far as that was noted and can be read."""
    commits = list(commits)
    with suppress(RepositoryError):
        noted = repository.notes(NOTES)
        texts = {one.id: repository.note(noted[one.id]) for one in commits if one.id in noted}
        return [replace(one, pusher=pusher_in(texts.get(one.id, ""))) for one in commits]
    return commits


def pusher_in(note: str) -> str | None:
    """Who has pushed a commit, by the note on it."""
    found = _PUSHED.findall(note)
    return told_reason(found[-1]) if found else None
