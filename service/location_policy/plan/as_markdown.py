"""A plan as Markdown, for a comment on a pull request: the total, rules, new warnings, the ranges that change.

Where they are many, the largest pairs of answers and the largest ranges are told, and the rest is counted: a forge
sends the whole of a comment to each reviewer.

What comes from outside stands between backticks, where a forge looks for neither markup nor HTML nor people to tell.
Where that does not hold it, because it has a backtick itself or what ends the cell of a table, it is written in
character references (CommonMark, "Entity and numeric character references").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from ..problems import NO_PROBLEMS, Problems
from .affected_calls import calls_lines
from .answer_pairs import in_order, pairs, rest
from .as_text import SHOWN_VIEWS, owner_lines, rule_lines, total_line
from .change_text import ChangeText, PairText, change_text, pair_text, rest_text
from .new_problems import old_line
from .plan import SHOWN, Plan

if TYPE_CHECKING:
    from .view_plans import ViewPlan

MARKER = "<!-- location-policy diff -->"
"""The first line, which is not shown: by it a later comment finds the one that it replaces."""
SHOWN_WARNINGS = 10
"""Warnings that are told; the rest is counted."""
SIZE_LIMIT = 60_000
"""Bytes in all: GitHub takes comments of 65,536 characters, and a site may want to add a word."""

_RANGES = ("| addresses | answer | how many | row |", "|---|---|--:|---|")
_PAIRS = ("| answer | ranges | how many | of the map |", "|---|--:|--:|--:|")
_WORDS = 1_000
"""Bytes that are kept free for what is neither a rule, nor a pair, nor a range."""


def plan_markdown(
    plan: Plan,
    more: str = "location-policy diff OLD NEW --all",
    warnings: Problems = NO_PROBLEMS,
    old_warnings: Problems = NO_PROBLEMS,
) -> str:
    """The plan, never longer than a comment may be; `more` is what to run to see what is left out.

    The first of the `warnings`, which the change brings, are told, and how many `old_warnings` were there before.
    """
    calls = calls_lines(plan.calls)
    rules = [f"- {code(line)}" for line in (*calls, *rule_lines(plan), *owner_lines(plan))]
    rules += [f"- {line}" for line in _warning_lines(warnings, old_warnings)]
    found = pairs(plan) if plan.is_large else []
    summed = [_pair_row(pair_text(pair)) for pair in found[:SHOWN]]
    changes = in_order(plan)[:SHOWN]
    places = plan.places(changes)
    ranges = [_range_row(change_text(change, places, plan.calls)) for change in changes]
    views = [_view_rows(view) for view in plan.views[:SHOWN_VIEWS]]
    told = _fitting((*rules, *summed, *ranges, *chain(*views)))
    rules_left = len(rules) - len(told[: len(rules)])
    pairs_told, ranges_told = told[len(rules) :][: len(summed)], told[len(rules) + len(summed) :][: len(ranges)]
    views_told = [*_parts(told[len(rules) + len(summed) + len(ranges) :], map(len, views))]
    others = found[len(pairs_told) :]
    changes_left = sum(len(one.changes) for one in (plan, *(view.plan for view in plan.views)))
    changes_left -= len(ranges_told) + sum(max(0, len(rows) - 1) for rows in views_told)
    left = rules_left + changes_left
    blocks = [
        f"{MARKER}\n**{total_line(plan)}**",
        "\n".join(told[: len(rules)]),
        f"{code(plan.heading)}:" if plan.heading and (pairs_told or ranges_told) else "",
        _table(_PAIRS, pairs_told),
        f"… and {rest_text(len(others), rest(others))}" if others else "",
        "The largest ranges:" if summed and ranges_told else "",
        _table(_RANGES, ranges_told),
        *(text for rows in views_told if rows[1:] for text in (rows[0], _table(_RANGES, rows[1:]))),
        f"… and {left:,} more: {code(more)}" if left else "",
    ]
    return "\n\n".join(filter(None, blocks))


def _view_rows(view: ViewPlan) -> list[str]:
    """The calls of a view in words, then the first ranges that change for them."""
    changes = in_order(view.plan)[:SHOWN]
    places = view.plan.places(changes)
    return [f"{code(view.text)}:", *(_range_row(change_text(change, places, view.plan.calls)) for change in changes)]


def _parts(lines: Sequence[str], sizes: Iterable[int]) -> Iterator[Sequence[str]]:
    """The lines in parts of these sizes, as far as they go."""
    start = 0
    for size in sizes:
        yield lines[start : start + size]
        start += size


def _warning_lines(warnings: Problems, old: Problems) -> Iterator[str]:
    yield from (code(str(one).partition("\n")[0]) for one in warnings[:SHOWN_WARNINGS])
    if warnings.total > SHOWN_WARNINGS:
        yield f"… and {warnings.total - SHOWN_WARNINGS:,} more: `location-policy check`"
    yield from old_line(old)


def code(text: str) -> str:
    """Any text of one line as it is, in the cell of a table too."""
    if text and not any(character in "`|\\" for character in text):
        return f"`{text}`"
    return f"<code>{''.join(_reference(character) for character in text)}</code>"


def _reference(character: str) -> str:
    return character if character.isalnum() or not character.isascii() else f"&#{ord(character)};"


def _fitting(lines: Iterable[str]) -> list[str]:
    """As many of the lines as there is room for, from the first on."""
    left, told = SIZE_LIMIT - _WORDS, []
    for line in lines:
        left -= len(line.encode()) + 1
        if left < 0:
            break
        told.append(line)
    return told


def _range_row(cells: ChangeText) -> str:
    rows = cells.sources.removeprefix("(").removesuffix(")")
    return f"| {code(cells.subnets)} | {code(cells.answers)} | {cells.size} | {code(rows)} |"


def _pair_row(cells: PairText) -> str:
    return f"| {code(cells.answers)} | {cells.ranges} | {cells.size} | {cells.share} |"


def _table(head: tuple[str, str], rows: Sequence[str]) -> str:
    return "\n".join((*head, *rows)) if rows else ""
