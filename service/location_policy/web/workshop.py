"""Where changes are made: the repository, opened for one change at a time. It takes time and belongs to a `Desk`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..changing import Asked, Attempt, attempt, check_open, preview
from ..errors import LocationPolicyError
from ..repository import Repository, open_repository
from ..repository.git import PlainGit
from ..repository.making import make_blob
from ..settings import Changes
from .faults import Fault
from .kept import Kept

FRESH = 10.0
"""Seconds for which it is taken as known whether anything can be changed."""


class Workshop:
    """Makes changes in the repository at `place`; None: there is none."""

    def __init__(self, place: Path | None, changes: Changes) -> None:
        self._place = place
        self.for_review = changes == "review"
        self._closed: Kept[str | None] = Kept(1)

    def closed(self) -> str | None:
        """Why nothing can be changed from a page here, if that is so."""
        return self._closed.get(int(time.monotonic() / FRESH), self._why_closed)

    def do(self, asked: Asked, seen: str | None) -> Attempt:
        """Show what a change does, or with the tip that was `seen` make it; raises LocationPolicyError."""
        with self._opened() as repository:
            check_open(repository)
            return Attempt(preview(repository, asked)) if seen is None else attempt(repository, asked, seen)

    def keep(self, content: bytes) -> str:
        """The id of a content that is to travel with a form: it is in the repository, and nothing names it."""
        with self._opened() as repository:
            check_open(repository)
            return make_blob(PlainGit(repository.directory), content)

    def _why_closed(self) -> str | None:
        try:
            with self._opened() as repository:
                check_open(repository)
        except LocationPolicyError as error:
            return error.message
        return None

    @contextmanager
    def _opened(self) -> Iterator[Repository]:
        if self._place is None:
            raise Fault(409, "there is no repository in which anything could be changed")
        with open_repository(self._place) as repository:
            yield repository
