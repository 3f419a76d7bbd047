"""A plan in words: a line for each rule and each range that changes, then the total; many ranges are summed up first.

The lines stand behind git's `remote: ` when a push is judged. What comes from outside is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ..config.files import EXPECTATIONS_PATH, OWNERS_PATH, RULES_PATH, below_view
from ..text import count, escape, shorten
from .affected_owners import AffectedOwner
from .answer_changes import KINDS, Change, Kind
from .change_text import change_text, listed, name_text, pair_text, rest_text, size_text
from .plan import SHOWN, Plan, Total, total_of
from .rule_changes import RuleChange, RuleValue

if TYPE_CHECKING:
    from .view_plans import ViewPlan

NO_EFFECT = "no effect"
SHOWN_OWNERS = 10
"""Owners that are named; the rest is counted."""
SHOWN_ENTRIES = 20
"""Entries of the table of overflow locations whose change is told; the rest is counted."""
SHOWN_VIEWS = 20
"""Pairs of views whose calls are told; the rest is counted."""
SHOWN_KEY = 250
"""Characters of a key that a line repeats."""
WIDTHS = (40, 40, 20)
"""Characters up to which the columns but the last are in line; what is longer pushes its line out."""


def plan_lines(plan: Plan, more: str | None = None, most_rules: int | None = None) -> list[str]:
    """The plan in lines, the total last.

    Many ranges are summed up by pairs of answers before the largest are told. `more` is what to run to see the others,
    where not all are to be told; without it they are. Lines about rules over `most_rules` are counted.
    """
    told = _told(own_rule_lines(plan), more, most_rules)
    told += [plan.heading, *_indented(_range_lines(plan, more))] if plan.heading and plan.changes else []
    told += [] if plan.heading else _range_lines(plan, more)
    for view in plan.views[: None if more is None else SHOWN_VIEWS]:
        lines = [*_told(own_rule_lines(view.plan), more, most_rules), *_range_lines(view.plan, more)]
        told += [view.text, *_indented(lines)]
    told += _other_views(plan, f": {more}") if more else []
    return [*told, total_line(plan), *_calls_lines(plan), *owner_lines(plan)]


def _calls_lines(plan: Plan) -> list[str]:
    if plan.calls is None:
        return []
    from .affected_calls import calls_lines  # most repositories have no calls beside them

    return calls_lines(plan.calls)


def _told(lines: Sequence[str], more: str | None, most: int | None) -> list[str]:
    """The first lines, and how many there are more."""
    told = [*lines[:most]]
    if len(told) < len(lines):
        told.append(f"… and {len(lines) - len(told):,} more{f': {more}' if more else ''}")
    return told


def rule_lines(plan: Plan) -> list[str]:
    """What is loosened, the changes of who is asked, and of policy.toml; first of what judges pushes. Then how much
    changes for the calls of each view, and by which rules.
    """
    views = (line for view in plan.views[:SHOWN_VIEWS] for line in _view_rule_lines(view))
    return [*own_rule_lines(plan), *views, *_other_views(plan)]


def _view_rule_lines(view: ViewPlan) -> Iterator[str]:
    yield f"{view.text}: {total_line(view.plan)}"
    for line in own_rule_lines(view.plan)[:SHOWN_ENTRIES]:
        yield f"{view.text}: {line}"


def _other_views(plan: Plan, more: str = "") -> list[str]:
    """How many pairs of views are not told."""
    left = len(plan.views) - SHOWN_VIEWS
    return [f"… and {count(left, 'more pair')} of views{more}"] if left > 0 else []


def own_rule_lines(plan: Plan) -> list[str]:
    """The same but for what changes for the calls of views."""
    rules = [_rule_line(change) for change in plan.rules if change not in plan.loosened]
    table = [_rule_line(change) for change in plan.table[:SHOWN_ENTRIES]]
    more = len(plan.table) - len(table)
    table += [f"… and {count(more, 'more entry')} of [overflow] in {RULES_PATH}"] * (more > 0)
    return [*judging_lines(plan), *rules, *table]


def judging_lines(plan: Plan) -> list[str]:
    """The first of these: how the next pushes are judged, and who is asked about them."""
    loosened = [f"{_rule_line(change)}  (loosens what judges the next pushes)" for change in plan.loosened]
    judging = [change for change in plan.judging if change not in plan.loosened]
    lines = [f"{_rule_line(change)}  (judges the next pushes)" for change in judging]
    return [*loosened, *map(_owner_line, plan.owners), *lines]


def owner_lines(plan: Plan) -> list[str]:
    """Whose address space the plan touches."""
    lines = [f"address space of {touched_text(one)}" for one in plan.touched[:SHOWN_OWNERS]]
    more = len(plan.touched) - SHOWN_OWNERS
    return lines + [f"… and of {count(more, 'owner')} more"] * (more > 0)


def touched_text(one: AffectedOwner) -> str:
    """An owner, and how much of theirs is touched."""
    return f"{name_text(one.owner)}: {'by policy.toml' if one.is_all else size_text(total_of(one.ranges))}"


def total_line(plan: Plan) -> str:
    """What changes in all, by kind."""
    if not plan.effect:
        return NO_EFFECT
    plans = [plan, *(view.plan for view in plan.views)]
    rules, changes = (sum(map(len, found)) for found in zip(*((one.rules, one.changes) for one in plans), strict=True))
    numbers = ((rules, "rule"), (changes, "range"))
    what = " and ".join(count(number, noun) for number, noun in numbers if number)
    changed_by_rules = _sum(total_of(one.by_rules) for one in plans)
    by_rules = [f"{size_text(changed_by_rules)} by {RULES_PATH}"] if any(one.by_rules for one in plans) else []
    kinds = [f"{size.ranges:,} {kind} ({size_text(size)})" for kind, size in all_totals(plan).items() if size.ranges]
    return f"{what} changed{': ' * bool(by_rules or kinds)}{', '.join([*by_rules, *kinds])}"


def all_totals(plan: Plan) -> dict[Kind, Total]:
    """How much changes, by kind, for all calls."""
    plans = [plan, *(view.plan for view in plan.views)]
    return {kind: _sum(one.totals()[kind] for one in plans) for kind in KINDS}


def _sum(sizes: Iterable[Total]) -> Total:
    """Several changes as one number: what changes for the calls of several views counts for each."""
    return Total(*map(sum, zip(*sizes, strict=True)))


def _range_lines(plan: Plan, more: str | None) -> Iterator[str]:
    return _large_lines(plan, more) if plan.is_large else _change_lines(plan, plan.changes)


def _large_lines(plan: Plan, more: str | None) -> Iterator[str]:
    """The pairs of answers and the ranges, the largest of each first, and how many are not told."""
    from .answer_pairs import in_order, pairs, rest  # most plans need none, and a push waits for each module

    most = None if more is None else SHOWN
    found, changes = pairs(plan), in_order(plan)
    yield f"{count(len(found), 'pair')} of answers{', the largest first' * (len(found) > 1)}:"
    yield from _indented(_columns([pair_text(pair) for pair in found[:most]]))
    if others := found[SHOWN:] if more else []:
        yield f"  … and {rest_text(len(others), rest(others))}"
    yield f"{count(len(changes), 'range')}, the largest first:"
    yield from _indented(_change_lines(plan, changes[:most]))
    if more:
        yield f"  … and {len(changes) - SHOWN:,} more: {more}"


def _change_lines(plan: Plan, changes: Sequence[Change]) -> Iterator[str]:
    places = plan.places(changes)
    return _columns([change_text(change, places, plan.calls) for change in changes])


def _columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """The cells of rows, each below the one above it."""
    longest = [max(map(len, column)) for column in zip(*rows, strict=True)] or WIDTHS
    widths = [*map(min, longest[:-1], WIDTHS), 0]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _owner_line(change: RuleChange) -> str:
    before, after = map(_value, (change.before, change.after))
    return f"{OWNERS_PATH}: {change.key}  {before} -> {after}  (is asked from the next push on)"


def _rule_line(change: RuleChange) -> str:
    if below_view(change.key) == EXPECTATIONS_PATH and isinstance(change.before, tuple):
        return f"{change.key}: {_expectations(change.before, change.after)}"
    head = f"{RULES_PATH}: {escape(shorten(change.key, SHOWN_KEY))}  "
    if change.key == "locations.known" and change.before and change.after:
        return head + _known(set(change.before), set(change.after))
    return f"{head}{_value(change.before)} -> {_value(change.after)}"


def _expectations(before: tuple[str, ...], after: RuleValue) -> str:
    """Those that go; or what each that is changed expected and expects, under the name of its subnet."""
    if not isinstance(after, tuple):
        return f"drops {_names(before)}"
    texts = (f"{name_text(old)} -> {name_text(new.partition(' ')[2])}" for old, new in zip(before, after, strict=True))
    return f"changes {listed(texts, len(before))}"


def _known(before: set[str], after: set[str]) -> str:
    parts = (("adds", after - before), ("drops", before - after))
    return "; ".join(f"{verb} {_names(sorted(names))}" for verb, names in parts if names)


def _value(value: RuleValue) -> str:
    if isinstance(value, tuple):
        return _names(value) if value else "any name"
    return "none" if value is None else name_text(value)


def _names(names: Sequence[str]) -> str:
    return listed(map(name_text, names), len(names))
