"""Text from people, and for them: byte order marks, numbers, nouns, moments, values made safe, short, not secret.

What comes from outside may be long, and much: what is made of it for an answer is held to a length, and to a room.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from unicodedata import combining, is_normalized, name, normalize

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


_BLANK = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\U0001d159"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
"""What Python calls printable and no font shows: "Default_Ignorable_Code_Point" of Unicode, and two blanks."""
_ESCAPE = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U00(?:0[0-9a-f]|10)[0-9a-f]{4})")
_WORD = re.compile(rf"{_ESCAPE.pattern}|[^\W\d_]+")
"""A word, or what is written out already."""
_JAMO = re.compile("[\u1100-\u11ff]")
_ALIKE = ("LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU", "FULLWIDTH", "MATHEMATICAL")
"""Scripts of which letters look like those of another, by the first word of their names in Unicode."""


def without_bom(content: bytes) -> bytes:
    """A UTF-8 text without the mark that some editors put before it."""
    return content.removeprefix(BOM)


def bom_of(content: bytes) -> bytes:
    """The mark before a text, empty where there is none: what writes the text anew keeps it."""
    return BOM * content.startswith(BOM)


def count(number: int, noun: str) -> str:
    """A number and its noun, as in `1 error` and `19,950 errors`."""
    return f"{number:,} {noun if number == 1 else _plural(noun)}"


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith("ss") else f"{noun}s"


def quote(value: str) -> str:
    """A value from outside as messages repeat it: escaped, between quotation marks where needed, and never long."""
    short = value if len(value) <= SHOWN_VALUE else f"{value[:SHOWN_VALUE]}…"
    return escape(short if short and short == short.strip() else f'"{short}"')


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


def listed(names: Sequence[str], most: int = 20) -> str:
    """The first of these names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def any_of(values: Sequence[str], most: int = 5) -> str:
    """The first of these values from outside, one of which is meant, and how many more there are."""
    shown = [quote(value) for value in values]
    return " or ".join(shown) if len(shown) <= most else listed(shown, most)


def shorten(text: str, longest: int = LONGEST) -> str:
    """A text of which no more is told than its beginning."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def escape(text: str) -> str:
    """The text as messages, terminals, pages and JSON show it: what is not what it looks like is written out, as in
    `\\x1b`, `\\xa0` or `\\u0443`.

    That is what steers a terminal, what cannot be seen, what Unicode spells otherwise in its composed form (NFC, UAX
    #15), and in a word the letters of another script that look like those of the rest (UTS #39, "mixed-script").
    """
    if text.isascii() and text.isprintable():
        return text
    strange = set(_strange_letters(text))
    if not is_normalized("NFC", text):
        strange.update(at for at, c in enumerate(text) if _is_decomposed(c))
    return "".join(_escaped(c) if at in strange or not is_seen(c) else c for at, c in enumerate(text))


def unescape(text: str) -> str:
    """The text that `escape` shows so: what a message says to write can be written as it stands there."""
    return _ESCAPE.sub(lambda found: found[0].encode().decode("unicode_escape"), text)


def is_seen(character: str) -> bool:
    """Does the character show, or is it a usual space?"""
    return character.isprintable() and character not in _BLANK


def shows(text: str) -> bool:
    """Is there a character in it that shows, and is no space?"""
    return any(is_seen(c) and not c.isspace() for c in text)


def written_out(text: str) -> str:
    """The text with an escape for every character that is not ASCII, or that cannot be seen."""
    return "".join(c if c.isascii() and c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    is_letter = character.isascii() and character.isprintable()
    return f"\\x{ord(character):02x}" if is_letter else character.encode("unicode_escape").decode()


def describe(character: str) -> str:
    """A character by its escape and its name: `\\xa0 (no-break space)`."""
    return f"{_escaped(character)} ({name(character, 'a control character').lower()})"


def _is_decomposed(character: str) -> bool:
    return combining(character) > 0 or normalize("NFC", character) != character or bool(_JAMO.match(character))


def _strange_letters(text: str) -> Iterator[int]:
    """The places of letters that are of another look-alike script than most of their word."""
    for word in _WORD.finditer(text):
        if word[0].isascii():  # as is what is written out
            continue
        scripts = [name(c, "").partition(" ")[0] for c in word[0]]
        alike = Counter(script for script in scripts if script in _ALIKE)
        most = max(alike, key=lambda script: (alike[script], script == "LATIN"), default="")
        yield from (word.start() + at for at, script in enumerate(scripts) if script in _ALIKE and script != most)


_DURATION = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,4})m)?(?:(\d{1,6})s)?", re.ASCII)


def parse_duration(text: str) -> timedelta:
    """`30m`, `2h`, `1h30m` or `7d`; raises ValueError for anything else, and for nothing."""
    found = _DURATION.fullmatch(text.strip().lower())
    if not found or not found[0]:
        raise ValueError(f"{quote(text)} is not a duration: write 30m, 2h, 1h30m or 7d")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def moment_text(moment: datetime) -> str:
    """A moment by RFC 3339, in UTC, in whole seconds."""
    return _rfc3339(moment, "seconds")


def precise_moment_text(moment: datetime) -> str:
    """A moment by RFC 3339, in UTC, in milliseconds."""
    return _rfc3339(moment, "milliseconds")


def _rfc3339(moment: datetime, precision: str) -> str:
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
