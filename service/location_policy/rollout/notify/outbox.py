"""A bounded queue whose thread delivers changes in their order, and tries again where a receiver takes none.

Who puts a change there never waits. One that its receiver does not take holds up those behind it, and is given up in
the end. Where there are too many, the oldest is dropped that a newer one of its kind waits behind: of each kind the
newest is always there.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Self

from ...integrations.notify.delivery import NotDelivered
from ...integrations.notify.event import Event, Kind
from ...repository.remote.schedule import Schedule
from ..state import now
from .changes import Change

MOST = 50
"""Changes that wait; more than there are kinds."""
PATIENCE = 86_400.0
"""Seconds after which a change is given up."""
FIRST_WAIT = 1.0
"""Seconds before the second try, about; later ones wait longer."""
GRACE = 1.0
"""Seconds that a delivery under way has when the process ends."""

Send = Callable[[Event], NotDelivered | None]

log = logging.getLogger(__name__)


class LastError(NamedTuple):
    """Why a change was not taken, and when."""

    at: datetime
    message: str


class _Waiting(NamedTuple):
    change: Change
    since: float

    @property
    def kind(self) -> Kind:
        return self.change.event.kind


class Outbox:
    """Delivers changes by `send`, and calls `done` of each that is delivered or given up; `to` gives what may be shown.

    `sent`, `failed` (given up) and `dropped` count them; any thread may read them.
    """

    def __init__(
        self, to: Callable[[], str], send: Send, done: Callable[[Change], None], schedule: Schedule | None = None
    ) -> None:
        self._to = to
        self.sent = self.failed = self.dropped = 0
        self.last_sent_at: datetime | None = None
        self.last_error: LastError | None = None
        self._send = send
        self._done = done
        self._schedule = schedule or Schedule(FIRST_WAIT)
        self._queue: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._is_busy = self._is_ending = self._is_failing = False
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def start(self) -> Self:
        """Begin to deliver."""
        self._thread.start()
        return self

    @property
    def to(self) -> str:
        """The host of the receiver."""
        return self._to()

    @property
    def waiting(self) -> int:
        """How many are not delivered yet."""
        return len(self._queue) + self._is_busy

    def put(self, change: Change) -> None:
        """Let it be delivered."""
        with self._changed:
            if len(self._queue) >= MOST:
                self._drop()
            self._queue.append(_Waiting(change, time.monotonic()))
            self._changed.notify()

    def stop(self) -> None:
        """Deliver no more; what is under way has `GRACE` to end."""
        with self._changed:
            self._is_ending = True
            self._changed.notify()
        self._thread.join(GRACE)

    def _drop(self) -> None:
        newest = {one.kind: one for one in self._queue}
        oldest = next(one for one in self._queue if one is not newest[one.kind])
        self._queue.remove(oldest)
        if not self.dropped:
            log.error("notifications fall behind to=%s: the oldest of a kind are dropped", self.to)
        self.dropped += 1

    # --- in the thread that delivers ---

    def _run(self) -> None:
        while one := self._next():
            while (refusal := self._try(one)) and not self._is_over(one, refusal):
                self._schedule.fail(refusal.after)
                if self._has_ended_within(self._schedule.seconds_left):
                    return
            self._is_busy = False
            self._done(one.change)

    def _next(self) -> _Waiting | None:
        """The oldest, once there is one; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._is_ending)
            if self._is_ending:
                return None
            self._is_busy = True
            return self._queue.popleft()

    def _has_ended_within(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._is_ending, seconds)

    def _try(self, one: _Waiting) -> NotDelivered | None:
        try:
            refusal = self._send(one.change.event)
        except Exception as error:  # noqa: BLE001  the top level: to end here would be silence for ever
            refusal = NotDelivered(type(error).__name__, is_final=True)  # its text might tell the URL
        if refusal is None:
            self.sent += 1
            self.last_sent_at = now()
            self._schedule.succeed()
            if self._is_failing:
                log.info("notified again to=%s event=%s", self.to, one.kind)
            self._is_failing = False
        return refusal

    def _is_over(self, one: _Waiting, refusal: NotDelivered) -> bool:
        """Whether it is given up; what is wrong is told once, until something is taken again."""
        self.last_error = LastError(now(), refusal.reason)
        is_over = refusal.is_final or time.monotonic() - one.since > PATIENCE
        if is_over:
            self.failed += 1
            log.error("not notified to=%s event=%s: %s", self.to, one.kind, refusal.reason)
        elif not self._is_failing:
            told = "not notified yet to=%s event=%s: %s; it is tried again"
            log.warning(told, self.to, one.kind, refusal.reason)
        self._is_failing = not is_over
        return is_over
