"""Two maps -> the ranges of addresses whose answer differs.

What a reviewer needs to see is not rows but addresses: a row that moves to another file, or two rows that say what one
said, change nothing, and one row can change what a thousand addresses get. An answer is a location and its overflow
locations: those of the longest row that holds the address, else the default.

Only inside a row that is gone, has come or names others can an answer differ, so only there is it looked for: the cost
follows the rows that changed, and what they hold.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from ..config.location_map import LocationMap
from ..config.row_diff import RowChanges, file_changes
from ..net.addresses import Network
from ..net.ranges import SIZES, AddressSpace, Names, Part, Range, outermost

Kind = Literal["moved", "added", "removed", "overflow"]
KINDS: tuple[Kind, ...] = ("moved", "removed", "added", "overflow")


class Change(NamedTuple):
    """Ranges whose addresses all got one answer before and get another after; None: none at all.

    The ranges are disjoint, in order, of one family (`size`: bytes of an address) and never next to each other. `rows`
    are those that answer now; where no row does, those that answered before.
    """

    size: int
    ranges: tuple[Range, ...]
    before: Names | None
    after: Names | None
    rows: tuple[Network, ...]

    @property
    def kind(self) -> Kind:
        """moved: another location. overflow: the same location, other overflow locations."""
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return "moved" if self.before[0] != self.after[0] else "overflow"

    def subnets(self) -> Iterator[Network]:
        """The fewest networks that make up the ranges, in order."""
        for addresses in self.ranges:
            yield from addresses.networks(self.size)


def address_space(location_map: LocationMap) -> AddressSpace:
    """The rows of a map by what they answer."""
    return AddressSpace(location_map.answers())


def row_changes(old: LocationMap, new: LocationMap) -> RowChanges:
    """How what rows answer differs, wherever they stand; cheap where both maps were loaded by one gate."""
    found = file_changes(old.files, new.files)
    if not (old.rules.overflow_table or new.rules.overflow_table):
        return found
    from ..config.overflow.row_answers import answer_changes  # most configurations have no table

    return answer_changes(found, old, new)


def changes(
    space: AddressSpace, rows: RowChanges, rowless: tuple[Names | None, Names | None] = (None, None)
) -> list[Change]:
    """The ranges whose answer differs, in order, IPv4 first; `space`, which has the old rows, goes on to the new.

    `rowless` are the answers, old and new, for an address that no row covers. That they differ is no change of an
    address that has no row in either map.
    """
    places = outermost({*rows.gone, *rows.come})
    redrawn = _redrawn(places, rows)
    before = deque(tuple(space.parts(place)) for place in places)  # each is let go once it is compared
    old_names = {part.network: space.names[part.network] for parts in before for part in parts if part.network}
    space.move(rows.gone, rows.come)
    found = deque[_Growing]()
    growing: dict[tuple[int, Names | None, Names | None], _Growing] = {}
    for number, place in enumerate(places):
        size, parts = len(place) - 1, before.popleft()
        pieces = _overlay(parts, space.parts(place)) if place in redrawn else ((*part, part.network) for part in parts)
        for addresses, was, now in pieces:
            row = now or was
            assert row is not None  # `place` is a row of one of the two
            old = old_names[was] if was else rowless[0]
            new = space.names[now] if now else rowless[1]
            if old == new:
                continue
            change = growing.get((size, old, new))
            if change is None or not change.takes(number, addresses):
                change = growing[size, old, new] = _Growing(size, old, new)
                found.append(change)
            change.add(number, addresses, row)
    growing.clear()
    return [found.popleft().done() for _ in range(len(found))]


class _Growing:
    """A change to which ranges are added: those of one outermost row, and what they touch."""

    __slots__ = ("_after", "_before", "_place", "_ranges", "_rows", "_size")

    def __init__(self, size: int, before: Names | None, after: Names | None) -> None:
        self._size, self._before, self._after = size, before, after
        self._place = -1
        self._ranges: list[Range] = []
        self._rows: list[Network] = []

    def takes(self, place: int, addresses: Range) -> bool:
        return self._place == place or self._ranges[-1].last + 1 == addresses.first

    def add(self, place: int, addresses: Range, row: Network) -> None:
        self._place = place
        if self._ranges and self._ranges[-1].last + 1 == addresses.first:
            addresses = Range(self._ranges.pop().first, addresses.last)
        self._ranges.append(addresses)
        self._rows.append(row)

    def done(self) -> Change:
        return Change(self._size, tuple(self._ranges), self._before, self._after, tuple(dict.fromkeys(self._rows)))


def _redrawn(places: Sequence[Network], rows: RowChanges) -> set[Network]:
    """Those of the outermost rows in which a row is gone or has come; in the others only names differ, no ranges."""
    differing = rows.gone.keys() ^ rows.come.keys()
    by_size = {size: [place for place in places if len(place) == size + 1] for size in SIZES}
    inner = differing.difference(places)
    holders = ((by_size[len(row) - 1], row) for row in inner)
    return differing | {ordered[bisect_right(ordered, row) - 1] for ordered, row in holders}


def _overlay(before: Iterable[Part], after: Iterable[Part]) -> Iterator[tuple[Range, Network | None, Network | None]]:
    """The parts of both, cut at the ends of each, with the row that answered and the row that answers."""
    news = iter(after)
    new = next(news)
    for old in before:
        at = old.range.first
        while new.range.last < old.range.last:
            yield Range(at, new.range.last), old.network, new.network
            at = new.range.last + 1
            new = next(news)
        yield Range(at, old.range.last), old.network, new.network
        if new.range.last == old.range.last:
            new = next(news, new)
