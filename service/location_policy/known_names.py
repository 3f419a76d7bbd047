"""The names of `known` put into the text of a `policy.toml`, whose other lines stay as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from .places import Places, decode_rules
from .rules import read_rules

_KNOWN = re.compile(r"""(?:["']?locations["']?\s*\.\s*)?["']?known["']?[ \t]*=[ \t]*""")
_TABLE = re.compile(r"^[ \t]*\[[ \t]*locations[ \t]*\][^\n]*\n?", re.MULTILINE)
_LIST = re.compile(r"""\[(?:[^]#"'] | [#][^\n]* | "(?:[^"\\\n]|\\.)*" | '[^'\n]*')*\]""", re.VERBOSE)


def with_known(content: bytes, names: Sequence[str]) -> bytes:
    """The rules with just these names known, in this order, and nothing else changed.

    Raises ValueError where the file cannot be read, or is written in a way in which the place cannot be found.
    """
    text = decode_rules(content)
    rules, problems = read_rules(content)
    after = _put(text, _known_text(names)).encode()
    if problems or read_rules(after) != (replace(rules, known=tuple(names)), ()):
        raise ValueError("the list of known locations is not found in it")
    return after


def _put(text: str, known: str) -> str:
    line, column = Places(text.split("\n")).find(("locations", "known"))
    begin = sum(len(one) + 1 for one in text.split("\n")[: line - 1]) + column - 1
    key = _KNOWN.match(text, begin)
    old = key and _LIST.match(text, key.end())
    if old:
        return text[: old.start()] + known + text[old.end() :]
    if table := _TABLE.search(text):
        return f"{text[: table.end()].rstrip()}\nknown = {known}\n{text[table.end() :]}"
    return f"{text.rstrip()}\n\n[locations]\nknown = {known}\n".lstrip()


def _known_text(names: Sequence[str]) -> str:
    return "[\n" + "".join(f"    {json.dumps(name, ensure_ascii=False)},\n" for name in names) + "]"
