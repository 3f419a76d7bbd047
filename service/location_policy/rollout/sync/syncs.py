"""Looks at the source that were asked for, numbered: by a webhook, by SIGHUP, by a command; and what became of each.

All who ask before a look begins share its number, so that many knocks are one look, and one more if any came meanwhile,
a second later.
A forge may serve what was there before a push for seconds after it has told of it: after a knock that has found nothing
new the source is looked at again, three times.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from ...problems import NO_PROBLEMS, Fields, Problems
from ...text import escape, precise_moment_text
from ..state import ActiveState, State, now

AGAIN = (1.0, 3.0, 10.0)
"""Seconds after a knock that has found nothing new, at which the source is looked at again."""
APART = 1.0
"""Seconds between the beginnings of two looks that knocks have caused: a thousand in a second are two looks."""
KEPT = 100
"""Looks of which it is remembered what became of them."""

Result = Literal["in-force", "refused", "unreachable", "pinned", "waiting"]


@dataclass(frozen=True, slots=True)
class Sync:
    """One look, and what became of it, once that is known: the tip that was found, and whether it is in force.

    `pinned`: it waits, since another is held in force by hand; `waiting`: it is older than what was taken last, or the
    source has no commit yet.
    `message` and the first of the `problems` say why not, `hint` what to do.
    """

    number: int
    asked_at: datetime
    began_at: datetime | None = None
    looked_at: datetime | None = None
    tip: str | None = None
    result: Result | None = None
    message: str | None = None
    hint: str | None = None
    problems: Problems = field(default=NO_PROBLEMS)

    def fields(self) -> Fields:
        """It as programs read it."""
        return {
            "sync": self.number,
            "asked_at": precise_moment_text(self.asked_at),
            "began_at": self.began_at and precise_moment_text(self.began_at),
            "looked_at": self.looked_at and precise_moment_text(self.looked_at),
            "tip": self.tip,
            "result": self.result,
            "message": self.message and escape(self.message),
            "hint": self.hint and escape(self.hint),
            **self.problems.fields(),
        }


class Syncs:
    """Counts what is asked for, and has it looked at; `ask` and `find` are for any thread."""

    def __init__(self, active: ActiveState, hurry_source: Callable[[], None], told: Callable[[Sync], None]) -> None:
        """`hurry_source` lets the next look ask, whenever the last one did; `told` hears of what became of one."""
        self._active = active
        self._hurry_source = hurry_source
        self._told = told
        self._lock = threading.Lock()
        self._syncs: OrderedDict[int, Sync] = OrderedDict()
        self._last = 0
        self._pending: int | None = None
        self._is_knock = self._is_urgent = False
        self._not_before = 0.0
        """When a look may begin that only knocks have caused, by the monotonic clock."""
        self._again: list[float] = []
        self._amended: Sync | None = None
        """The one that the looks after it belong to."""
        self.wake: Callable[[], None] = lambda: None
        """Lets the look begin now."""

    def ask(self, *, is_knock: bool = False) -> int:
        """Have the source looked at; the number of the look. `is_knock`: by one who has been told of something new."""
        with self._lock:
            if self._pending is None:
                self._last += 1
                self._pending = self._last
                self._syncs[self._last] = Sync(self._last, now())
                if len(self._syncs) > KEPT:
                    self._syncs.popitem(last=False)
                if is_knock and (wait := self._not_before - time.monotonic()) > 0:
                    later = threading.Timer(wait, self.wake)
                    later.daemon = True
                    later.start()
            self._is_knock |= is_knock
            self._is_urgent |= not is_knock
            number = self._pending
        self.wake()
        return number

    def find(self, number: int) -> Sync | None:
        """The look of that number; None: there was none, or it is long past."""
        with self._lock:
            return self._syncs.get(number)

    def around(self, look: Callable[[], None]) -> Callable[[], None]:
        """This look at the source, with what is asked for before it and noted after it."""

        def numbered_look() -> None:
            number, is_knock = self._take()
            before = _tip(self._active.state)
            is_again = number is None and bool(self._again) and self._again[0] <= time.monotonic()
            if is_again:
                del self._again[0]
            if number is not None or is_again:
                self._hurry_source()
            look()
            has_news = _tip(self._active.state) != before
            if number is not None:
                self._amended = self._note(number)
                self._again = [time.monotonic() + seconds for seconds in AGAIN] if is_knock and not has_news else []
            elif has_news and self._again:
                self._note_news()

        return numbered_look

    def _take(self) -> tuple[int | None, bool]:
        with self._lock:
            if not self._is_urgent and time.monotonic() < self._not_before:
                return None, False
            number, is_knock = self._pending, self._is_knock
            self._pending, self._is_knock, self._is_urgent = None, False, False
            if is_knock:
                self._not_before = time.monotonic() + APART
            if number is not None and number in self._syncs:
                self._syncs[number] = replace(self._syncs[number], began_at=now())
        return number, is_knock

    def _note_news(self) -> None:
        """What a knock has told of has come after all."""
        self._again = []
        if self._amended:
            self._note(self._amended.number)

    def _note(self, number: int) -> Sync | None:
        with self._lock:
            if number not in self._syncs:
                return None
            sync = self._syncs[number] = _judged(self._syncs[number], self._active.state)
        self._told(sync)
        return sync


def _tip(state: State) -> str | None:
    return state.head.commit.id if state.head else None


def _judged(sync: Sync, state: State) -> Sync:
    """What became of it, by the state after the look."""
    sync = replace(sync, looked_at=now(), tip=_tip(state))
    failure, pin = state.failure, state.pin
    if failure is None and pin and sync.tip != pin.commit:
        return replace(sync, result="pinned", message=f"it waits: {pin.told()}")
    if failure is None and pin:
        return replace(sync, result="in-force", message=pin.told())
    if state.is_empty:
        return replace(sync, result="waiting", message="the source has no commit yet", hint="push one")
    if failure is None and state.name == "behind":
        return replace(sync, result="waiting", message="it waits: it is taken once a later look says the same")
    if failure is None:
        return replace(sync, result="in-force" if state.name in ("in-sync", "stale") else "unreachable")
    result: Result = "unreachable" if state.outage or state.head is None else "refused"
    return replace(sync, result=result, message=failure.message, hint=failure.hint, problems=failure.problems)
