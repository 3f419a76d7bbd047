"""Parts of a whole, as the limits of `policy.toml` have them: `12.5%`, held to exactly, without floating point."""

from __future__ import annotations

import re
from typing import NamedTuple

LIMITS = {"changed-addresses": "25%", "removed-subnets": "10%", "changed-calls": "5%"}
"""The keys of `[limits]`, each with a usual value; one that is not there is no limit."""

_SHARE = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,6}))?%")


class Percentage(NamedTuple):
    """A part of a whole: 125 of 1,000 are `12.5%`."""

    text: str
    parts: int
    whole: int

    def is_exceeded(self, number: int, total: int) -> bool:
        """Is this number more than the share of the total?"""
        return number * self.whole > self.parts * total

    def allows_more_than(self, other: Percentage) -> bool:
        """Is this a larger share?"""
        return self.parts * other.whole > other.parts * self.whole

    def __str__(self) -> str:
        return self.text


def parse_share(text: str) -> Percentage:
    """A percentage from 0% to 100%; raises ValueError."""
    match = _SHARE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a percentage")
    decimals = match[2] or ""
    share = Percentage(text, int(match[1] + decimals), 100 * 10 ** len(decimals))
    if share.parts > share.whole:
        raise ValueError(f"{text} is more than 100%")
    return share


def meant_share(value: object) -> Percentage | None:
    """The percentage that was probably meant: `25`, `"25"`, `"25 %"`."""
    try:
        return parse_share(f"{str(value).removesuffix('%').strip()}%")
    except ValueError:  # str: also an integer of more than 4,300 digits
        return None


def measured_share(number: int, total: int) -> str:
    """How much of a total a number is, rounded up to hundredths.

    So what is over a limit never looks as if it were not, nothing else than nothing is 0%, and only the whole is 100%.
    """
    hundredths = -(-number * 10_000 // total)
    if hundredths == 10_000 and number < total:
        return "over 99.99%"
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".") + "%"
