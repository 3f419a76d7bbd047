"""A plan as Markdown, for a comment on a pull request: the total, rules, new warnings, the ranges that change.

Where they are many, the largest pairs of answers and the largest ranges are told, and the rest is counted: a forge
sends the whole of a comment to each reviewer.

What comes from outside stands between backticks, where a forge looks for neither markup nor HTML nor people to tell.
Where that does not hold it, because it has a backtick itself or what ends the cell of a table, it is written in
character references (CommonMark, "Entity and numeric character references").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..problems import NO_PROBLEMS, Problems
from .answer_pairs import in_order, pairs, rest
from .as_text import owner_lines, rule_lines, total_line
from .change_text import ChangeText, PairText, change_text, pair_text, rest_text
from .new_problems import old_line
from .plan import SHOWN, Plan

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
    rules = [f"- {code(line)}" for line in (*rule_lines(plan), *owner_lines(plan))]
    rules += [f"- {line}" for line in _warning_lines(warnings, old_warnings)]
    found = pairs(plan) if plan.is_large else []
    summed = [_pair_row(pair_text(pair)) for pair in found[:SHOWN]]
    changes = in_order(plan)[:SHOWN]
    places = plan.places(changes)
    ranges = [_range_row(change_text(change, places)) for change in changes]
    told = _fitting((*rules, *summed, *ranges))
    rules_left = len(rules) - len(told[: len(rules)])
    pairs_told, ranges_told = told[len(rules) :][: len(summed)], told[len(rules) + len(summed) :]
    others = found[len(pairs_told) :]
    left = rules_left + len(plan.changes) - len(ranges_told)
    blocks = [
        f"{MARKER}\n**{total_line(plan)}**",
        "\n".join(told[: len(rules)]),
        _table(_PAIRS, pairs_told),
        f"… and {rest_text(len(others), rest(others))}" if others else "",
        "The largest ranges:" if summed and ranges_told else "",
        _table(_RANGES, ranges_told),
        f"… and {left:,} more: {code(more)}" if left else "",
    ]
    return "\n\n".join(filter(None, blocks))


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
