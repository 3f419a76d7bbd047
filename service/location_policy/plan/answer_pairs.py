"""What changes, summed up by pairs of answers: from which, to which, in how many ranges, and how much of the map.

A reader of thousands of ranges asks first which location loses to which, and how much. So a plan that is large
is told by its pairs, and then by its largest ranges; few are told one by one, in the order of addresses, and need no
sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..net.ranges import Names, count_slash64s
from .affected_calls import NO_CALLS, Calls
from .answer_changes import Change, Kind
from .plan import Plan, Total, total


class Pair(NamedTuple):
    """An answer that becomes another: how much does, and how much there is in the `whole` map.

    Overflow locations are there only where they are what changes.
    """

    kind: Kind
    before: Names | None
    after: Names | None
    size: Total
    whole: Total
    calls: Calls = NO_CALLS


def pairs(plan: Plan) -> list[Pair]:
    """The pairs of a plan, the largest first; each range is in one of them."""
    by_names: dict[tuple[Names | None, Names | None], list[Change]] = {}
    for change in plan.changes:
        by_names.setdefault((change.before, change.after), []).append(change)
    found: dict[tuple[Kind, Names | None, Names | None], list[Change]] = {}
    for (before, after), changes in by_names.items():
        kind = changes[0].kind
        if kind != "overflow":
            before, after = before and before[:1], after and after[:1]  # noqa: PLW2901
        found.setdefault((kind, before, after), []).extend(changes)
    of = plan.calls.of if plan.calls else lambda _: NO_CALLS
    summed = (Pair(*answers, total(changes), plan.whole, of(changes)) for answers, changes in found.items())
    return sorted(summed, key=lambda pair: _share(pair.size, plan.whole), reverse=True)


def rest(more: Sequence[Pair]) -> Total:
    """How much these are together; a /64 that is in several of them counts for each."""
    sizes = [pair.size for pair in more]
    return Total(*map(sum, zip(*sizes, strict=True))) if sizes else Total()


def in_order(plan: Plan) -> Sequence[Change]:
    """The changes in the order in which they are told: where they are many, the largest first."""
    if not plan.is_large:
        return plan.changes
    return sorted(plan.changes, key=lambda change: _share_of(change, plan.whole), reverse=True)


def _share_of(change: Change, whole: Total) -> float:
    if change.size == 4:
        return sum(part.size for part in change.ranges) / whole.addresses
    return count_slash64s(change.ranges) / whole.slash64s


def _share(size: Total, whole: Total) -> float:
    """The share of the map, by the family of addresses of which it is more."""
    return max(size.addresses / (whole.addresses or 1), size.slash64s / (whole.slash64s or 1))
