"""Location names: what can be one, and what is wrong with a text that is not.

One rule for rows, uploads, forms, imports, `known`, `default`, expectations and owners. What only could be meant
otherwise (a subnet where a name should be, a character that cannot be seen) is a matter of severity: a map that was
served with it keeps its rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from unicodedata import category, normalize

from ..problems import CODES
from ..spelling import look_alike
from ..text import describe, escape, is_seen, quote, written_out
from .csv_lines import Cell, Finding, is_error_value
from .subnet_hints import has_subnet, is_address, subnet_and_word

NAME_LIMIT = 250
"""Characters of a location name (field limit of Pexip Infinity)."""

FORMULA = ("=", "+", "-", "@")
"""With what a cell begins that a spreadsheet would calculate."""
_TEXT_FORMULA = re.compile(r'="(\w[^"]*)"')
"""What a program writes to keep a spreadsheet from making a number of a text."""
_ENCODINGS = ("cp1252", "mac-roman", "cp850", "cp437", "cp1251", "cp1250")
"""What programs take UTF-8 for, the most usual first."""
_MISREAD_LETTER = re.compile(
    "\u00c3[\u00a0-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u2013-\u2026\u2030\u20ac\u2122]"
)
"""A letter of Western Europe, its UTF-8 read in Windows-1252."""
_LEAD = re.compile("[\u00c2-\u00f4]")
_MISREAD_LETTERS = re.compile(f"(?:[\u00c2-\u00f4][{bytes(range(0x80, 0xC0)).decode('cp1252', 'ignore')}]+){{2,}}")
"""Letters of any script so read, of which bytes are missing: those that Windows-1252 does not have."""


def name_findings(names: Sequence[Cell]) -> Iterator[Finding]:
    """What is wrong with the names of one row, under any rules."""
    seen = set()
    for column, name in names:
        if len(name) > NAME_LIMIT:
            message = f"{quote(name)} has {len(name)} characters; Pexip takes {NAME_LIMIT}"
            yield Finding(column, "bad-name", message, "shorten it in Pexip and here")
        if not (name.isascii() and name.isprintable()):
            yield from _character_findings(column, name)
        if is_address(name) or (name.isprintable() and (has_subnet(name) or subnet_and_word(name))):
            message = f"{quote(name)} stands where a location should"
            yield Finding(column, "subnet-as-name", message, "write the name of a location there")
        elif is_error_value(name):
            message = f"{quote(name)} is an error of a spreadsheet, and stands where a location should"
            yield Finding(column, "error-value", message, "write the name of the location")
        if _is_formula(name):
            message = f"{quote(name)} is run as a formula by a spreadsheet that opens the file"
            text = _TEXT_FORMULA.fullmatch(name)
            yield Finding(
                column, "formula-name", message, f"write {text[1]}" if text else "begin the name with a letter"
            )
        if name in seen:
            yield Finding(column, "repeated-location", f"{quote(name)} stands twice in the row", "delete one of them")
        seen.add(name)


def is_name(text: str) -> bool:
    """Can a row have this text as a name, under rules that say nothing of names? Space around a cell does not count."""
    found = (one.code for one in name_findings([Cell(1, text)]) if one.code != "formula-name")
    return text == text.strip(" \t") and all(CODES[code].severity != "error" for code in found)


def _character_findings(column: int, name: str) -> Iterator[Finding]:
    """What is wrong with the characters of a name."""
    has_control = any(category(c) == "Cc" or c == "\ufeff" for c in name)
    meant = _misread(name) if len(name) <= NAME_LIMIT else None
    plain = plain_name(name) if len(name) <= NAME_LIMIT and not all(map(is_seen, name)) else ""
    plain = plain if is_name(plain) else ""
    if has_control:
        what = "a control character" if any(category(c) == "Cc" for c in name) else "a byte order mark"
        wanted = meant or (plain if what.startswith("a byte") else "")
        hint = (
            "end each line with LF or CRLF" if "\r" in name else f"write {wanted}" if wanted else "type the name anew"
        )
        yield Finding(column, "bad-name", f"{quote(name)} has {what}", hint)
    if len(name) > NAME_LIMIT:
        return  # it is to be shortened first
    unseen = next((c for c in name if not is_seen(c)), None)
    if unseen and not has_control:
        what = "is no usual space" if category(unseen) == "Zs" else "cannot be seen"
        message = f"{quote(name)} has {describe(unseen)}, which {what}"
        yield Finding(column, "invisible-character", message, f"write {plain}" if plain else "type the name anew")
    if "\ufffd" in (meant or name):
        what = "has U+FFFD" if "\ufffd" in name else "has U+FFFD, read in a wrong encoding"
        message = f"{quote(name)} {what}, which a program has put for a letter that it could not read"
        hint = 'write the letter that stood there, or export the file again as "CSV UTF-8"'
        yield Finding(column, "lost-character", message, hint)
    elif meant and not has_control:
        message = f"{quote(name)} looks like {quote(meant)}, read in a wrong encoding"
        yield Finding(column, "mojibake", message, f"write {meant}")
    elif _MISREAD_LETTERS.search(name):
        message = f"{quote(name)} looks like letters that were read in a wrong encoding, some of them lost"
        yield Finding(column, "mojibake", message, 'type the name anew, or export the file again as "CSV UTF-8"')


def plain_name(name: str) -> str:
    """The name as it was probably meant: with usual spaces, without what cannot be seen, and composed (NFC)."""
    spaced = "".join(" " if category(c) == "Zs" else c for c in normalize("NFC", name))
    return " ".join("".join(filter(is_seen, spaced)).split())


def is_plain(name: str) -> bool:
    """Is the name what it looks like, as far as its reader can tell?"""
    if name.isascii():
        return True
    is_imitated = look_alike(name).isascii()
    is_misread = bool(_misread(name) or _MISREAD_LETTERS.search(name))
    return not (is_imitated or escape(name) != name or "\ufffd" in name or is_misread)


def shown_beside(name: str, other: str) -> str:
    """The name as a message shows it beside one that may look the same."""
    return written_out(name) if escape(name) == name and look_alike(name) == look_alike(other) else quote(name)


def _misread(name: str) -> str | None:
    """The name whose UTF-8 has been read in another encoding, perhaps twice, so that this came of it; None where it was
    not.
    """
    meant = _read_anew(name)
    while meant and (before := _read_anew(meant)):
        meant = before
    return meant


def _read_anew(name: str) -> str | None:
    has_symbol = any(not c.isascii() and not c.isalpha() for c in name)
    for encoding in _ENCODINGS if has_symbol else _ENCODINGS[:1]:
        try:
            meant = _encoded(name, encoding).decode()
        except UnicodeError:
            continue
        if meant != name and all(map(is_seen, meant)):
            return meant
    meant = _MISREAD_LETTER.sub(lambda found: found[0].encode("cp1252").decode(), name)
    if (whole := _MISREAD_LETTERS.sub(_decoded, meant)) != meant:
        return whole if _LEAD.search(whole) is None else None
    return meant if meant != name else None


def _decoded(found: re.Match[str]) -> str:
    try:
        return found[0].encode("cp1252").decode()
    except UnicodeError:
        return found[0]


def _encoded(name: str, encoding: str) -> bytes:
    """The name in an encoding; of what Windows-1252 leaves open, the bytes of Latin-1, as browsers read it (WHATWG)."""
    if encoding != "cp1252":
        return name.encode(encoding)
    return b"".join(c.encode("latin-1" if "\x80" <= c <= "\x9f" else encoding) for c in name)


def _is_formula(name: str) -> bool:
    """Does it begin as a formula, also in full width, or behind what cannot be seen?"""
    if name[:1].isascii():
        return name.startswith(FORMULA)
    seen = "".join(filter(is_seen, normalize("NFKC", name[:NAME_LIMIT])))
    return seen.lstrip().startswith(FORMULA)
