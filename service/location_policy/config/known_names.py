"""The names of `known` put into the text of a `policy.toml`, whose comments and layout stay.

A name that stays keeps its place. One that goes takes its line with it where it has one for itself; one that comes
stands behind the last, written as that is: on a line of its own, or on the same line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from ..spelling import near_misses
from ..text import bom_of
from .location_names import is_plain
from .policy_toml import Rules, read_rules
from .toml_positions import TomlPositions, decode_rules, written_text
from .views.view import NODES

_KNOWN = re.compile(r"""(?:["']?locations["']?\s*(?:\.|=\s*\{)\s*)?["']?known["']?[ \t]*=[ \t]*\[""")
_TABLE = re.compile(r"^[ \t]*\[[ \t]*locations[ \t]*\][^\r\n]*", re.MULTILINE)
_TOKEN = re.compile(
    r"""[#][^\r\n]*+ | ["]{3}(?:[^\\]|\\.)*?["]{3,5} | [']{3}.*?[']{3,5}
    | "(?:[^"\\\n]|\\.)*+" | '[^'\n]*+' | , | \r?\n | [ \t]++""",
    re.DOTALL | re.VERBOSE,
)


def with_known(content: bytes, names: Sequence[str]) -> bytes:
    """The rules with just these names known, and nothing else changed.

    Raises ValueError where the rules cannot be read, or are written so that the place is not found.
    """
    text = decode_rules(content)
    rules, problems = read_rules(content)
    if problems:
        raise ValueError("it is not valid")
    if set(names) == set(rules.known):
        return content
    after = bom_of(content) + _put(text, rules.known, names).encode()
    read, problems = read_rules(after)
    if problems or set(read.known) != set(names) or replace(read, known=rules.known) != rules:
        raise ValueError("the list of known locations is not found in it")
    return after


def names_in(rules: Rules) -> set[str]:
    """The locations that rules name: as default, in the table of overflow locations, in views and their conditions."""
    maps = (rules, *map(rules.of_view, rules.views))
    found = {name for one in maps for name in one.rowless or ()}.union(*rules.overflow_table.values())
    found.update(rules.overflow_table)
    there = {*map(str.casefold, (*found, *rules.known))}
    asked = (view.conditions.get(key, ()) for view in rules.views for key in NODES)
    return found | {name for values in asked for name in values if name.casefold() not in there}


def slips(uses: Mapping[str, int]) -> dict[str, str]:
    """Names that are nearly another, which is perhaps what was meant, and which; `uses` says how often each is written.

    Of two it is the one that is not what it looks like; else the rarer, in any case; else the one that has capitals or
    small letters alone.
    """
    folded = Counter[str]()
    for name, number in uses.items():
        folded[name.casefold()] += number

    def order(name: str) -> tuple[bool, int, bool, int]:
        return not is_plain(name), -folded[name.casefold()], name in (name.lower(), name.upper()), -uses[name]

    return dict(near_misses(sorted(uses, key=order)))


def _put(text: str, known: Collection[str], names: Sequence[str]) -> str:
    gone, come = set(known).difference(names), [name for name in dict.fromkeys(names) if name not in known]
    line, column = TomlPositions(text.split("\n")).find(("locations", "known"))
    begin = sum(len(one) + 1 for one in text.split("\n")[: line - 1]) + column - 1
    newline = "\r\n" if "\r\n" in text else "\n"
    if key := _KNOWN.match(text, begin):
        tokens = _tokens(text, key.end())
        end = key.end() + sum(map(len, tokens))
        return text[: key.end()] + "".join(_changed(tokens, gone, come, newline)) + text[end:]
    added = f"known = [{''.join(_changed([], gone, come, newline))}]"
    if table := _TABLE.search(text):
        return f"{text[: table.end()]}{newline}{added}{text[table.end() :]}"
    gap = newline * (2 if text.endswith("\n") else 3) if text.strip() else ""
    return f"{text}{gap[len(newline) :]}[locations]{newline}{added}{newline}"


def _tokens(text: str, begin: int) -> list[str]:
    """Names, commas, comments, ends of line and blanks, up to the end of the list."""
    tokens = []
    while token := _TOKEN.match(text, begin):
        tokens.append(token[0])
        begin = token.end()
    return tokens


def _changed(tokens: list[str], gone: Collection[str], come: Iterable[str], newline: str) -> list[str]:
    """The tokens of the list with the names that have come, and without those that have gone."""
    if written := [written_text(name) for name in come]:
        _append(tokens, written, newline)
    for at in reversed([at for at, token in enumerate(tokens) if _is_name(token) and _name(token) in gone]):
        _remove(tokens, at)
    return tokens


def _is_name(token: str) -> bool:
    return token[0] in "\"'"


def _name(token: str) -> str:
    return read_rules(f"locations.known = [{token}]".encode())[0].known[0]


def _is_blank(token: str) -> bool:
    return not token.strip(" \t")


def _is_end(token: str) -> bool:
    return token.endswith("\n")


def _append(tokens: list[str], written: list[str], newline: str) -> None:
    """Put names behind the last one, as that is written; the first ones of a list each on a line."""
    last = next((at for at in reversed(range(len(tokens))) if _is_name(tokens[at])), None)
    if last is None:
        tokens += [newline] * (not any(map(_is_end, tokens)))
        tokens += [part for name in written for part in ("    ", name, ",", newline)]
        return
    start, end = _line(tokens, last)
    if start < 0 or end == len(tokens):
        tokens[last + 1 : last + 1] = [part for name in written for part in (",", " ", name)]
        return
    indent = tokens[start + 1] if _is_blank(tokens[start + 1]) else ""
    if (comma := _beside(tokens, last, 1)) > end:  # it stands on a later line, or nowhere
        del tokens[comma : comma + 1]
        tokens.insert(last + 1, ",")
        end += 1
    tokens[end:end] = [part for name in written for part in (newline, indent, name, ",") if part]


def _remove(tokens: list[str], at: int) -> None:
    """Take out a name and its comma, else the comma before it on its line; and the line where nothing is left on it."""
    comma = _beside(tokens, at, 1)
    if tokens[comma : comma + 1] == [","]:
        del tokens[comma], tokens[at]
    else:
        del tokens[at]
        comma = _beside(tokens, at, -1)
        if comma > _line(tokens, at)[0]:
            del tokens[comma]
            at -= 1
    start, end = _line(tokens, at)
    if start >= 0 and end < len(tokens) and all(_is_blank(one) or one[0] == "#" for one in tokens[start + 1 : end]):
        del tokens[start + 1 : end + 1]  # with what is said there of the name that has gone
    elif at < end and _is_blank(tokens[at]):
        del tokens[at]
    elif at == end and start + 1 < at and _is_blank(tokens[at - 1]):
        del tokens[at - 1]


def _line(tokens: list[str], at: int) -> tuple[int, int]:
    """The ends of line before and behind a token; -1 and the number of tokens where the list has none there."""
    before = (one for one in range(at - 1, -1, -1) if _is_end(tokens[one]))
    behind = (one for one in range(at, len(tokens)) if _is_end(tokens[one]))
    return next(before, -1), next(behind, len(tokens))


def _beside(tokens: list[str], at: int, step: int) -> int:
    """The next comma or name on one side of a place; outside the list when there is none."""
    at += step
    while 0 <= at < len(tokens) and (not tokens[at].strip() or tokens[at][0] == "#"):
        at += step
    return at
