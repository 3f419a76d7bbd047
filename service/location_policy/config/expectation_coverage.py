"""How much of a map its expectations cover: a change of what they leave out goes by untold.

Counted is what rows answer. A row is covered when an expectation has at least one of the addresses that it answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..net.ranges import SIZES, Part, count_slash64s, outermost
from ..text import count
from .location_map import LocationMap
from .percentages import measured_share
from .row_diff import space_of


class Covered(NamedTuple):
    """A number of a whole."""

    number: int
    whole: int

    def of(self, noun: str, plural: str | None = None) -> str:
        """The two in words."""
        share = measured_share(self.number, self.whole)
        return f"{self.number:,} of {self.whole:,} {noun if self.whole == 1 else plural or noun + 's'} ({share})"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the expectations of a map cover of its rows, of the IPv4 addresses and of the IPv6 /64s that they answer."""

    expectations: int
    rows: Covered
    addresses: Covered
    slash64s: Covered

    def lines(self) -> Iterator[str]:
        """What a person is told; a family without rows is not spoken of."""
        yield f"{count(self.expectations, 'expectation')} cover{'s' * (self.expectations == 1)}"
        yield f"  {self.rows.of('subnet')}"
        if self.addresses.whole:
            yield f"  {self.addresses.of('IPv4 address', 'IPv4 addresses')}"
        if self.slash64s.whole:
            yield f"  {self.slash64s.of('IPv6 /64')}"


def coverage(location_map: LocationMap) -> Coverage:
    """How much of this map its expectations cover; a /64 is counted when one of its addresses is."""
    space = space_of(location_map.files)
    answered = {size: [part for part in space.all_parts(size) if part.network] for size in SIZES}
    places = outermost(expectation.network for expectation in location_map.expected)
    expected: dict[int, list[Part]] = {size: [] for size in SIZES}
    for place in places:
        expected[len(place) - 1] += [part for part in space.parts(place) if part.network]
    rows = {part.network for parts in expected.values() for part in parts}
    return Coverage(
        len(location_map.expected),
        Covered(len(rows), len(space.names)),
        Covered(*(sum(part.range.size for part in parts[4]) for parts in (expected, answered))),
        Covered(*(count_slash64s(part.range for part in parts[16]) for parts in (expected, answered))),
    )
