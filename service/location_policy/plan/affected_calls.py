"""Whose calls a plan moves: how many of those that are remembered get another answer.

The numbers are found in `calls/moved`, above this package; here is what a plan carries of them, so that all that tells
a plan can tell them beside its ranges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from ..config.percentages import measured_share
from ..text import count
from .answer_changes import Change


class Calls(NamedTuple):
    """How many, and the day of the last of them (`date.toordinal`); 0: none."""

    number: int = 0
    last: int = 0

    def with_more(self, number: int, last: int) -> Calls:
        """These and others."""
        return Calls(self.number + number, max(self.last, last))


NO_CALLS = Calls()


@dataclass(frozen=True, slots=True)
class AffectedCalls:
    """Of `number` calls since a day, `changed` get another answer, of which `lost` had one and get none.

    Of `unsure` calls it is not known: their addresses were merged to a network of which a part gets another answer, or
    they are looked up by a parameter that is not kept.
    `by_change` has those of each range; what rules change is in none.
    """

    since: date
    days: int
    number: int
    changed: int = 0
    lost: int = 0
    unsure: int = 0
    by_change: Mapping[Change, Calls] = field(default_factory=dict)

    @property
    def span(self) -> str:
        """The days in words."""
        return "the last day" if self.days == 1 else f"the last {self.days:,} days"

    def of(self, changes: Iterable[Change]) -> Calls:
        """The calls of some of the ranges."""
        found = NO_CALLS
        for change in changes:
            found = found.with_more(*self.by_change.get(change, NO_CALLS))
        return found


def calls_lines(calls: AffectedCalls | None) -> list[str]:
    """What changes for calls, in lines, the lost first; none where none are remembered."""
    if calls is None or not calls.number:
        return []
    lost = [f"{count(calls.lost, 'call')} had an answer and {_lose(calls.lost)} it"] if calls.lost else []
    share = f" ({measured_share(calls.changed, calls.number)})" if calls.changed else ""
    verb = "gets" if calls.changed == 1 else "get"
    told = f"{calls.changed:,} of {count(calls.number, 'call')} of {calls.span} {verb} another answer{share}"
    unsure = [f"{count(calls.unsure, 'call')} more may, of which the address is not kept"] if calls.unsure else []
    return [*lost, told, *unsure]


def calls_text(found: Calls) -> str:
    """Those of a range, behind its size; empty where there are none."""
    return f", {count(found.number, 'call')}, last {date.fromordinal(found.last)}" if found.number else ""


def _lose(number: int) -> str:
    return "loses" if number == 1 else "lose"
