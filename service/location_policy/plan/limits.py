"""Is a change larger than one push may make? The limits are those of the map before it, `[limits]` of its policy.toml.

What counts is what was answered by a row before: its addresses whose answer changes or goes, and the rows whose subnet
goes. What is added harms no caller who was answered. A protocol that is answered no more takes all its answers with it,
and so may one whose addresses are looked for in other parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..config.location_map import LocationMap
from ..config.percentages import Percentage, measured_share
from ..net.addresses import Network
from ..net.ranges import SIZES, Part, Range, outermost, overlapping
from .answer_changes import Change, row_changes
from .plan import Plan, Total, total

FEWEST = 100
"""Subnets from which a map has limits, so that a sample can be replaced by a site's whole map."""


class Excess(NamedTuple):
    """A limit that a change exceeds: its key, what it allows, and what was measured."""

    rule: str
    limit: str
    measured: str


def exceeded_limits(plan: Plan) -> tuple[Excess, ...]:
    """Every limit that the change exceeds; IPv4 and IPv6 are held to each by themselves."""
    limits, size = plan.old.rules.limits, plan.old.size
    if size < FEWEST:
        return ()
    found: list[Excess] = []
    if limit := limits.get("changed-addresses"):
        before, changed = _changed(plan)
        found += _excess("changed-addresses", limit, changed.addresses, before.addresses, "IPv4 addresses")
        found += _excess("changed-addresses", limit, changed.slash64s, before.slash64s, "IPv6 /64s")
    if limit := limits.get("removed-subnets"):
        rows = row_changes(plan.old, plan.new)
        found += _excess("removed-subnets", limit, len(rows.gone.keys() - rows.come.keys()), size, "subnets")
    return tuple(found)


def _excess(rule: str, limit: Percentage, number: int, whole: int, what: str) -> Iterator[Excess]:
    if limit.is_exceeded(number, whole):
        yield Excess(rule, limit.text, f"{measured_share(number, whole)} of {what}")


def _changed(plan: Plan) -> tuple[Total, Total]:
    """What rows answered before, and what of it gets another answer or none."""
    match = plan.new.rules.match
    moves_protocol = any(match.get(protocol) != fields for protocol, fields in plan.old.rules.match.items())
    lost = [change for change in plan.changes if change.before is not None]
    if not lost and not moves_protocol:
        return Total(), Total()
    answered = _answered(plan.old)
    ranges = {size: tuple(part.range for part in parts) for size, parts in answered.items()}
    before = total([Change(size, of_size, None, None, ()) for size, of_size in ranges.items()])
    if moves_protocol:
        return before, before
    return before, total([_within(change, answered[change.size]) for change in lost])


def _answered(location_map: LocationMap) -> dict[int, list[Part]]:
    """What rows answer, disjoint and in order, by the size of an address."""
    networks = outermost(frozenset[Network]().union(*(file.networks for file in location_map.files)))
    return {size: [Part(Range.of(one), one) for one in networks if len(one) == size + 1] for size in SIZES}


def _within(change: Change, answered: Sequence[Part]) -> Change:
    """The part of a change that a row answered before: the rest got the default."""
    ranges = tuple(part.range for one in change.ranges for part in overlapping(one, answered))
    return Change(change.size, ranges, change.before, change.after, ())
