"""The parameters of a query string, and an address that is typed.

A node sends some 26 of them, of which eight count. Where every name is written plainly, those are found in one pass and
nothing else is decoded; any other query is taken apart whole. Both give the same values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Protocol
from urllib.parse import parse_qsl, unquote

from ..config.policy_toml import parameter_name
from ..errors import NoAddress
from ..net.addresses import Address, parse_address

_BLANK = " \t"
_NO_MARKS = bytes(one for one in range(256) if one not in b"&=%")


def _spelling(name: str) -> str:
    """A pattern of every way to write this name (in the spelling of `parameter_name`)."""
    return f"(?i:{'[-_]'.join(map(re.escape, name.split('-')))})"


USUAL = (
    "protocol",
    "ms-subnet",
    "remote-address",
    "location",
    "proxy-node-location",
    "call-direction",
    "node-ip",
    "request-id",
)
"""What answers depend on, and what tells requests apart."""
_IS_USUAL = frozenset(USUAL)
_SPELT = {spelt: name for name in USUAL for spelt in (name, name.replace("-", "_"))}
_USUAL = re.compile(rf"&({'|'.join(map(_spelling, USUAL))})=([\w.:-]*)([^&]*)", re.ASCII)
"""Each of them, with its value, parted where it is no longer plain."""


class Parameters(Protocol):
    """What a request says."""

    def first(self, name: str) -> str:
        """The first value of this name (in the spelling of `parameter_name`), empty where there is none."""
        ...


class Pairs(list[tuple[str, str]]):
    """Names (in the spelling of `parameter_name`) and cleaned values, in the order of the query."""

    def first(self, name: str) -> str:
        """As Parameters has it."""
        for key, value in self:
            if key == name:
                return value
        return ""


class PlainQuery:
    """A query in which no name is percent-encoded: a name stands between `&` and `=`, or nowhere."""

    __slots__ = ("_query", "_usual")

    def __init__(self, query: bytes) -> None:
        self._query = f"&{query.decode('ascii')}"
        self._usual: dict[str, str] = {}
        for name, plain, rest in _USUAL.findall(self._query):
            value = _value(plain + rest) if rest else plain
            if value:
                self._usual.setdefault(_SPELT.get(name) or parameter_name(name), value)

    def first(self, name: str) -> str:
        """As Parameters has it."""
        value = self._usual.get(name)
        if value is not None:
            return value
        return "" if name in _IS_USUAL else next(filter(None, map(_value, _pattern(name).findall(self._query))), "")


def value_in(parameters: Parameters) -> Callable[[str], str]:
    """What these have of a parameter that a view asks for, by its name in `policy.toml`."""
    return lambda name: parameters.first(parameter_name(name))


def parse_query(query: bytes) -> Parameters:
    """The parameters of a query string that have a value."""
    is_plain = query.isascii() and b"&%" not in b"&" + query.translate(None, _NO_MARKS)
    return PlainQuery(query) if is_plain else parse_pairs(query)


def parse_pairs(query: bytes) -> Pairs:
    """All of them, of any query."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=False, errors="replace")
    return Pairs((parameter_name(name), cleaned) for name, value in pairs if (cleaned := clean(value)))


def clean(value: str) -> str:
    """A value without the space and tab around it, without brackets, and the first item of what looks like a list."""
    text = value.strip(_BLANK)
    if text[:1] != "[" or text[-1:] != "]":
        return text
    item = text[1:-1].partition(",")[0].strip(_BLANK)
    quoted = len(item) > 1 and item[0] == item[-1] and item[0] in "\"'"
    return item[1:-1].strip(_BLANK) if quoted else item


def asked_address(text: str) -> Address:
    """The address that a person has typed; raises NoAddress."""
    cleaned = clean(text)
    if not cleaned:
        raise NoAddress("no address is given", "name one, such as 10.61.2.7")
    try:
        return parse_address(cleaned)
    except ValueError as error:
        hint = f"name one address of it: {cleaned.partition('/')[0]}" if "/" in cleaned else None
        raise NoAddress(str(error), hint) from None


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(f"&{_spelling(name)}=([^&]*)", re.ASCII)


def _value(raw: str) -> str:
    text = raw.replace("+", " ")
    return clean(unquote(text, errors="replace") if "%" in text else text)
