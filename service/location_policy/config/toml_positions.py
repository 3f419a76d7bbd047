"""Positions in `policy.toml`: the line and column of a key, or of a name in a list; and how these are written.

The parser does not tell places, so this looks for them by eye: a heading is `[table]`, a key begins its line.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from ..text import without_bom

_KEY = re.compile(r"""\s*+(?P<heading>\[*+)\s*+(?P<key>(?:[\w-]++|"[^"]*"|'[^']*'|\s*\.\s*)++)\s*+[]=]""")
_KEY_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_LONG_STRING = r"""["]{3}(?:[^"\\]|\\.|"(?!""))*+(?:["]{3,5}|\Z) | [']{3}(?:[^']|'(?!''))*+(?:[']{3,5}|\Z)"""
"""One of many lines; it has its end, or takes all that follows, so that no quotation mark is looked behind twice."""
_TOKEN = re.compile(
    rf"""[#][^\n]*+ | {_LONG_STRING}
    | "(?P<basic>[^"\\\n]*+)" | "(?:[^"\\\n]|\\.)*+" | '(?P<literal>[^'\n]*+)' | (?P<mark>[][])""",
    re.DOTALL | re.VERBOSE,
)
_BESIDE_KEYS = re.compile(
    rf"""[#][^\n]*+ | {_LONG_STRING} | "(?:[^"\\\n]|\\[^\n])*+"? | '[^'\n]*+'?""", re.DOTALL | re.VERBOSE
)
"""What dots mean nothing in: comments and strings."""
_LONG_KEY = re.compile(r"(?:[.][\w \t-]*+){16}")

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
"""One without quotation marks."""

Place = tuple[int, int]
"""Line and column, 1-based, the column in characters."""


def decode_rules(content: bytes) -> str:
    """The text of the file, without a byte order mark; raises UnicodeDecodeError."""
    return without_bom(content).decode()


def key_place(content: bytes, *keys: str) -> Place:
    """The place of a key, or of the nearest that it can stand in."""
    return _looked_through(content).positions.find(keys)


class _LookedThrough(NamedTuple):
    """A file: its text, where each of its lines begins in that, and the places of its keys."""

    text: str
    begins: tuple[int, ...]
    positions: TomlPositions


@lru_cache(maxsize=1)
def _looked_through(content: bytes) -> _LookedThrough:
    """The file that was asked about last: it may be large, and is asked about for each of its names."""
    text = decode_rules(content)
    lines = text.split("\n")
    begins = tuple(accumulate((len(line) + 1 for line in lines), initial=0))
    return _LookedThrough(text, begins, TomlPositions(lines))


def line_of_long_key(text: str) -> int | None:
    """The line of the first key of more than 16 parts, for each of which the parser looks at all before it."""
    bare = _BESIDE_KEYS.sub(lambda match: "\n" * match[0].count("\n"), text)
    found = _LONG_KEY.search(bare)
    return bare.count("\n", 0, found.start()) + 1 if found else None


def written_text(text: str) -> str:
    """A text as a value of TOML."""
    import json  # the hook writes none

    return json.dumps(text, ensure_ascii=False)


def written_key(name: str) -> str:
    """A name as a key of TOML: between quotation marks where it needs them."""
    return name if _BARE_KEY.fullmatch(name) else written_text(name)


def repeated_key(text: str, line: int) -> tuple[str, Place] | None:
    """The key or the heading in which a line is, as it is written, and its place."""
    for number, written in reversed(list(enumerate(text.split("\n")[:line], 1))):
        match = _KEY.match(written)
        if match and (match["heading"] or match[0].endswith("=")):
            marks = match["heading"]
            key = marks + match["key"].strip() + "]" * len(marks)
            return key, (number, match.start("heading" if marks else "key") + 1)
    return None


class TomlPositions:
    """Where keys stand, of one part or two; the file is looked through once, however many are asked for.

    Of the tables of `[[view]]` each has a number, from 0: their keys are `("view", "0", "key")`.
    """

    def __init__(self, lines: list[str]) -> None:
        self._first: dict[tuple[str, ...], Place] = {}
        """Of each key, the first line that names it or something in it."""
        self._last: dict[tuple[str, ...], Place] = {}
        """Of each key, the last line that names just it."""
        self._views = 0
        """How many tables `[[view]]` there are."""
        table: tuple[str, ...] = ()
        for number, line in enumerate(lines, 1):
            if match := _KEY.match(line):
                parts = tuple(part.strip("\"'") for part in _KEY_PART.findall(match["key"]))
                path = self._heading(match["heading"], parts) if match["heading"] else table + parts
                table = path if match["heading"] else table
                place = self._last[path[:3]] = number, match.start("heading") + 1
                for length in range(1, 4):
                    self._first.setdefault(path[:length], place)

    def _heading(self, marks: str, parts: tuple[str, ...]) -> tuple[str, ...]:
        """The key of a table, with its number where it is one of several."""
        self._views += marks == "[[" and parts == ("view",)
        return (parts[0], str(self._views - 1), *parts[1:]) if parts[0] == "view" and self._views else parts

    def find(self, keys: tuple[str, ...]) -> Place:
        """The place of a key, or else the nearest that it can stand in: an inline table, the heading of its table."""
        around = [self._last[keys[:length]] for length in range(len(keys)) if keys[:length] in self._last]
        return self._first.get(keys) or max(around, default=(1, 1))


def name_places(content: bytes, *keys: str) -> dict[str, Place]:
    """The place of each name in the list that the key holds; a name written with escapes is not found."""
    return _listed_after(content, key_place(content, *keys))


@lru_cache(maxsize=1)
def _listed_after(content: bytes, place: Place) -> dict[str, Place]:
    """The names in the first list behind this place, which many keys may have together."""
    text, begins, _ = _looked_through(content)
    line, column = place
    begin = seen = begins[line - 1]
    places: dict[str, Place] = {}
    is_inside = False
    for token in _TOKEN.finditer(text, begin + column - 1):
        if token["mark"] and is_inside:
            break
        line += text.count("\n", seen, token.start())
        begin = max(begin, text.rfind("\n", seen, token.start()) + 1)
        seen = token.start()
        is_inside = is_inside or token["mark"] is not None
        name = token["literal"] if token["basic"] is None else token["basic"]
        if is_inside and name is not None:
            places.setdefault(name, (line, seen - begin + 1))
    return places
