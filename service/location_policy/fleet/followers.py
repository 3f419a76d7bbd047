"""Who follows this service, and what each answers from, as each has said with its last request.

A request that waits is what makes a follower seen: nothing is asked of it. One that has not asked for `LOST` seconds is
lost, and forgotten a day later. All is bounded: who may ask could give any number of names.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import nsmallest
from itertools import chain, islice
from typing import Any, NamedTuple

from ..text import fitting, precise_moment_text
from .report import LATE, LONGEST_NAME, LONGEST_SUMMARY, MOST_IDS, Late, Refusal, Report, shown

MOST = 10_000
"""Followers that are known at a time."""
MIRRORS = 500
"""Followers of which it is known who is behind them."""
SHOWN = 200
"""Followers that are listed, the worst first."""
LOST = 90.0
"""Seconds after which one that has not asked is lost: a wait is over after 60."""
FORGOTTEN = 86_400.0
"""Seconds after which it is forgotten."""
LOST_STATE = "lost"


@dataclass(slots=True)
class Follower:
    """One follower; `since` when it answers from this commit in this state, `seen` by the monotonic clock."""

    key: str
    address: str
    report: Report
    since: datetime
    seen_at: datetime
    seen: float
    is_lost: bool = False

    @property
    def state(self) -> str:
        """As it has said, unless it is lost."""
        return LOST_STATE if self.is_lost else self.report.state

    @property
    def total(self) -> int:
        """How many it stands for: itself, and those behind it."""
        return 1 + (self.report.behind.total if self.report.behind else 0)

    @property
    def at_tip(self) -> int:
        """How many of these answer from what it answers from."""
        return 1 + (self.report.behind.at_tip if self.report.behind else 0)

    def missing(self, commit: str) -> int:
        """How many of these do not answer from a commit."""
        return self.total - self.at_tip if self.report.commit == commit else self.total

    def late(self, commit: str) -> Sequence[Late]:
        """Those behind it that it names, where it answers from a commit itself and they do not."""
        return self.report.behind.late if self.report.behind and self.report.commit == commit else ()

    def states(self) -> Counter[str]:
        """How many of these have each state."""
        behind = self.report.behind.states if self.report.behind and not self.is_lost else {}
        return Counter(behind) + Counter([self.state])

    def badness(self, tip: str | None) -> tuple[int, datetime]:
        """What comes first in a list: who refuses, who is late, who is lost; of these who has been so for longest."""
        if self.is_lost:
            rank = 2
        elif self.report.refusal:
            rank = 0
        else:
            rank = 1 if self.missing(tip or "") else 3
        return rank, self.since

    def fields(self) -> dict[str, Any]:
        """It as programs read it."""
        report = self.report
        return {
            "name": report.name,
            "address": self.address,
            "version": report.version,
            "commit": report.commit,
            "state": self.state,
            "since": precise_moment_text(self.since),
            "seen_at": precise_moment_text(self.seen_at),
            "problems": report.refusal._asdict() if report.refusal else None,
            "behind": report.behind.fields() if report.behind else None,
        }


class Standing(NamedTuple):
    """How far a commit has come: of `total` seen followers `at` answer from it, and some refuse it."""

    at: int
    total: int
    refused: int

    @property
    def is_everywhere(self) -> bool:
        """Do all answer from it?"""
        return self.at == self.total


class Followers:
    """Those that are known; for any thread. `changed` is called when one answers from another commit, comes or goes."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self.changed = changed
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, Follower] = OrderedDict()
        """By key; the one that was seen last is the last."""
        self._lost: OrderedDict[str, Follower] = OrderedDict()
        self._at = Counter[str]()
        self._refused = Counter[str]()
        self._states = Counter[str]()
        self._total = self._mirrors = 0
        self._tip: str | None = None
        self._tip_since = 0.0
        self._took: float | None = None

    def move_tip(self, commit: str | None) -> bool:
        """From now on followers are to answer from this commit; is it another than before?"""
        with self._lock:
            if commit == self._tip:
                return False
            self._tip, self._tip_since, self._took = commit, time.monotonic(), None
            self._note_arrival()
            return True

    def note(self, report: Report, address: str) -> str:
        """A follower has asked; the key by which it is known."""
        own = report.ids[0] if report.ids else ""
        key = own or f"{report.name} {address}"
        now, moment = time.monotonic(), datetime.now(UTC)
        with self._lock:
            self._sweep(now)
            before = self._seen.pop(key, None) or self._lost.pop(key, None)
            if before is None and not self._make_room(report.name):
                return key
            if before:
                self._count(before, -1)
            report = self._within_room(report)
            is_same = before and (before.report.commit, before.state) == (report.commit, report.state)
            since = before.since if before and is_same else moment
            one = Follower(key, shown(address, LONGEST_NAME), report, since, moment, now)
            self._seen[key] = one
            self._count(one, 1)
            self._note_arrival()
            has_news = before is None or before.is_lost or before.report != report
        if has_news:
            self.changed()
        return key

    def standing(self, commit: str) -> Standing:
        """How far this commit has come."""
        with self._lock:
            self._sweep(time.monotonic())
            return Standing(self._at[commit], self._total, self._refused[commit])

    def is_empty(self) -> bool:
        """Is there none, seen or lost?"""
        return not self._seen and not self._lost

    def fields(self) -> dict[str, Any]:
        """All of them as programs read it: how many, and the worst."""
        with self._lock:
            self._sweep(time.monotonic())
            tip, total, lost = self._tip, self._total, len(self._lost)
            at_tip = self._at[tip] if tip else 0
            known = [*self._seen.values(), *self._lost.values()]
        listed = nsmallest(SHOWN, known, key=lambda one: one.badness(tip))
        told = fitting(one.fields() for one in listed)
        return {"total": total, "at_tip": at_tip, "lost": lost, "list": told}

    def states(self) -> Counter[str]:
        """How many have each state, those behind mirrors too."""
        with self._lock:
            self._sweep(time.monotonic())
            return self._states.copy()

    def seconds_to_last(self) -> float:
        """From when the tip came to when the last follower answers from it; while one does not, as long as it takes."""
        with self._lock:
            self._sweep(time.monotonic())
            if self._took is not None:
                return self._took
            return time.monotonic() - self._tip_since if self._tip and self._total else 0.0

    def late(self, commit: str, most: int = LATE) -> tuple[list[Follower], int]:
        """Seen followers that do not answer from a commit, or have such behind them, the worst first; and how many."""
        with self._lock:
            found = [one for one in self._seen.values() if one.missing(commit)]
        return nsmallest(most, found, key=lambda one: one.badness(commit)), len(found)

    def refusals(self, commit: str, most: int = LATE) -> list[tuple[str, Refusal]]:
        """The names of followers that refuse a commit, and why."""
        with self._lock:
            found = ((one.report.name, one.report.refusal) for one in self._seen.values())
            refusing = ((name, why) for name, why in found if why and why.commit == commit)
            return list(islice(refusing, most))

    def summary(self) -> str | None:
        """What a mirror says upwards of those behind it, in ASCII and within bounds; None: there is none."""
        with self._lock:
            self._sweep(time.monotonic())
            if not self._total:
                return None
            tip = self._tip or ""
            told: dict[str, Any] = {
                "total": self._total,
                "at_tip": self._at[tip],
                "states": dict(sorted(self._states.items(), key=lambda one: (-one[1], one[0]))[:12]),
            }
        late, _ = self.late(tip)
        named = [{"name": one.report.name, "commit": one.report.commit, "state": one.state} for one in late]
        while len(text := json.dumps({**told, "late": named}, separators=(",", ":"))) > LONGEST_SUMMARY:
            named.pop()
        return text

    def ids(self) -> list[str]:
        """The ids of those that are seen, and of those behind them, as far as there is room for them in a header.

        Mirrors go first: a loop is of those. The order is the same whoever has asked last: what differs is told anew.
        """
        with self._lock:
            told = (one.report.ids for one in self._seen.values() if one.report.ids)
            mirrors_first = sorted(told, key=lambda ids: (len(ids) < 2, ids[0]))
        return list(dict.fromkeys(chain.from_iterable(mirrors_first)))[:MOST_IDS]

    # --- with the lock ---

    def _sweep(self, now: float) -> None:
        """See to it that who has gone is lost, and is forgotten in the end."""
        while self._seen and (first := next(iter(self._seen.values()))).seen < now - LOST:
            del self._seen[first.key]
            self._count(first, -1)
            first.is_lost, first.since = True, first.seen_at
            self._lost[first.key] = first
            self._count(first, 1)
            self._note_arrival()
        while self._lost and (first := next(iter(self._lost.values()))).seen < now - FORGOTTEN:
            self._forget(first)

    def _forget(self, one: Follower) -> None:
        del self._lost[one.key]
        self._count(one, -1)

    def _make_room(self, name: str) -> bool:
        """Is there room for one more? One of the same name that is lost has been started anew without what it kept."""
        for one in [one for one in self._lost.values() if one.report.name == name]:
            self._forget(one)
        if len(self._seen) + len(self._lost) >= MOST and self._lost:
            self._forget(next(iter(self._lost.values())))
        return len(self._seen) + len(self._lost) < MOST

    def _within_room(self, report: Report) -> Report:
        if self._mirrors < MIRRORS:
            return report
        return report._replace(behind=None, ids=report.ids[:1])

    def _count(self, one: Follower, sign: int) -> None:
        """Add what one stands for, or take it away."""
        report = one.report
        self._mirrors += sign * (report.behind is not None or len(report.ids) > 1)
        for state, number in one.states().items():
            _add(self._states, state, sign * number)
        if one.is_lost:
            return
        self._total += sign * one.total
        _add(self._at, report.commit, sign * one.at_tip)
        _add(self._refused, report.refusal.commit if report.refusal else None, sign)

    def _note_arrival(self) -> None:
        if self._took is None and self._tip and self._total and self._at[self._tip] == self._total:
            self._took = time.monotonic() - self._tip_since


def _add(counter: Counter[str], key: str | None, number: int) -> None:
    if key is None:
        return
    counter[key] += number
    if not counter[key]:
        del counter[key]
