"""A plan for programs: what `diff --format json` prints.

The subnets of all ranges are disjoint. Counts of IPv6 networks are text: they go beyond what JavaScript can count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from ..net.addresses import Address, Network, format_address
from ..net.ranges import Names, Range, count_slash64s
from ..text import ROOM, fitting
from .affected_calls import AffectedCalls, Calls, calls_lines, calls_text
from .affected_owners import AffectedOwner
from .answer_changes import Change
from .answer_pairs import Pair, in_order, pairs, rest
from .as_text import SHOWN_VIEWS, judging_lines, own_rule_lines, total_line
from .change_text import change_text, rest_text, share_text, size_text
from .plan import SHOWN, Plan, Source, Total, total, total_of
from .rule_changes import RuleChange
from .strip import strips

if TYPE_CHECKING:
    from .view_plans import ViewPlan

Fields = dict[str, object]


def plan_fields(plan: Plan) -> Fields:
    """The whole plan; `owners` and `judging` say how the next push is judged, and change no answer.

    `loosened` is what of all this holds it to less, with expectations that go. `by_rules` counts what was answered
    and rules answer otherwise now. `pairs` sum up the ranges, the largest first; `share` is of what rows of either map
    answer, from 0 to 1. With views it is about the calls that the map at the top takes before and after, but for
    `effect` and `touched`; `views` have all others, as far as something changes for them. `overflow` is there where the
    table of overflow locations differs; the answers that it changes are among the others.
    """
    return {
        "loosened": [_rule_fields(change) for change in plan.loosened],
        "effect": plan.effect,
        "owners": [_rule_fields(change) for change in plan.owners],
        "judging": [_rule_fields(change) for change in plan.judging],
        **({"overflow": [_rule_fields(change) for change in plan.table]} if plan.table else {}),
        **_answer_fields(plan),
        "touched": [_touched_fields(one) for one in plan.touched],
        "views": [_view_fields(view) for view in plan.views],
        **({"calls": calls_fields(plan.calls)} if plan.calls else {}),
    }


def _answer_fields(plan: Plan) -> Fields:
    """What the calls of a plan get otherwise."""
    places = plan.places(plan.changes)
    is_told = plan.calls is not None
    return {
        "rules": [_rule_fields(change) for change in plan.rules],
        "by_rules": _counted(total_of(plan.by_rules)),
        "pairs": [{**_pair_fields(one), **_calls_of(one.calls, is_told)} for one in pairs(plan)],
        "ranges": [{**_range_fields(one, places), **_range_calls(plan.calls, one)} for one in plan.changes],
        "totals": {kind: total_fields(size) for kind, size in plan.totals().items()},
    }


def _view_fields(view: ViewPlan) -> Fields:
    """The calls of a view: the names of the views before and after, null for the map at the top; of each parameter the
    values that these calls have, where views name all of them; and what they get otherwise. `loosened` are expectations
    that hold for other calls of the view before, and for these no more.
    """
    calls = {parameter: list(values) for parameter, values in view.calls.values.items()}
    maps = {"before": view.before, "after": view.after}
    loosened = [_rule_fields(change) for change in view.plan.loosened]
    told = {"text": view.text, **maps, "calls": calls, "loosened": loosened, "effect": view.plan.effect}
    return {**told, **_answer_fields(view.plan)}


def total_fields(size: Total) -> Fields:
    """How much changes."""
    return {"ranges": size.ranges, **_counted(size)}


def _counted(size: Total) -> Fields:
    return {"addresses": size.addresses, "slash64s": str(size.slash64s)}


def calls_fields(calls: AffectedCalls) -> Fields:
    """How many calls since a day get another answer, and how many had one and lose it."""
    numbers = {"remembered": calls.number, "changed": calls.changed, "lost": calls.lost, "unsure": calls.unsure}
    return {"since": calls.since.isoformat(), "days": calls.days, **numbers}


def _calls_of(found: Calls, is_told: bool = True) -> Fields:
    last = date.fromordinal(found.last).isoformat() if found.number else None
    return {"calls": {"number": found.number, "last": last}} if is_told else {}


def _range_calls(calls: AffectedCalls | None, change: Change) -> Fields:
    return _calls_of(calls.of([change])) if calls else {}


def answer_fields(names: Names | None) -> Fields | None:
    """A location and its overflow locations."""
    return None if names is None else {"location": names[0], "overflow": list(names[1:])}


def _rule_fields(change: RuleChange) -> Fields:
    return {"key": change.key, "from": change.before, "to": change.after}


def _touched_fields(one: AffectedOwner) -> Fields:
    """An owner of before; with `everything` a change of rules touches all of their address space."""
    return {"owner": one.owner, "everything": one.is_all, **_counted(total_of(one.ranges))}


def _pair_fields(pair: Pair) -> Fields:
    return {
        "kind": pair.kind,
        "from": answer_fields(pair.before),
        "to": answer_fields(pair.after),
        **total_fields(pair.size),
        "share": {
            "addresses": round(pair.size.addresses / (pair.whole.addresses or 1), 6),
            "slash64s": round(pair.size.slash64s / (pair.whole.slash64s or 1), 6),
        },
    }


def _range_fields(change: Change, places: Mapping[Network, Source]) -> Fields:
    return {
        "subnets": [str(subnet) for subnet in change.subnets()],
        "kind": change.kind,
        "from": answer_fields(change.before),
        "to": answer_fields(change.after),
        **_size_fields(change),
        "sources": [f"{path}:{line}" for path, line, _ in map(places.__getitem__, change.rows)],
    }


def _size_fields(change: Change) -> Fields:
    if change.size == 4:
        return {"addresses": sum(last - first + 1 for first, last in change.ranges)}
    return {"slash64s": str(count_slash64s(change.ranges))}


SHOWN_CHANGES = 500
"""Changes of a plan that are told; the rest is counted."""
SHOWN_PAIRS = 100
"""Pairs of answers that are told; the rest is counted."""
FAMILIES = {4: "IPv4", 16: "IPv6"}
SHOWN_RULES = 200
"""Lines about rules that are told; the rest is counted."""


class Wanted(NamedTuple):
    """Which changes are listed: of a kind, that leave or reach a location, in a network; some of them, from a place."""

    kind: str | None = None
    location: str | None = None
    within: Network | None = None
    start: int = 0
    number: int = SHOWN_CHANGES

    def takes(self, change: Change) -> bool:
        """Is this one meant?"""
        if self.kind and change.kind != self.kind:
            return False
        if self.location and self.location not in {side[0] for side in (change.before, change.after) if side}:
            return False
        if self.within is None:
            return True
        first, last = Range.of(self.within)
        return change.size == len(self.within) - 1 and any(
            part.first <= last and first <= part.last for part in change.ranges
        )


def plan_excerpt(plan: Plan, wanted: Wanted | None = None) -> Fields:
    """What a change of configuration does: summed up by pairs of answers, what is removed first, then the largest; and
    the changes that are wanted, the largest first where they are many.
    """
    wanted = wanted or Wanted()
    views = plan.views[:SHOWN_VIEWS]
    return {
        "strips": [
            {"family": FAMILIES[size], "segments": [one._asdict() for one in segments]}
            for size, segments in strips(plan).items()
        ],
        "effect": plan.effect,
        "calls": {**calls_fields(plan.calls), "lines": calls_lines(plan.calls)} if plan.calls else None,
        "heading": plan.heading or None,
        **_excerpt(plan, wanted, ROOM),
        "views": [_view_excerpt(plan, view, wanted, ROOM // len(views)) for view in views],
        "more_views": len(plan.views) - len(views),
    }


def _view_excerpt(plan: Plan, view: ViewPlan, wanted: Wanted, room: int) -> Fields:
    """What changes for the calls of a view; `call` is one that the view takes afterwards, where one does."""
    from ..config.views.calls import example_call  # most configurations have none

    wanted = wanted._replace(start=0, number=min(wanted.number, SHOWN))
    call = example_call(plan.new.rules.views, view.after) if view.after else {}
    maps = {"text": view.text, "before": view.before, "after": view.after, "call": call}
    return {**maps, **_excerpt(view.plan, wanted, room // 2)}


def _excerpt(plan: Plan, wanted: Wanted, room: int) -> Fields:
    lines = own_rule_lines(plan)
    rules = fitting(lines, SHOWN_RULES, room)
    listed = [change for change in in_order(plan) if wanted.takes(change)]
    changes = listed[wanted.start : wanted.start + wanted.number]
    places = plan.places(changes)
    shown = fitting((_change_fields(change, places, plan.calls) for change in changes), room=room)
    found = sorted(pairs(plan), key=lambda pair: pair.kind != "removed")
    told = fitting(map(_told_pair, found), SHOWN_PAIRS, room)
    everything = Total(*map(sum, zip(Total(), *plan.totals().values(), strict=True)))
    return {
        "share": share_text(everything, plan.whole),
        "found": len(listed),
        "summary": total_line(plan),
        "rules": rules,
        "judging_rules": min(len(judging_lines(plan)), len(rules)),
        "more_rules": len(lines) - len(rules),
        "totals": {kind: total_fields(size) for kind, size in plan.totals().items()},
        "pairs": told,
        "more_pairs": _other_pairs(found[len(told) :]),
        "changes": shown,
        "more": len(listed) - wanted.start - len(shown),
    }


def _told_pair(pair: Pair) -> Fields:
    return {
        "kind": pair.kind,
        "before": answer_fields(pair.before),
        "after": answer_fields(pair.after),
        "size": size_text(pair.size) + calls_text(pair.calls),
        "share": share_text(pair.size, pair.whole),
        **total_fields(pair.size),
    }


def _other_pairs(others: Sequence[Pair]) -> Fields | None:
    return (
        {"number": len(others), "text": rest_text(len(others), rest(others)), **total_fields(rest(others))}
        if others
        else None
    )


def _change_fields(change: Change, places: Mapping[Network, Source], calls: AffectedCalls | None) -> Fields:
    words = change_text(change, places, calls)
    return {
        "kind": change.kind,
        "subnets": words.subnets,
        "before": answer_fields(change.before),
        "after": answer_fields(change.after),
        "size": words.size,
        **total_fields(total([change])),
        "source": words.sources[1:-1],
        "address": format_address(Address(change.ranges[0].first.to_bytes(change.size))),
        "places": [
            {"path": path, "line": line, "is_gone": is_gone}
            for path, line, is_gone in (places[row] for row in change.rows[:1])
        ],
    }
