"""Changes to the repository, shown and made one at a time. They take time, and belong in a `ThreadPool`.

What a change does to a large map is found out in a process of its own, so that no answer waits for it. That process
makes a commit that nothing names; the branch is moved here, once it has ended well and in time. Killed or late, it has
changed nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import cast

from ...edits.change_request import Attempt, ChangeRequest, Preview, attempt, check_open, preview, preview_at
from ...edits.first_map import is_sample, tip_or_nothing
from ...edits.intent import Intent
from ...edits.options import Changes
from ...edits.revert import Revert
from ...edits.upload_edit import UploadRows
from ...errors import LocationPolicyError, NotJudged
from ...repository.maps import weight_of
from ...repository.remote.mirror import Mirror
from ...repository.repository import Repository, open_repository
from ...rollout.snapshot_builder import LARGE
from ...runtime.subprocess_job import Job, find_apart
from ..edge.faults import Fault
from .lru_cache import LruCache

UPLOAD = 100_000
"""Bytes of map and upload that are judged in another process: a wrong line takes longer than a row."""
SAMPLE_FILES = 10
"""More than the sample has: a larger map is not read to see that it is another."""
AGAIN = 600.0
"""Seconds in which the same change, confirmed again, gets no second branch for review."""
FRESH = 10.0
"""Seconds for which it is taken as known whether anything can be changed."""


class ChangeService:
    """Makes changes in the repository at `place`; None: there is none.

    In the `mirror` of a remote one only those that are to be reviewed, which are pushed there.
    """

    def __init__(self, place: Path | None, changes: Changes, large: int = LARGE, mirror: Mirror | None = None) -> None:
        self._place = place
        self._large = large
        self.for_review = changes == "review"
        self._remote = mirror if self.for_review else None
        self._reviews: dict[tuple[ChangeRequest, str], tuple[float, Attempt]] = {}
        self._closed: LruCache[str | None] = LruCache(1)

    def closed(self) -> str | None:
        """Why nothing can be changed from a page here, if that is so, and what to do about it."""
        return self._closed.get(int(time.monotonic() / FRESH), self._why_closed)

    def do(self, asked: ChangeRequest, seen: str | None, until: float) -> Attempt:
        """Show what a change does, or with the tip that was `seen` make it; raises LocationPolicyError.

        Nothing is made after `until`, by the monotonic clock: the client is told otherwise by then.
        """
        with self._opened_for_change() as repository:
            look = partial(self._look, until=until)
            if seen is None:
                return Attempt(look(repository, asked))
            if made := self._made(asked, seen):
                return made
            done = attempt(repository, asked, seen, look, self._remote)
            if self.for_review and done.commit:
                self._reviews = {**self._reviews, (asked, seen): (time.monotonic(), done)}
            return done

    def _made(self, asked: ChangeRequest, seen: str) -> Attempt | None:
        """What is on a branch for review already: who loads a page again sends the same again."""
        after = time.monotonic() - AGAIN
        self._reviews = {key: (at, made) for key, (at, made) in self._reviews.items() if at > after}
        return self._reviews.get((asked, seen), (0.0, None))[1]

    def keep(self, content: bytes) -> str:
        """The id of a content that is to travel with a form: it is in the repository, and nothing names it."""
        with self._opened_for_change() as repository:
            return repository.make_blob(content)

    def holds_sample(self) -> bool:
        """Is the map the sample still, that an upload may replace whole?"""
        if self._place is None:
            return False
        with open_repository(self._place) as repository:
            entries = repository.entries(tip_or_nothing(repository))
            return len(entries) <= SAMPLE_FILES and is_sample(repository.files(entries))

    def _look(self, repository: Repository, asked: ChangeRequest, until: float) -> Preview:
        weight = _weight(repository, asked.intent)
        if weight < (min(self._large, UPLOAD) if isinstance(asked.intent, UploadRows) else self._large):
            found = preview(repository, asked)
        else:
            work = Job(preview_at, (repository.directory, asked), NotJudged, "judge", "judged", "the change")
            found = cast("Preview", find_apart(work, weight, max(0.0, until - time.monotonic())))
        if time.monotonic() > until:
            raise NotJudged("the change was not judged in time")
        return found

    def _why_closed(self) -> str | None:
        try:
            with self._opened_for_change():
                pass
        except LocationPolicyError as error:
            return error.message + (f" (hint: {error.hint})" if error.hint else "")
        return None

    @contextmanager
    def _opened_for_change(self) -> Iterator[Repository]:
        if self._place is None:
            raise Fault(409, "there is no repository in which anything could be changed")
        with open_repository(self._place) as repository:
            check_open(repository, goes_to_remote=self._remote is not None)
            yield repository


def _weight(repository: Repository, intent: Intent) -> int:
    """Bytes that have to be read: those of the map, and those that are to come in their place."""
    match intent:
        case UploadRows(blob=blob):
            come = repository.measure(blob)
        case Revert(commit=revision):
            commit = repository.find_served(revision)
            below = map(repository.commit, repository.parents(commit.id)[:1])
            come = max(weight_of(repository, one) for one in (commit, *below))
        case _:
            come = 0
    return weight_of(repository, tip_or_nothing(repository)) + come
