"""A plan for programs: what `diff --format json` prints.

The subnets of all ranges are disjoint. Counts of IPv6 networks are text: they go beyond what JavaScript can count.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..net.addresses import Network
from ..net.ranges import Names, count_slash64s
from ..text import fitting
from .affected_owners import AffectedOwner
from .answer_changes import Change
from .as_text import rule_lines, total_line
from .change_text import change_text
from .plan import Plan, Source, Total, total, total_of
from .rule_changes import RuleChange

Fields = dict[str, object]


def plan_fields(plan: Plan) -> Fields:
    """The whole plan; `owners` and `judging` say how the next push is judged, and change no answer.

    `loosened` is what of all this holds it to less, with expectations that go. `by_rules` counts what was answered
    and rules answer otherwise now.
    """
    return {
        "loosened": [_rule_fields(change) for change in plan.loosened],
        "effect": plan.effect,
        "owners": [_rule_fields(change) for change in plan.owners],
        "judging": [_rule_fields(change) for change in plan.judging],
        "rules": [_rule_fields(change) for change in plan.rules],
        "by_rules": _counted(total_of(plan.by_rules)),
        "ranges": [_range_fields(change, plan.places) for change in plan.changes],
        "totals": {kind: total_fields(size) for kind, size in plan.totals().items()},
        "touched": [_touched_fields(one) for one in plan.touched],
    }


def total_fields(size: Total) -> Fields:
    """How much changes."""
    return {"ranges": size.ranges, **_counted(size)}


def _counted(size: Total) -> Fields:
    return {"addresses": size.addresses, "slash64s": str(size.slash64s)}


def answer_fields(names: Names | None) -> Fields | None:
    """A location and its overflow locations."""
    return None if names is None else {"location": names[0], "overflow": list(names[1:])}


def _rule_fields(change: RuleChange) -> Fields:
    return {"key": change.key, "from": change.before, "to": change.after}


def _touched_fields(one: AffectedOwner) -> Fields:
    """An owner of before; with `everything` a change of rules touches all of their address space."""
    return {"owner": one.owner, "everything": one.is_all, **_counted(total_of(one.ranges))}


def _range_fields(change: Change, places: Mapping[Network, Source]) -> Fields:
    return {
        "subnets": [str(subnet) for subnet in change.subnets()],
        "kind": change.kind,
        "from": answer_fields(change.before),
        "to": answer_fields(change.after),
        **_size_fields(change),
        "sources": [f"{place.path}:{place.line}" for place in map(places.__getitem__, change.rows)],
    }


def _size_fields(change: Change) -> Fields:
    if change.size == 4:
        return {"addresses": sum(part.size for part in change.ranges)}
    return {"slash64s": str(count_slash64s(change.ranges))}


SHOWN_CHANGES = 500
"""Changes of a plan that are told; the rest is counted."""
SHOWN_RULES = 200
"""Lines about rules that are told; the rest is counted."""


def plan_excerpt(plan: Plan) -> Fields:
    """What a change of configuration does."""
    lines = rule_lines(plan)
    rules = fitting(lines, SHOWN_RULES)
    shown = fitting((_change_fields(plan, number) for number in range(len(plan.changes))), SHOWN_CHANGES)
    return {
        "effect": plan.effect,
        "summary": total_line(plan),
        "rules": rules,
        "more_rules": len(lines) - len(rules),
        "totals": {kind: total_fields(found) for kind, found in plan.totals().items()},
        "changes": shown,
        "more": len(plan.changes) - len(shown),
    }


def _change_fields(plan: Plan, number: int) -> Fields:
    change = plan.changes[number]
    words = change_text(change, plan.places)
    return {
        "kind": change.kind,
        "subnets": words.subnets,
        "before": answer_fields(change.before),
        "after": answer_fields(change.after),
        "size": words.size,
        **total_fields(total([change])),
        "source": words.sources[1:-1],
    }
