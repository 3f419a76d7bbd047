"""The snapshot in force, the clocks, and why it is not newer; swapped whole.

One thread writes, any may read: a reader takes `ActiveState.state` once and has everything from one moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from ..config.commit import Commit
from ..gate.hooks import Hook
from ..gate.overrides import Override
from ..gate.pin import Pin
from ..gate.push_log import RESULTS, Result
from ..lookup.snapshot import Snapshot
from ..problems import Problems, errors_in
from ..repository.remote.looks import Looks
from ..repository.signing_policy import Scope
from .relation import Relation

StateName = Literal["pinned", "stale", "last-good", "unreachable", "starting", "behind", "rejected", "in-sync"]

LoadResult = Literal["active", "refused", "unreadable"]
LOAD_RESULTS: tuple[LoadResult, ...] = get_args(LoadResult)

NO_PROBLEMS = Problems()
OVERDUE = 10.0
"""Seconds after which a look that has not come back counts as a source out of reach."""

NO_HOOK = Hook("none")


@dataclass(frozen=True, slots=True)
class Head:
    """The commit that the source names, and when this process first saw it there.

    `relation` is that to what was in force then; None where nothing was, or the repository cannot tell.
    """

    commit: Commit
    seen_at: datetime
    relation: Relation | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why HEAD is not in force: `commit` and the first of its problems; no commit where none could be read.

    `served` is the commit that was served last, where HEAD is of another history and waits to be accepted.
    `hint` says what to do, where that is known.
    """

    failed_at: datetime
    message: str
    commit: str | None = None
    problems: Problems = NO_PROBLEMS
    served: str | None = None
    hint: str | None = None

    @property
    def first_line(self) -> str:
        """Its first error, without a hint; the message where there is none."""
        first = next(iter(errors_in(self.problems)), None)
        return str(first).partition("\n")[0] if first else self.message


@dataclass(frozen=True, slots=True)
class State:
    """Everything that is known at one moment.

    `rejection` is about HEAD and `outage` about the source; `was_read`: the source was read once since this process
    began; `is_settled`: the load of HEAD has ended, one way or the other; `override`: of a limit, by the push of the
    commit in force; `asked_at`: when the look under way began, by the monotonic clock; `not_kept`: why the content in
    force would not survive a restart; `looks`: at a remote, None where none is followed; `began_at`: when this process
    did; `max_stale`: how long ago the source may have been read before that is told loudly; `pin`: by which what is in
    force is held, whatever HEAD is; `pin_problem`: what is wrong with what is kept of one;
    `signatures`: what must be signed, and why that cannot be judged.
    """

    snapshot: Snapshot | None = None
    override: Override | None = None
    pin: Pin | None = None
    pin_problem: str | None = None
    head: Head | None = None
    rejection: Failure | None = None
    outage: Failure | None = None
    was_read: bool = False
    is_settled: bool = False
    branch: str | None = None
    hook: Hook = NO_HOOK
    not_kept: str | None = None
    looks: Looks | None = None
    began_at: datetime | None = None
    max_stale: timedelta | None = None
    signatures: Scope = "off"
    signatures_problem: str | None = None
    asked_at: float | None = None
    last_checked_at: datetime | None = None
    last_changed_at: datetime | None = None

    @property
    def failure(self) -> Failure | None:
        """The one that matters most now."""
        return self.outage or self._overdue() or self.rejection

    def _overdue(self) -> Failure | None:
        """That the look under way does not come back, which no look can tell."""
        late = time.monotonic() - self.asked_at - OVERDUE if self.asked_at is not None else -1.0
        if late < 0:
            return None
        message = f"the repository was asked, and has not answered for {OVERDUE:g} s: see whether its disk and git do"
        return Failure(now() - timedelta(seconds=late), message)

    @property
    def is_unreachable(self) -> bool:
        """Has the last look at the source failed, or not come back, or found no branch where there was one?"""
        is_gone = self.was_read and self.head is None and self.snapshot is not None
        return bool(self.outage) or self.is_overdue or is_gone

    @property
    def is_overdue(self) -> bool:
        """Does the look under way not come back?"""
        return self._overdue() is not None

    @property
    def is_empty(self) -> bool:
        """Was the source read, and has no commit yet?"""
        return self.was_read and not (self.head or self.snapshot or self.failure)

    @property
    def is_stale(self) -> bool:
        """Was the source read last, or has this process begun, longer ago than is allowed?"""
        since = self.last_checked_at or self.began_at
        return self.max_stale is not None and since is not None and now() - since > self.max_stale

    @property
    def name(self) -> StateName:
        """The first state that applies; a branch that had a commit and is gone counts as a source out of reach."""
        if self.pin:
            return "pinned"
        if self.is_stale:
            return "stale"
        if not self.was_read:
            return "last-good" if self.snapshot else "starting"
        if self.is_unreachable:
            return "unreachable"
        if self.head is None:
            return "starting"
        if not self.is_settled:
            return "behind"
        return "rejected" if self.rejection else "in-sync"


_TOLD = ("snapshot", "pin", "rejection")
"""The fields by which others are told that it has changed."""


class ActiveState:
    """Holds the state in force, and how often each kind of load, and each push, has ended so: `loads`, `pushes`.

    `draining_since`: when the service was told to end, where it answers on for a while; set once, by the event loop.
    `changed` is called when another snapshot is in force or held there, or another commit is refused; by the one thread
    that writes.
    """

    def __init__(self) -> None:
        self.state = State()
        self.loads: dict[LoadResult, int] = dict.fromkeys(LOAD_RESULTS, 0)
        self.pushes: dict[Result, int] = dict.fromkeys(RESULTS, 0)
        self.draining_since: datetime | None = None
        self.changed: Callable[[], None] = lambda: None

    @property
    def commit(self) -> str | None:
        """The id of the commit in force."""
        snapshot = self.state.snapshot
        return snapshot.commit.id if snapshot and snapshot.commit else None

    def change(self, **fields: Any) -> State:  # noqa: ANN401  the fields of State have several types
        """Put in force the state with these fields changed; for the one thread that writes."""
        before = self.state
        self.state = replace(before, **fields)
        if any(getattr(self.state, name) is not getattr(before, name) for name in _TOLD):
            self.changed()
        return self.state

    @contextmanager
    def asking(self, *, is_asked: bool = True) -> Iterator[None]:
        """The source is asked in the block, or not: what is done there takes as long as it takes."""
        before = self.state.asked_at
        self.change(asked_at=time.monotonic() if is_asked else None)
        try:
            yield
        finally:
            self.change(asked_at=before if before is None else time.monotonic())

    def count(self, result: LoadResult) -> None:
        """One load more has ended so; for the one thread that writes."""
        self.loads[result] += 1


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)
