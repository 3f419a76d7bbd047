"""An upstream: a remote that is a service like this one, and tells which commit it has in force."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Protocol

from .failures import RemoteError

TWICE = 60.0
"""Seconds in which one of two services that disagree is followed back once."""


class ServiceTip(NamedTuple):
    """What a service has active: its branch, by its short name, and its commit; which it is, and of what version."""

    branch: str
    commit_id: str
    service: str
    version: str = ""


class Upstream(Protocol):
    """Knows what a remote tells as a service, if it is one; for any thread."""

    @property
    def answered_at(self) -> datetime | None:
        """When it told last."""

    def current(self, *, was_service: bool) -> ServiceTip | None:
        """What it has in force; None: the remote is no service, or that is not known, and it was none before.

        Raises RepositoryError where it is a service, and does not tell.
        """

    def doubt(self) -> None:
        """It may be another kind of remote than it was: it could not be read."""

    def close(self) -> None:
        """Ask no more."""


class OneService:
    """Keeps two services behind one name, of which one lags, from being followed forth and back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._taken: ServiceTip | None = None
        self._went_back_at: float | None = None

    def require(self, url: str, told: ServiceTip, is_ahead: Callable[[], bool]) -> None:
        """Raises RemoteError where another service than before tells an older commit, for the second time in a minute.

        `is_ahead`: does it lie ahead of what was taken last, or is it new?
        """
        before = self._taken
        if before and told.service != before.service and told.commit_id != before.commit_id and not is_ahead():
            if self._went_back_at is not None and self._clock() - self._went_back_at < TWICE:
                ids = " and ".join(sorted((told.service, before.service)))
                raise RemoteError(
                    "upstream",
                    f"{url} is two services that disagree, {ids}: {told.commit_id[:10]} is not taken after"
                    f" {before.commit_id[:10]}",
                    "let both follow the same, or give each a name of its own",
                )
            self._went_back_at = self._clock()
        self._taken = told
