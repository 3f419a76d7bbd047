"""Text from people, and for them: byte order marks, numbers, nouns, moments, values made safe, short, not secret."""

from __future__ import annotations

import re
from datetime import UTC, datetime

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
