"""A subnet, split into the ranges that get one answer each; two such splits, and where they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import nsmallest
from typing import NamedTuple, TypeVar

from .addresses import Address, Network, format_address
from .ranges import Names, Part, Range

LISTED = 20
"""Parts of a subnet, or rows, that an answer lists; the rest is counted."""


class SplitPart(NamedTuple):
    """Addresses that get one answer (None: none at all), and the rows that give it, in order."""

    range: Range
    names: Names | None
    rows: tuple[Network, ...]


class PartChange(NamedTuple):
    """Addresses that got one answer and get another."""

    range: Range
    before: Names | None
    after: Names | None


Sized = TypeVar("Sized", SplitPart, PartChange)


def split(parts: Iterable[Part], answer: Callable[[Network | None], Names | None]) -> list[SplitPart]:
    """The parts of a subnet, which come one behind the other, with those joined that get the same answer."""
    found: list[tuple[Range, Names | None, dict[Network, None]]] = []
    for addresses, row in parts:
        names = answer(row)
        if found and found[-1][1] == names:
            before, _, rows = found.pop()
            addresses = Range(before.first, addresses.last)  # noqa: PLW2901  it grows
        else:
            rows = {}
        if row is not None:
            rows[row] = None
        found.append((addresses, names, rows))
    return [SplitPart(addresses, names, tuple(rows)) for addresses, names, rows in found]


def part_changes(before: Sequence[SplitPart], after: Sequence[SplitPart]) -> Iterator[PartChange]:
    """Where two splits of one subnet differ, in order."""
    ends = sorted({part.range.last for part in (*before, *after)})
    olds, news = iter(before), iter(after)
    old, new, at = next(olds), next(news), before[0].range.first
    growing: PartChange | None = None
    for end in ends:
        one = PartChange(Range(at, end), old.names, new.names)
        if growing and growing[1:] == one[1:]:
            growing = growing._replace(range=Range(growing.range.first, end))
        else:
            if growing and growing.before != growing.after:
                yield growing
            growing = one
        at = end + 1
        old, new = next(olds, old) if old.range.last == end else old, next(news, new) if new.range.last == end else new
    if growing and growing.before != growing.after:
        yield growing


def largest(parts: Iterable[Sized], most: int = LISTED) -> list[Sized]:
    """The largest of these, the largest first, then by address."""
    return nsmallest(most, parts, key=lambda part: (-part.range.size, part.range.first))


def range_text(addresses: Range, size: int) -> str:
    """A range as a subnet, else from its first address to its last; `size` is that of an address, in bytes."""
    networks = list(addresses.networks(size))
    if len(networks) == 1:
        return str(networks[0])
    return " - ".join(format_address(Address(end.to_bytes(size))) for end in addresses)
