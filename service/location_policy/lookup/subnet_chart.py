"""A picture of the address space: the subnets of a map as bars, each below the one that holds it, gaps left open.

The whole width is one network, the root. A subnet is as wide as its share of the root. What is too narrow to be seen is
drawn together: the root has `1 << ZOOM` slots, and the subnets that begin in one slot and fill less than one become one
bar, which leads into that slot. So a picture has a bounded number of bars, however many rows there are, and each look
closer is `ZOOM` bits of the address.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ..net.addresses import Address, Network
from ..net.ranges import Range
from .answers import Match
from .snapshot import Snapshot

ZOOM = 6
"""Bits of the address between one picture and that of its narrowest bar."""
DEPTH = 6
"""Rows of bars below the root; what lies deeper is seen from closer."""
SAMPLE = 500
"""Rows of one bar that are looked at, evenly, to tell which locations they have."""
PARTS = {4: 8, 16: 16}
"""Lengths of the parts of the address space that are drawn by themselves, by size of an address."""
ALLOCATIONS = 20
"""Such parts that are offered."""
NAMED = 4
"""Locations of one bar that are told; the rest is one share."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Addresses that one row answers, but for the bars below it; or several narrow subnets; or a gap.

    `start` and `width` are shares of the root, `depth` counts from 0, the root. `leads_to` is what a look closer shows.
    `rows` counts them: 0 for a gap. `match` is the row where it is one. `shares` says which locations the rows have and
    how much of them, the commonest first; it is empty for a gap.
    """

    start: float
    width: float
    depth: int
    addresses: Range
    leads_to: Network
    rows: int
    match: Match | None
    shares: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """The bars of a network, each before those below it; `wider` is what a look from further away shows."""

    root: Network
    wider: Network | None
    bars: tuple[Bar, ...]
    rows: int
    """Inside the root."""

    @property
    def depth(self) -> int:
        """How many rows of bars there are, the root's too."""
        return 1 + max(bar.depth for bar in self.bars)


def whole(snapshot: Snapshot, size: int) -> Network:
    """The longest network that holds every row of a family (`size`: bytes of an address)."""
    family = snapshot.inside(Network(bytes(size + 1)))
    if not family:
        return Network(bytes(size + 1))
    first = int.from_bytes(snapshot.network_at(family[0]).first)
    last = Range.of(snapshot.network_at(family[-1])).last
    free = max((first ^ last).bit_length(), size * 8 - snapshot.network_at(family[0]).length)
    return Network.holding(Address(first.to_bytes(size)), size * 8 - free)


def allocations(snapshot: Snapshot) -> list[Network]:
    """For each part of the address space in use the longest network that holds its rows, the one with most rows first.

    Parts are the networks of length 8 of IPv4, and 16 of IPv6; wider rows are in none.
    """
    found: list[tuple[int, Network]] = []
    for size, length in PARTS.items():
        family = snapshot.inside(Network(bytes(size + 1)))
        at = family.start
        while at < family.stop and len(found) < ALLOCATIONS:
            network = snapshot.network_at(at)
            if network.length < length:
                at += 1
                continue
            rows = snapshot.inside(Network.holding(network.first, length))
            found.append((len(rows), _holding(snapshot, rows)))
            at = rows.stop
    return [network for _, network in sorted(found, key=lambda one: -one[0])]


def _holding(snapshot: Snapshot, rows: range) -> Network:
    """The longest network that holds rows beside each other."""
    first = snapshot.network_at(rows.start)
    size = len(first) - 1
    low = int.from_bytes(first.first)
    last = max(Range.of(snapshot.network_at(at)).last for at in (rows.start, rows.stop - 1))
    free = max((low ^ last).bit_length(), size * 8 - first.length)
    return Network.holding(first.first, size * 8 - free)


def draw(snapshot: Snapshot, root: Network) -> Picture:
    """The picture of one network."""
    above = [at for at in snapshot.holding(root.first) if snapshot.network_at(at).length <= root.length]
    match = snapshot.match_at(above[0]) if above else None
    addresses = Range.of(root)
    inside = snapshot.inside(root)
    below = range(inside.start + (bool(above) and snapshot.network_at(above[0]) == root), inside.stop)
    bar = Bar(0.0, 1.0, 0, addresses, root, int(match is not None), match, ((match.names[0], 1.0),) if match else ())
    pen = _Pen(snapshot, root)
    bars = (bar, *pen.level(addresses, below, 1, is_covered=match is not None))
    return Picture(root, _wider(root), bars, len(inside))


def _wider(root: Network) -> Network | None:
    if root.length == 0:
        return None
    return Network.holding(root.first, max(0, root.length - ZOOM))


class _Pen:
    """Draws the rows inside one root."""

    def __init__(self, snapshot: Snapshot, root: Network) -> None:
        self._snapshot = snapshot
        self._rows, self._names_of = snapshot.by_address(), snapshot.names_of
        self._root = Range.of(root)
        self._size = len(root.first)
        self._slot_length = min(root.length + ZOOM, len(root.first) * 8)

    def level(self, whole: Range, positions: range, depth: int, *, is_covered: bool) -> Iterator[Bar]:
        """The outermost of these rows and what is inside them; where no row covers `whole`, the gaps between them."""
        at, position = whole.first, positions.start
        while position < positions.stop:
            network = self._snapshot.network_at(position)
            is_seen = network.length <= self._slot_length
            place = network if is_seen else Network.holding(network.first, self._slot_length)
            drawn, end = Range.of(place), self._snapshot.inside(place).stop
            if not is_covered:
                yield from self._gap(at, drawn.first - 1, depth)
            yield self._bar(drawn, range(position, end), depth, place)
            if is_seen and depth < DEPTH:
                yield from self.level(drawn, range(position + 1, end), depth + 1, is_covered=True)
            at, position = drawn.last + 1, end
        if not is_covered:
            yield from self._gap(at, whole.last, depth)

    def _bar(self, drawn: Range, positions: range, depth: int, place: Network) -> Bar:
        """A row with those inside it, or all rows of a slot."""
        network = self._snapshot.network_at(positions.start)
        is_one = self._snapshot.inside(network).stop == positions.stop
        if not is_one:
            return Bar(*self._share(drawn), depth, drawn, place, len(positions), None, self._locations(positions))
        match = self._snapshot.match_at(positions.start)
        addresses = Range.of(network)
        return Bar(*self._share(drawn), depth, addresses, network, len(positions), match, ((match.names[0], 1.0),))

    def _locations(self, positions: range) -> tuple[tuple[str, float], ...]:
        """The commonest locations of these rows, and their shares."""
        looked_at = positions[:: -(-len(positions) // SAMPLE)]
        counts = Counter(self._names_of[self._rows[at]] for at in looked_at)
        by_name = Counter[str]()
        for names, number in counts.items():
            by_name[self._snapshot.names[names][0]] += number
        return tuple((name, number / len(looked_at)) for name, number in by_name.most_common(NAMED))

    def _gap(self, first: int, last: int, depth: int) -> Iterator[Bar]:
        """The addresses between two bars, if there are any; a look closer shows the largest network in them."""
        if first > last:
            return
        addresses = Range(first, last)
        largest = min(addresses.networks(self._size), key=lambda network: network.length)
        yield Bar(*self._share(addresses), depth, addresses, largest, 0, None, ())

    def _share(self, addresses: Range) -> tuple[float, float]:
        """Where a range begins, and how wide it is, as shares of the root."""
        return (addresses.first - self._root.first) / self._root.size, addresses.size / self._root.size
