"""Is a change larger than one push may make? The limits are those of the map before it, `[limits]` of its policy.toml.

What counts is what was answered by a row before: its addresses whose answer changes or goes, and the rows whose subnet
goes, whatever answers there then: a hundred subnets merged into one could go with that one, in a second push. A rule
that changes answers counts for every one that it changes.

What no row covered counts by itself, since it was answered too: by the default, or by Pexip's own choice. Another
default, or a first one, changes all of it. What rows take of it is measured by all addresses there are, and up to a /8
it is how a map grows, and counts for nothing.

Where there are limits, what loosens them, or anything else that judges the next push, is over them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..config.files import EXPECTATIONS_PATH, below_view, view_of
from ..config.percentages import LIMITS, Percentage, measured_share
from ..net.ranges import Part, Range, disjoint, overlapping
from ..text import count
from .plan import Plan, Total, total_of
from .rule_changes import APPROVAL_CHECK, RuleChange, has_limits

WIDE = 8
"""The longest prefix of what counts though no row covered it before; in IPv6 that is 2^56 of /64."""


class Excess(NamedTuple):
    """A limit that a change exceeds: its key, what it allows, and what was measured.

    Or what it loosens: the whole key, as in `limits.changed-addresses`, what held before, and what holds now.
    """

    rule: str
    limit: str
    measured: str

    @property
    def loosens(self) -> bool:
        """Is it about what judges the next push, not about how much changes?"""
        return self.rule not in LIMITS


def exceeded_limits(plan: Plan) -> tuple[Excess, ...]:
    """Every limit that the change exceeds; IPv4 and IPv6 are held to each by themselves, and so is each pair of views
    that some call meets.
    """
    if not has_limits(plan.old):
        return ()
    found = [*_calls_excess(plan), *(_measured(plan) if plan.is_met else ())]
    for one in plan.views:
        calls = one.text.replace(", ", "; ")  # several that are overridden are kept with a comma between
        of_pair = (*_measured(one.plan), *_loosenings(one.plan))
        found += (excess._replace(measured=f"{excess.measured} ({calls})") for excess in of_pair)
    found += _loosenings(plan)
    return tuple(found)


def _calls_excess(plan: Plan) -> Iterator[Excess]:
    """Of the calls that are remembered, if any are."""
    limit, calls = plan.old.rules.limits.get("changed-calls"), plan.calls
    if limit and calls and calls.number:
        yield from _excess("changed-calls", limit, calls.changed, calls.number, f"calls of {calls.span}")


def _measured(plan: Plan) -> Iterator[Excess]:
    limits, old, new = plan.old.rules.limits, plan.old.rules, plan.new.rules
    if limit := limits.get("changed-addresses"):
        before, changed, taken = _changed(plan)
        yield from _excess("changed-addresses", limit, changed.addresses, before.addresses, "IPv4 addresses")
        yield from _excess("changed-addresses", limit, changed.slash64s, before.slash64s, "IPv6 /64s")
        if (old.answer, old.rowless) != (new.answer, new.rowless) or plan.reforms_rowless:
            yield from _excess("changed-addresses", limit, 1, 1, "addresses without a row")
        else:
            yield from _excess_of_all(limit, taken.addresses, 32, "IPv4 addresses")
            yield from _excess_of_all(limit, taken.slash64s, 64, "IPv6 /64s")
    if limit := limits.get("removed-subnets"):
        yield from _excess("removed-subnets", limit, len(plan.removed), plan.old.size, "subnets")


def _excess(rule: str, limit: Percentage, number: int, whole: int, what: str) -> Iterator[Excess]:
    if limit.is_exceeded(number, whole):
        yield Excess(rule, limit.text, f"{measured_share(number, whole)} of {what}")


def _excess_of_all(limit: Percentage, number: int, bits: int, what: str) -> Iterator[Excess]:
    """So many of all 2^bits that no row covered before."""
    if number > 1 << bits - WIDE:
        yield from _excess("changed-addresses", limit, number, 1 << bits, f"all {what} (those without a row)")


def _loosenings(plan: Plan) -> Iterator[Excess]:
    return (_loosening(plan, change) for change in plan.loosened if change.key != APPROVAL_CHECK)


def _loosening(plan: Plan, change: RuleChange) -> Excess:
    """A change of what judges the next push, without names from outside."""
    before, after = change.before, change.after
    if below_view(change.key) == EXPECTATIONS_PATH:
        held = next(one for one in plan.old.maps if (one.name or "") == view_of(change.key))
        number, all_of_them = len(before or ()), len(held.expected)
        if after is not None:
            return Excess(
                change.key, count(number, "expectation"), "another answer" if number == 1 else "other answers"
            )
        return Excess(change.key, count(all_of_them, "expectation"), f"{all_of_them - number:,} of them")
    if isinstance(before, tuple):
        return Excess(change.key, count(len(before), "name"), "any name")
    return Excess(change.key, before or "none", str(after or "none"))


def _changed(plan: Plan) -> tuple[Total, Total, Total]:
    """What rows answered before, what of it gets another answer or none, and what of all else rows answer now."""
    by_rows = [(change.size, one) for change in plan.changes for one in change.ranges]
    size = total_of(by_rows)
    is_wide = size.addresses > 1 << 32 - WIDE or size.slash64s > 1 << 64 - WIDE
    if not (is_wide or plan.by_rules or any(change.before is not None for change in plan.changes)):
        return Total(), Total(), Total()
    before = [(size, part.range) for size, parts in plan.answered.items() for part in parts]
    changed = total_of(_answered(plan, [*by_rows, *plan.by_rules]))
    kept = total_of(_answered(plan, by_rows))
    taken = Total(0, size.addresses - kept.addresses, size.slash64s - kept.slash64s)
    return total_of(before), changed, taken


def _answered(plan: Plan, ranges: Iterable[tuple[int, Range]]) -> list[tuple[int, Range]]:
    """What of these ranges a row answered before."""
    return [(size, one) for size, whole in disjoint(ranges) for one in _within(whole, plan.answered[size])]


def _within(changed: Range, answered: Sequence[Part]) -> Iterator[Range]:
    """The part of a range that a row answered before: the rest got the default."""
    return (part.range for part in overlapping(changed, answered))
