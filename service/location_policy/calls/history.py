"""The call history: counts of the calls of each situation and day, kept in the state directory.

An answer only adds to a dictionary. A thread writes what has come together every `INTERVAL`; what cannot be written
waits in memory, bounded, and is tried again. So what is lost by a kill is what was counted in the last `INTERVAL`.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, Self

from ..lookup.answers import Answer
from ..lookup.decision import Question
from . import hand_up
from .hand_up import HandUp, decode
from .history_file import HistoryFile, Remembered, UnusableHistory
from .history_places import forget_unused, free_place, put_aside
from .recent import first_day, history_files, recent_calls, summed, today
from .situation import LONGEST, NO_CALL, Situation, add, as_sent, settled

INTERVAL = 10.0
"""Seconds between two times of writing."""
MOST_NEW = 20_000
"""Situations that are counted apart between two times of writing; the rest are merged."""
MOST_HEARD = 1_000
"""Batches of followers that wait to be read, and followers of which it is known which was the last."""
HEARING = 2.0
"""Seconds of a processor that one time of writing takes to read such batches; the others are read at the next."""
MOST_WAITING = 100_000
"""Situations of a day that wait while nothing can be written; the rest are merged."""
MOST_TOLD = 100_000
"""Situations that are told apart by `recent`, the frequent ones of each file first: a million would take a gigabyte."""
GRACE = 5.0
"""Seconds that the last writing has when the process ends."""

log = logging.getLogger(__name__)


class CallHistory:
    """Counts calls, and remembers them for so many days; without a state directory only until the process ends.

    `count` is for the thread that answers, everything else for any other.
    """

    def __init__(
        self,
        state_directory: Path | None,
        days: int,
        interval: float = INTERVAL,
        above: HandUp | None = None,
    ) -> None:
        """`above`: where calls are handed up too."""
        self.days = days
        self.above = above
        self._heard: deque[tuple[str, str]] = deque(maxlen=MOST_HEARD)
        self._numbers: OrderedDict[str, int] = OrderedDict()
        self._directory = state_directory
        self._interval = interval
        self._new: dict[Any, int] = {}
        self._day = today().toordinal()
        """On which the new ones began: as they are collected at midnight too, all of them were on that day."""
        self._of_new = threading.Lock()
        self._waiting: dict[int, dict[Situation, int]] = {}
        self._file: HistoryFile | None = None
        self._path: Path | None = None
        self._lock: int | None = None
        self._tidied = 0
        """The first day that was kept when files were tidied that no service uses."""
        self._of_file = threading.RLock()
        self._problem: str | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="call-history", daemon=True)

    def start(self) -> Self:
        """Begin to write."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Write what has been counted, and end."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(GRACE)
        with self._of_file:
            self.save()
            self._shut()
            self._leave_place()

    @property
    def problem(self) -> str | None:
        """Why counts are kept in memory alone now."""
        return self._problem

    def count(self, question: Question, answer: Answer, _commit: str | None, _took: int) -> None:
        """One answer more."""
        if answer.outcome in NO_CALL:
            return
        first = question.parameters.first
        found = (
            question.protocol,
            first("location"),
            first("proxy-node-location"),
            first("call-direction"),
            first("remote-address"),
            first("ms-subnet"),
            answer.outcome,
            answer.location,
            answer.overflow or (),
            answer.view,
        )
        with self._of_new:
            if found in self._new:
                self._new[found] += 1  # a situation is this tuple, and made where it is the first
            else:
                self._count_new(as_sent(Situation(*found)))

    def _count_new(self, found: Situation) -> None:
        is_long = any(len(text) > LONGEST for text in found[:6])
        add(self._new, settled(found) if is_long else found, 1, MOST_NEW)

    def recent(self, since: date) -> list[Remembered]:
        """What occurred on this day or later, up to now, each situation once; with what others keep beside it."""
        with self._of_file:
            self.save()
            found = [
                (one, calls, day)
                for day, counts in self._waiting.items()
                if day >= since.toordinal()
                for one, calls in counts.items()
            ]
            kept = recent_calls(self._directory, since) if self._directory is not None else ()
            return summed(chain(found, kept), MOST_TOLD)

    def first_day(self) -> date:
        """The first day of which calls are known, up to now; today where there are none."""
        with self._of_file:
            self.save()
            kept = first_day(self._directory) if self._directory is not None else None
            days = [day for day in (*self._waiting, kept) if day is not None]
        return date.fromordinal(min(days)) if days else today()

    def take(self, day: int, counts: Mapping[Situation, int]) -> None:
        """Add calls of a day, which are written with the next."""
        known = _settled(counts)
        with self._of_file:
            of_others = sum(len(waiting) for other, waiting in self._waiting.items() if other != day)
            waiting = self._waiting.setdefault(day, {})
            for found, calls in known.items():
                add(waiting, found, calls, MOST_WAITING - of_others)
        if self.above:
            self.above.add(day, known)

    def hear(self, follower: str, text: str) -> None:
        """A follower of this id hands up a batch; it is read later, in the thread that writes."""
        if len(text) <= hand_up.LONGEST:
            self._heard.append((follower, text))

    def save(self) -> None:
        """Write what has come together, where that can be done now."""
        with self._of_file:
            self._collect()
            if self._directory is None or not (self._waiting or self._file or history_files(self._directory)):
                return
            try:
                self._write(self._directory)
            except UnusableHistory as error:
                self._shut()
                self._set_aside(str(error))
            except (OSError, sqlite3.Error) as error:
                self._shut()
                self._tell(getattr(error, "strerror", None) or str(error))
            else:
                if self._problem:
                    log.info("call history written again file=%s", self._path)
                self._problem = None

    # --- the thread ---

    def _run(self) -> None:
        while not self._end.wait(min(self._interval, _until_midnight())):
            try:
                self.save()
            except Exception:
                log.exception("the call history has failed")

    def _collect(self) -> None:
        with self._of_new:
            new, self._new = self._new, {}
        began, self._day = self._day, today().toordinal()
        if new:
            is_midnight = began == self._day - 1  # anything else is a clock that was set
            self.take(began if is_midnight else self._day, new)
        until = time.thread_time() + HEARING
        while self._heard and time.thread_time() < until:
            self._take_heard(*self._heard.popleft())
        for day in [day for day in self._waiting if day < self._first_day()]:
            del self._waiting[day]

    def _take_heard(self, follower: str, text: str) -> None:
        """A batch of a follower, unless it is the last again, as where its answer was lost; numbers may begin anew, and
        lower, where a clock was set.
        """
        batch, present = decode(text), today().toordinal()
        if batch is None or batch.number == self._numbers.get(follower) or not -2 <= batch.day - present <= 1:
            return
        self._numbers[follower] = batch.number
        self._numbers.move_to_end(follower)
        while len(self._numbers) > MOST_HEARD:
            self._numbers.popitem(last=False)
        self.take(batch.day, batch.counts)

    def _first_day(self) -> int:
        return today().toordinal() - self.days + 1

    def _write(self, directory: Path) -> None:
        if self._file and not self._file.is_in_place:
            log.warning("call history begun anew file=%s: it was removed", self._path)
            self._shut()
            self._leave_place()
        file = self._file or self._open(directory)
        was_merged = file.merged
        for day in sorted(self._waiting):
            file.add(day, self._waiting[day])
            del self._waiting[day]
        if file.merged and not was_merged:
            log.warning("call history is full file=%s: rare addresses are counted by their network", self._path)
        first = self._first_day()
        file.forget(first)
        if first != self._tidied:
            assert self._path is not None
            self._tidied = first
            forget_unused(directory, self._path, first, self.days)

    def _open(self, directory: Path) -> HistoryFile:
        if self._lock is None:
            self._path, self._lock = free_place(directory)
        assert self._path is not None
        self._file = HistoryFile(self._path)
        return self._file

    def _shut(self) -> None:
        if self._file:
            with suppress(sqlite3.Error):
                self._file.close()
        self._file = None

    def _leave_place(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
        self._lock = None

    def _set_aside(self, why: str) -> None:
        path = self._path
        assert path is not None
        try:
            put_aside(path)
            log.warning("call history put aside file=%s: %s; another is begun", path, why)
        except OSError as error:
            self._tell(f"{why}, and it cannot be put aside: {error.strerror}")

    def _tell(self, problem: str) -> None:
        if self._problem is None:
            log.error(
                "call history not written file=%s: %s; it is kept in memory", self._path or self._directory, problem
            )
        self._problem = problem


def _settled(counts: Mapping[Situation, int]) -> Mapping[Situation, int]:
    found = Counter[Situation]()
    for one, calls in counts.items():
        found[settled(one)] += calls
    return found


def _until_midnight() -> float:
    now = datetime.now(UTC)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - now).total_seconds()
