"""The `Authorization` header of HTTP Basic (RFC 7617) to a user and a password.

We ask for UTF-8, but a client that was told nothing may send ISO 8859-1: bytes that are not UTF-8 are taken for that.
"""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple
from unicodedata import normalize

CHALLENGE = b'Basic realm="location-policy", charset="UTF-8"'


class Basic(NamedTuple):
    """Who it claims to be, in composed form (NFC), and the password: as that too, then as it came if that differs."""

    user: str
    passwords: tuple[bytes, ...]


def parse_basic(header: bytes) -> Basic:
    """What the header claims; raises ValueError, whose sentence repeats nothing of it."""
    scheme, _, rest = header.strip(b" \t").partition(b" ")
    if scheme.lower() != b"basic":
        raise ValueError("the Authorization header has another scheme than Basic")
    try:
        text = _decode(base64.b64decode(rest.strip(b" \t"), validate=True))
    except binascii.Error:
        raise ValueError("the Authorization header is not base64") from None
    user, colon, password = text.partition(":")
    if not colon:
        raise ValueError("the Authorization header has no colon between user and password")
    if any(character < " " or character == "\x7f" for character in text):
        raise ValueError("the Authorization header has control characters")
    composed = normalize("NFC", password)
    forms = (composed,) if composed == password else (composed, password)
    return Basic(normalize("NFC", user), tuple(form.encode() for form in forms))


def _decode(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")
