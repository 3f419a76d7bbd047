"""A plan in words: a line for each rule and each range that changes, then the total.

The lines stand behind git's `remote: ` when a push is judged. What comes from outside is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..config.files import EXPECTATIONS_PATH, OWNERS_PATH, RULES_PATH
from ..text import count, escape, shorten
from .affected_owners import AffectedOwner
from .change_text import change_text, listed, name_text, size_text
from .plan import Plan, total_of
from .rule_changes import RuleChange, RuleValue

NO_EFFECT = "no effect"
SHOWN_OWNERS = 10
"""Owners that are named; the rest is counted."""
SHOWN_KEY = 250
"""Characters of a key that a line repeats."""
WIDTHS = (40, 40, 20, 0)
"""Characters up to which the columns are in line; what is longer pushes its line out."""


def plan_lines(plan: Plan, limit: int | None = None, more: str = "location-policy diff OLD NEW") -> list[str]:
    """The plan in lines, the total last; those over the limit are counted, with what to run (`more`) to see them."""
    rules = rule_lines(plan)
    lines = len(rules) + len(plan.changes)
    shown = lines if limit is None else min(lines, limit)
    told = [*rules[:shown], *_change_lines(plan, max(0, shown - len(rules)))]
    if shown < lines:
        told.append(f"… and {lines - shown:,} more: {more}")
    return [*told, total_line(plan), *owner_lines(plan)]


def rule_lines(plan: Plan) -> list[str]:
    """What is loosened, the changes of who is asked, and of policy.toml; first of what judges pushes."""
    loosened = [f"{_rule_line(change)}  (loosens what judges the next pushes)" for change in plan.loosened]
    owners = [_owner_line(change) for change in plan.owners]
    judging, rules = ([one for one in changes if one not in plan.loosened] for changes in (plan.judging, plan.rules))
    judging_lines = [f"{_rule_line(change)}  (judges the next pushes)" for change in judging]
    return [*loosened, *owners, *judging_lines, *map(_rule_line, rules)]


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
    numbers = ((len(plan.rules), "rule"), (len(plan.changes), "range"))
    what = " and ".join(count(number, noun) for number, noun in numbers if number)
    by_rules = [f"{size_text(total_of(plan.by_rules))} by {RULES_PATH}"] if plan.by_rules else []
    kinds = [f"{size.ranges:,} {kind} ({size_text(size)})" for kind, size in plan.totals().items() if size.ranges]
    verb = "changes" if len(plan.rules) + len(plan.changes) == 1 else "change"
    return f"{what} {verb}{': ' * bool(by_rules or kinds)}{', '.join([*by_rules, *kinds])}"


def _change_lines(plan: Plan, number: int) -> Iterator[str]:
    rows = [change_text(change, plan.places) for change in plan.changes[:number]]
    longest = [max(map(len, column)) for column in zip(*rows, strict=True)] or WIDTHS
    widths = [min(pair) for pair in zip(longest, WIDTHS, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))


def _owner_line(change: RuleChange) -> str:
    before, after = map(_value, (change.before, change.after))
    return f"{OWNERS_PATH}: {change.key}  {before} -> {after}  (is asked from the next push on)"


def _rule_line(change: RuleChange) -> str:
    if change.key == EXPECTATIONS_PATH and isinstance(change.before, tuple):
        return f"{EXPECTATIONS_PATH}: drops {_names(change.before)}"
    head = f"{RULES_PATH}: {escape(shorten(change.key, SHOWN_KEY))}  "
    if change.key == "locations.known" and change.before and change.after:
        return head + _known(set(change.before), set(change.after))
    return f"{head}{_value(change.before)} -> {_value(change.after)}"


def _known(before: set[str], after: set[str]) -> str:
    parts = (("adds", after - before), ("drops", before - after))
    return "; ".join(f"{verb} {_names(sorted(names))}" for verb, names in parts if names)


def _value(value: RuleValue) -> str:
    if isinstance(value, tuple):
        return _names(value) if value else "any name"
    return "none" if value is None else name_text(value)


def _names(names: Sequence[str]) -> str:
    return listed(map(name_text, names), len(names))
