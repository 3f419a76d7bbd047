"""A map as ranges of addresses, each with the row that answers it.

The longest network that holds an address answers it. So the addresses of a network are parted by the rows below it:
what they leave over belongs to the network itself, or to the row that holds it. Sorted by first address, then by
length, rows stand in the order in which one walk over them finds these parts (see `prefix_tree`).

`AddressSpace` goes on from one map to the next at the cost of the rows that differ, for a series of commits.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from .addresses import Address, Network, parse_address

Names = tuple[str, ...]
"""The location of a row, then its overflow locations in order."""

SIZES = (4, 16)
"""Bytes of an address, IPv4 and IPv6."""

_DASH = re.compile(r" ?(?:[-\u2013\u2014]|\.{2,3}) ?| (?:to|bis) ")
_MANY = 1_000
"""Rows from which sorting anew costs less than putting in one by one."""


class Range(NamedTuple):
    """Addresses of one family, as numbers, both ends included."""

    first: int
    last: int

    @classmethod
    def of(cls, network: Network) -> Range:
        """The addresses of a network; without its properties, since a large map is asked this a million times."""
        first = int.from_bytes(network[:-1])
        return cls(first, first | (1 << len(network) * 8 - 8 - network[-1]) - 1)

    @property
    def size(self) -> int:
        """How many addresses there are."""
        return self.last - self.first + 1

    def networks(self, size: int) -> Iterator[Network]:
        """The fewest networks that make up the range, in order; `size` is that of an address, in bytes."""
        width, first = size * 8, self.first
        while first <= self.last:
            aligned = (first & -first).bit_length() - 1 if first else width
            free = min(aligned, (self.last - first + 1).bit_length() - 1)
            yield Network(first.to_bytes(size) + bytes((width - free,)))
            first += 1 << free


def parse_range(text: str) -> tuple[Range, int]:
    """The addresses from a first to a last, as in `10.61.2.0 - 10.61.2.255`, and the size of each in bytes.

    Of the last IPv4 address the last octet may stand alone. Raises ValueError for anything else.
    """
    first_text, *others = _DASH.split(text)
    if len(others) != 1:
        raise ValueError(f"{text!r} is not a range of addresses")
    last_text = others[0]
    if last_text.isdecimal() and "." in first_text:
        last_text = f"{first_text.rpartition('.')[0]}.{last_text}"
    first, last = parse_address(first_text), parse_address(last_text)
    if len(first) != len(last) or first > last:
        raise ValueError(f"{text!r} is not a range of addresses")
    return Range(int.from_bytes(first), int.from_bytes(last)), len(first)


class Part(NamedTuple):
    """A range that one row answers; None: no row does."""

    range: Range
    network: Network | None


class AddressSpace:
    """The rows of one map, by what they answer."""

    def __init__(self, names: Mapping[Network, Names]) -> None:
        self.names = dict(names)
        self._ordered = {size: sorted(row for row in self.names if len(row) == size + 1) for size in SIZES}
        self._lengths = Counter((len(row), row[-1]) for row in self.names)

    def move(self, gone: Iterable[Network], come: Mapping[Network, Names]) -> None:
        """Go on to the next map: without the rows that are gone, with those that have come or name others now."""
        removed = [network for network in gone if network not in come]
        added = [network for network in come if network not in self.names]
        self.names.update(come)
        self._lengths.update((len(row), row[-1]) for row in added)
        self._lengths.subtract((len(row), row[-1]) for row in removed)
        for network in removed:
            del self.names[network]
        if len(removed) + len(added) > _MANY:
            self._ordered = {size: sorted(row for row in self.names if len(row) == size + 1) for size in SIZES}
            return
        for network in removed:
            ordered = self._ordered[len(network) - 1]
            del ordered[bisect_left(ordered, network)]
        for network in added:
            insort(self._ordered[len(network) - 1], network)

    def rows_above(self, network: Network) -> Iterator[Network]:
        """The rows that hold the whole network, the longest first; its own too."""
        for length in range(network.length, -1, -1):
            if self._lengths[len(network), length]:
                row = Network.holding(network.first, length)
                if row in self.names:
                    yield row

    def row_of(self, network: Network) -> Network | None:
        """The longest row that holds the whole network; it may be the network's own."""
        return network if network in self.names else next(self.rows_above(network), None)

    def row_at(self, address: Address) -> Network | None:
        """The row that answers the address."""
        return self.row_of(Network.holding(address, len(address) * 8))

    def rows_below(self, network: Network) -> list[Network]:
        """The rows whose addresses are all in the network, its own too, each before those that it holds."""
        return self._rows_in(network, Range.of(network))

    def parts(self, network: Network) -> Iterator[Part]:
        """The ranges that make up the network, in order, each with the row that answers it."""
        whole = Range.of(network)
        below = self._rows_in(network, whole)
        if below == [network]:  # as most rows are
            return iter((Part(whole, network),))
        return walk(whole, self.row_of(network), below)

    def _rows_in(self, network: Network, whole: Range) -> list[Network]:
        size = len(network) - 1
        ordered = self._ordered[size]
        start = bisect_left(ordered, network)
        return ordered[start : bisect_right(ordered, whole.last.to_bytes(size) + b"\xff", start)]

    def all_parts(self, size: int) -> Iterator[Part]:
        """The ranges that make up all addresses of this size, in bytes."""
        return self.parts(Network(bytes(size + 1)))


def walk(whole: Range, row: Network | None, below: Iterable[Network]) -> Iterator[Part]:
    """The parts of a range that one row answers but for the rows below it, which come each before those it holds."""
    open_rows = [(whole.last, row)]
    at = whole.first
    for network in below:
        first, last = Range.of(network)
        while open_rows[-1][0] < first:
            end, answering = open_rows.pop()
            if at <= end:
                yield Part(Range(at, end), answering)
                at = end + 1
        if at < first:
            yield Part(Range(at, first - 1), open_rows[-1][1])
            at = first
        open_rows.append((last, network))
    for end, answering in reversed(open_rows):
        if at <= end:
            yield Part(Range(at, end), answering)
            at = end + 1


def overlapping(one: Range, parts: Sequence[Part]) -> Iterator[Part]:
    """What a range and each of the parts, disjoint and in order, have in common."""
    at = bisect_left(parts, one.first, key=attrgetter("range.last"))
    while at < len(parts) and parts[at].range.first <= one.last:
        first, last = parts[at].range
        yield Part(Range(max(first, one.first), min(last, one.last)), parts[at].network)
        at += 1


def disjoint(ranges: Iterable[tuple[int, Range]]) -> list[tuple[int, Range]]:
    """The same addresses, each once; every range comes with the size of its addresses, in bytes."""
    joined: list[tuple[int, Range]] = []
    for size, one in sorted(ranges):
        if joined and joined[-1][0] == size and one.first <= joined[-1][1].last + 1:
            joined[-1] = size, Range(joined[-1][1].first, max(joined[-1][1].last, one.last))
        else:
            joined.append((size, one))
    return joined


def count_slash64s(ranges: Iterable[Range]) -> int:
    """How many IPv6 networks of length 64 these ranges touch, each counted once."""
    number, seen = 0, -1
    for first, last in sorted((addresses.first >> 64, addresses.last >> 64) for addresses in ranges):
        number += max(0, last - max(first, seen + 1) + 1)
        seen = max(seen, last)
    return number


def outermost(networks: Iterable[Network]) -> list[Network]:
    """Those that no other of them holds, in order, IPv4 first."""
    found: list[Network] = []
    last, length = -1, 0
    for network in sorted(sorted(networks), key=len):
        first = int.from_bytes(network[:-1])
        if len(network) != length or first > last:
            found.append(network)
            last, length = Range.of(network).last, len(network)
    return found
