"""What changes for calls that views take: the two maps of each pair of views, before and after, that some call meets.

The conditions of views are closed, so the pairs are few and found exactly (`config/views/calls`). The maps of a pair
are held against each other as two maps without views are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from ..config.location_map import LocationMap
from ..config.views.calls import Calls, Pair, pairs
from ..config.views.view import folded
from ..text import any_of
from .plan import Plan, compare
from .rule_changes import RuleChange, dropped_by_pair

_COMMON = ("answer.overflow", "locations.known")
"""Rules that are the same in all views, and are told once."""


class ViewPlan(NamedTuple):
    """What changes for the calls that one map takes before and another after.

    `before` and `after` are the names of views; None: the map at the top.
    """

    before: str | None
    after: str | None
    calls: Calls
    plan: Plan

    @property
    def text(self) -> str:
        """The calls and the two maps in words."""
        maps = _map_text(self.before)
        return (
            f"{calls_text(self.calls)}: {maps if self.before == self.after else f'{maps} -> {_map_text(self.after)}'}"
        )


def with_views(plan: Plan) -> Plan:
    """The plan of two configurations, of which the maps at the top are compared, with what changes in all views."""
    met = pairs(plan.old.rules.views, plan.new.rules.views)
    dropped = dropped_by_pair(plan.old, plan.new)
    top = met.pop((None, None), None)
    found = tuple(_view_plans(plan, met, dropped))
    common = tuple(change for change in plan.rules if change.key in _COMMON)
    if top is None:
        return replace(plan, rules=common, changes=(), removed=frozenset(), views=found, is_met=False)
    here = _of_calls(plan, top)
    return replace(
        here,
        rules=(*here.rules, *common),
        loosened=(*plan.loosened, *dropped.get((None, None), ())),
        views=found,
        heading=f"{calls_text(top)}: {_map_text(None)}",
    )


def _view_plans(
    plan: Plan, met: Mapping[Pair, Calls], dropped: Mapping[Pair, tuple[RuleChange, ...]]
) -> Iterator[ViewPlan]:
    """The pairs of which the maps differ, or of which the second has not the expectations of the first."""
    old, new = ({one.name: one for one in side.maps} for side in (plan.old, plan.new))
    for (before, after), calls in met.items():
        found = _of_calls(compare(_alone(old[before]), _alone(new[after])), calls)
        if _is_answered(found):
            found = replace(found, loosened=dropped.get((before, after), ()))
        if found.rules or found.changes or found.removed or found.by_rules or found.loosened:
            yield ViewPlan(before, after, calls, found)


def _is_answered(plan: Plan) -> bool:
    """Did the map before look for an answer to any of these calls? Else it promised them nothing."""
    rules = plan.old.rules
    return rules.answer is not None or plan.protocols is None or not plan.protocols.isdisjoint(rules.match)


def _alone(location_map: LocationMap) -> LocationMap:
    return replace(location_map, views=())


def _of_calls(plan: Plan, calls: Calls) -> Plan:
    """The same for calls that have these values: rules for other protocols do not count."""
    values = calls.values.get("protocol")
    protocols = None if values is None else frozenset(map(folded, values))
    return replace(plan, protocols=protocols, rules=tuple(_rules(plan, protocols)))


def _rules(plan: Plan, protocols: frozenset[str] | None) -> Iterator[RuleChange]:
    for change in plan.rules:
        table, _, protocol = change.key.partition(".")
        is_asked = protocols is None or protocol in protocols
        if change.key not in _COMMON and (table != "match" or (is_asked and not plan.new.rules.answer)):
            yield change


def calls_text(calls: Calls) -> str:
    """Calls in words: `dial_out rtmp calls asked for by DMZ`."""
    if not calls.values:
        return "all other calls" if calls.is_rest else "all calls"
    told = {parameter: any_of(values) for parameter, values in calls.values.items()}
    kinds = [told[key] for key in ("call_direction", "protocol") if key in told]
    words = [*kinds, "calls"]
    if "location" in told:
        words.append(f"asked for by {told['location']}")
    if "proxy_node_location" in told:
        words.append(f"through {told['proxy_node_location']}")
    return " ".join(words)


def _map_text(view: str | None) -> str:
    return "the map" if view is None else f"view {view}"
