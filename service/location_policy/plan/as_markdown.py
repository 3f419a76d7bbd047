"""A plan as Markdown, for a comment on a pull request: the total, new warnings, the first changes, the rest folded.

What comes from outside stands between backticks, where a forge looks for neither markup nor HTML nor people to tell.
Where that does not hold it, because it has a backtick itself or what ends the cell of a table, it is written in
character references (CommonMark, "Entity and numeric character references").
"""

from __future__ import annotations

from collections.abc import Iterator

from ..problems import NO_PROBLEMS, Problems
from .as_text import owner_lines, rule_lines, total_line
from .change_text import ChangeText, change_text
from .new_problems import old_line
from .plan import Plan

MARKER = "<!-- location-policy diff -->"
"""The first line, which is not shown: by it a later comment finds the one that it replaces."""
SHOWN = 20
"""Changes that are seen without unfolding."""
SHOWN_WARNINGS = 10
"""Warnings that are told; the rest is counted."""
SIZE_LIMIT = 60_000
"""Bytes in all: GitHub takes comments of 65,536 characters, and a site may want to add a word."""

_HEAD = ("| addresses | answer | how many | row |", "|---|---|--:|---|")
_WORDS = 1_000
"""Bytes that are kept free for what is neither a rule nor a change."""


def plan_markdown(
    plan: Plan,
    more: str = "location-policy diff OLD NEW",
    warnings: Problems = NO_PROBLEMS,
    old_warnings: Problems = NO_PROBLEMS,
) -> str:
    """The plan, never longer than a comment may be; `more` is what to run to see what is left out.

    The first of the `warnings`, which the change brings, are told, and how many `old_warnings` were there before.
    """
    rules = [f"- {code(line)}" for line in (*rule_lines(plan), *owner_lines(plan))]
    rules += [f"- {line}" for line in _warning_lines(warnings, old_warnings)]
    told = _fitting(rules, plan)
    rows = told[len(rules) :]
    left = len(rules) + len(plan.changes) - len(told)
    blocks = [
        f"{MARKER}\n**{total_line(plan)}**",
        "\n".join(told[: len(rules)]),
        _table(rows[:SHOWN]),
        _folded(rows[SHOWN:]),
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


def _fitting(rules: list[str], plan: Plan) -> list[str]:
    """As many of the lines as there is room for, from the first on."""
    left, told = SIZE_LIMIT - _WORDS, []
    for line in (*rules, *_rows(plan)):
        left -= len(line.encode()) + 1
        if left < 0:
            break
        told.append(line)
    return told


def _rows(plan: Plan) -> Iterator[str]:
    for change in plan.changes:
        yield _row(change_text(change, plan.places))


def _row(cells: ChangeText) -> str:
    rows = cells.sources.removeprefix("(").removesuffix(")")
    return f"| {code(cells.subnets)} | {code(cells.answers)} | {cells.size} | {code(rows)} |"


def _table(rows: list[str]) -> str:
    return "\n".join((*_HEAD, *rows)) if rows else ""


def _folded(rows: list[str]) -> str:
    return f"<details><summary>{len(rows):,} more</summary>\n\n{_table(rows)}\n\n</details>" if rows else ""
