"""Text from people, and for them: byte order marks, numbers, nouns, moments, values made safe, short, not secret.

What comes from outside may be long, and much: what is made of it for an answer is held to a length, and to a room.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TypeVar

BOM = b"\xef\xbb\xbf"
"""The byte order mark of UTF-8 (The Unicode Standard, 23.8)."""
SHOWN_VALUE = 80
"""Characters of a value from outside that a message repeats."""
LONGEST = 1_000
"""Characters of a text of ours that has values from outside in it."""

_LOGIN = re.compile(r"(?<=:/)(/?)(?:[^/\s]*|[^/\s:\[]*:(?!\d*(?:[/\s]|$))\S*)@|(?<![/\w])[\w.-]+:[^/@\s]*@(?=[\w.-]+:)")
"""User and password in a URL, also with one slash, as a path has it, or a `/` in the password; and as scp has them."""
_QUERY = re.compile(r"(:/[^\s?]*)\?\S*")


def without_secrets(text: str) -> str:
    """The text without the user, the password and the query of any URL in it."""
    if "@" not in text and "?" not in text:
        return text
    return _QUERY.sub(r"\1", _LOGIN.sub(r"\1", text))


def without_bom(content: bytes) -> bytes:
    """A UTF-8 text without the mark that some editors put before it."""
    return content.removeprefix(BOM)


def bom_of(content: bytes) -> bytes:
    """The mark before a text, empty where there is none: what writes the text anew keeps it."""
    return BOM * content.startswith(BOM)


def count(number: int, noun: str) -> str:
    """A number and its noun, as in `1 error` and `19,950 errors`."""
    return f"{number:,} {noun}{'' if number == 1 else 'es' if noun.endswith('ss') else 's'}"


def quote(value: str) -> str:
    """A value from outside as messages repeat it: between quotation marks where needed, and never long."""
    short = value if len(value) <= SHOWN_VALUE else f"{value[:SHOWN_VALUE]}…"
    return short if short and short == short.strip() else f'"{short}"'


ROOM = 200_000
"""Bytes that one list of an answer may take, by `weight`: a page that repeats what it lists stays below a megabyte."""
One = TypeVar("One")


def fitting(items: Iterable[One], most: int | None = None, room: int = ROOM) -> list[One]:
    """The first of these, at most so many, as far as there is room for them."""
    shown: list[One] = []
    for one in items:
        room -= weight(one)
        if room < 0 or len(shown) == most:
            break
        shown.append(one)
    return shown


def weight(value: object) -> int:
    """About how many bytes a value takes where it is written down: as JSON, as HTML, or in a link."""
    if isinstance(value, str):
        size = len(value)
        if value.isascii():
            return size if value.isalnum() else size + 4 * sum(map(value.count, "&<>\"'"))
        return size + 5 * (len(value.encode(errors="replace")) - size) + 4 * sum(map(value.count, "&<>\"'"))
    if isinstance(value, dict):
        return sum(8 + weight(name) + weight(one) for name, one in value.items())
    if isinstance(value, (list, tuple)):
        return sum(4 + weight(one) for one in value)
    return 8


def shorten(text: str, longest: int = LONGEST) -> str:
    """A text of which no more is told than its beginning."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def escape(text: str) -> str:
    """The text with everything that could steer a terminal, or hide in one, written out."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def moment_text(moment: datetime) -> str:
    """A moment by RFC 3339, in UTC, in whole seconds."""
    return _rfc3339(moment, "seconds")


def precise_moment_text(moment: datetime) -> str:
    """A moment by RFC 3339, in UTC, in milliseconds."""
    return _rfc3339(moment, "milliseconds")


def _rfc3339(moment: datetime, precision: str) -> str:
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
