"""Is a change larger than one push may make? The limits are those of the map before it, `[limits]` of its policy.toml.

What counts is what was answered by a row before: its addresses whose answer changes or goes, and the rows whose subnet
goes. What is added harms no caller who was answered. A rule that changes answers counts for every one that it changes,
a default that is changed or taken away, for all addresses that no row covers. Where there are limits, what loosens
them, or anything else that judges the next push, is over them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..config.files import EXPECTATIONS_PATH
from ..config.percentages import LIMITS, Percentage, measured_share
from ..net.ranges import Part, Range, disjoint, overlapping
from ..text import count
from .answer_changes import row_changes
from .plan import Plan, Total, total_of
from .rule_changes import APPROVAL_CHECK, RuleChange, has_limits


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
    """Every limit that the change exceeds; IPv4 and IPv6 are held to each by themselves."""
    if not has_limits(plan.old):
        return ()
    limits, size = plan.old.rules.limits, plan.old.size
    found: list[Excess] = []
    if limit := limits.get("changed-addresses"):
        before, changed = _changed(plan)
        found += _excess("changed-addresses", limit, changed.addresses, before.addresses, "IPv4 addresses")
        found += _excess("changed-addresses", limit, changed.slash64s, before.slash64s, "IPv6 /64s")
        if plan.old.rules.default not in (None, plan.new.rules.default):
            found += _excess("changed-addresses", limit, 1, 1, "addresses without a row")
    if limit := limits.get("removed-subnets"):
        rows = row_changes(plan.old, plan.new)
        found += _excess("removed-subnets", limit, len(rows.gone.keys() - rows.come.keys()), size, "subnets")
    found += (_loosening(plan, change) for change in plan.loosened if change.key != APPROVAL_CHECK)
    return tuple(found)


def _excess(rule: str, limit: Percentage, number: int, whole: int, what: str) -> Iterator[Excess]:
    if limit.is_exceeded(number, whole):
        yield Excess(rule, limit.text, f"{measured_share(number, whole)} of {what}")


def _loosening(plan: Plan, change: RuleChange) -> Excess:
    """A change of what judges the next push, without names from outside."""
    before, after = change.before, change.after
    if change.key == EXPECTATIONS_PATH:
        all_of_them = len(plan.old.expected)
        return Excess(change.key, count(all_of_them, "expectation"), f"{all_of_them - len(before or ()):,} of them")
    if isinstance(before, tuple):
        return Excess(change.key, count(len(before), "name"), "any name")
    return Excess(change.key, before or "none", str(after or "none"))


def _changed(plan: Plan) -> tuple[Total, Total]:
    """What rows answered before, and what of it gets another answer or none."""
    lost = [(change.size, one) for change in plan.changes if change.before is not None for one in change.ranges]
    if not lost and not plan.by_rules:
        return Total(), Total()
    answered = plan.answered
    before = [(size, part.range) for size, parts in answered.items() for part in parts]
    changed = [
        (size, one) for size, whole in disjoint([*lost, *plan.by_rules]) for one in _within(whole, answered[size])
    ]
    return total_of(before), total_of(changed)


def _within(changed: Range, answered: Sequence[Part]) -> Iterator[Range]:
    """The part of a range that a row answered before: the rest got the default."""
    return (part.range for part in overlapping(changed, answered))
