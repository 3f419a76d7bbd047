"""The address space before and after a change, as a strip: where on the map answers differ, and from what to what.

The strip is what rows of either map answer, one allocation after the other without the gaps between them, in a bounded
number of slots; a slot says the commonest change in it, and how much of it changes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from ..net.addresses import Address, Network, format_address
from ..net.ranges import SIZES, Names, Range, outermost
from .plan import Plan

SLOTS = 100
"""Slots of a strip: the narrowest that can be seen on a phone."""

Sides = tuple[str | None, str | None]
"""The location before and after; None: no answer."""


class Segment(NamedTuple):
    """Slots beside each other that say the same; `start` and `width` in slots, `share` of it changes, from 0 to 1."""

    first: str
    start: int
    width: int
    before: str | None
    after: str | None
    share: float


def strips(plan: Plan) -> dict[int, list[Segment]]:
    """The segments that change, by size of an address; none of a family in which nothing does."""
    found = {size: list(_segments(plan, size)) for size in SIZES if any(one.size == size for one in plan.changes)}
    return {size: segments for size, segments in found.items() if segments}


def _segments(plan: Plan, size: int) -> Iterator[Segment]:
    rows = frozenset[Network]().union(*(file.networks for file in (*plan.old.files, *plan.new.files)))
    places = [Range.of(one) for one in outermost(one for one in rows if len(one) == size + 1)]
    if not places:
        return
    firsts = [place.first for place in places]
    starts = [0, *accumulate(place.size for place in places)]
    whole = starts[-1]
    slots: list[Counter[Sides]] = [Counter() for _ in range(SLOTS)]
    begins: dict[int, int] = {}
    for change in plan.changes:
        if change.size != size:
            continue
        sides = _location(change.before), _location(change.after)
        for addresses in change.ranges:
            at = bisect_right(firsts, addresses.first) - 1
            begin = starts[at] + addresses.first - firsts[at]
            end = begin + addresses.size
            for slot in range(begin * SLOTS // whole, min(-(-end * SLOTS // whole), SLOTS)):
                low, high = max(begin, slot * whole // SLOTS), min(end, (slot + 1) * whole // SLOTS)
                slots[slot][sides] += max(high - low, 1)
                begins[slot] = min(begins.get(slot, addresses.first), addresses.first)
    yield from _joined(slots, begins, size, whole / SLOTS)


def _location(names: Names | None) -> str | None:
    return names[0] if names else None


def _joined(slots: list[Counter[Sides]], begins: dict[int, int], size: int, room: float) -> Iterator[Segment]:
    """Slots beside each other with the same commonest change as one."""
    told: Segment | None = None
    for slot, changed in enumerate(slots):
        if not changed:
            continue
        (sides, _), share = changed.most_common(1)[0], min(sum(changed.values()) / room, 1.0)
        if told and told.start + told.width == slot and (told.before, told.after) == sides:
            mean = (told.share * told.width + share) / (told.width + 1)
            told = told._replace(width=told.width + 1, share=mean)
            continue
        if told:
            yield told
        told = Segment(format_address(Address(begins[slot].to_bytes(size))), slot, 1, *sides, share)
    if told:
        yield told
