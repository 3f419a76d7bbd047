"""A plan as a page tells it: in words, the first of its changes, and how many more there are."""

from __future__ import annotations

from .change_text import change_text
from .plan import Plan, total
from .plan_fields import Fields, answer_fields, total_fields
from .plan_text import rule_lines, total_line

SHOWN_CHANGES = 500
"""Changes of a plan that are told; the rest is counted."""


def plan_excerpt(plan: Plan) -> Fields:
    """What a change of configuration does."""
    return {
        "effect": plan.effect,
        "summary": total_line(plan),
        "rules": rule_lines(plan),
        "totals": {kind: total_fields(found) for kind, found in plan.totals().items()},
        "changes": [_change_fields(plan, number) for number in range(min(len(plan.changes), SHOWN_CHANGES))],
        "more": max(0, len(plan.changes) - SHOWN_CHANGES),
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
