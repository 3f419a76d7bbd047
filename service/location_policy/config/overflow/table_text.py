"""Entries put into `[overflow]` of the text of a `policy.toml`, whose comments and layout stay."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ...text import bom_of
from ..policy_toml import read_rules
from ..toml_positions import decode_rules, written_key, written_text

_HEADING = re.compile(r"^[ \t]*\[[ \t]*overflow[ \t]*\][^\r\n]*", re.MULTILINE)
_TOKEN = re.compile(
    r"""[#][^\n]*+ | ["]{3}(?:[^\\]|\\.)*?["]{3,5} | [']{3}.*?[']{3,5} | "(?:[^"\\\n]|\\.)*+" | '[^'\n]*+'
    | (?P<mark>[][]) | \n | [^\S\n]++ | .""",
    re.DOTALL | re.VERBOSE,
)


def with_entries(content: bytes, entries: Mapping[str, Sequence[str]]) -> bytes:
    """The rules with these entries below those that the table has, and nothing else changed.

    Raises ValueError where the rules cannot be read, or have the table in a form in which its end is not found.
    """
    text = decode_rules(content)
    rules, problems = read_rules(content)
    if problems:
        raise ValueError("it is not valid")
    newline = "\r\n" if "\r\n" in text else "\n"
    after = bom_of(content) + _put(text, list(_lines(entries)), newline).encode()
    read, problems = read_rules(after)
    table = {**rules.overflow_table, **{location: tuple(names) for location, names in entries.items()}}
    if problems or read.overflow_table != table or replace(read, overflow_table=rules.overflow_table) != rules:
        raise ValueError("the end of [overflow] is not found in it")
    return after


def _lines(entries: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for location, names in entries.items():
        yield f"{written_key(location)} = [{', '.join(map(written_text, names))}]"


def _put(text: str, lines: Sequence[str], newline: str) -> str:
    if heading := _HEADING.search(text):
        end = text.find("\n", _end(text, heading.end()))
        before, behind = (text, "") if end < 0 else (text[: end + 1], text[end + 1 :])
        return f"{before}{newline * (end < 0)}{newline.join(lines)}{newline}{behind}"
    gap = newline * (2 - text.endswith("\n")) if text.strip() else ""
    return f"{text}{gap}[overflow]{newline}{newline.join(lines)}{newline}"


def _end(text: str, begin: int) -> int:
    """Where the last value of a table ends whose heading ends at `begin`."""
    end, depth, is_at_start = begin, 0, False
    for token in _TOKEN.finditer(text, begin):
        if token["mark"] == "[" and is_at_start and not depth:
            break
        depth += {"[": 1, "]": -1}.get(token["mark"] or "", 0)
        is_at_start = token[0] == "\n" or (is_at_start and not token[0].strip())
        if token[0].strip() and not token[0].startswith("#"):
            end = token.end()
    return end
