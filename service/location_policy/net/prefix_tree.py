"""A prefix tree: of the networks in it, the longest prefix that matches an address.

Of two networks, one holds the other or they share no address. So networks form a tree, in which the parent of each is
the longest of those that hold it. Sorted by first address, then by length, they are that tree in preorder.

A lookup finds the last network that starts at or before the address. A network that holds the address starts no later
and ends no sooner, so it holds that last one too, or is it: the answer is on the path from there to the root. One
number says where: `apart`, how many low bits it takes to cover every difference between the address and the start of
that last network. A network on the path holds the address exactly when it leaves at least so many bits free.

Filling finds parents the same way: of the networks that sort before this one, any that holds its first address holds
all of it. A step up leaves a network for good, so filling costs no more than the sort.

Each family is a few flat arrays side by side: an entry takes 13 bytes (IPv4) or 25 (IPv6), of any network.
Entry 0 is the root: it holds every address, stands for no row, and stops each climb, after 33 or 129 steps at most. The
top bits of an address choose the slice to bisect: never more slices than twice the rows, never more than 65,536.
`benchmarks/measures/prefix_tree.py` measures this beside what else was tried.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from .addresses import Address, Network

_LOW_WORD = (1 << 64) - 1
_MOST_TOP_BITS = 16
_NO_ROW = -1


class PrefixTree:
    """Networks of both families and the longest of them for an address; never changes, so threads may share it."""

    __slots__ = ("_ipv4", "_ipv6")

    def __init__(self, networks: Sequence[Network]) -> None:
        """The networks are distinct; each is known by its index."""
        self._ipv4 = _Family(32, networks)
        self._ipv6 = _Family(128, networks)

    def longest_match(self, address: Address) -> int | None:
        """The index of the longest network that holds the address."""
        family = self._ipv4 if len(address) == 4 else self._ipv6
        row = family.longest_match(int.from_bytes(address))
        return None if row == _NO_ROW else row

    # --- the networks as a list in the order of their addresses, IPv4 first: each has a position in it ---

    def rows(self) -> array[int]:
        """The index of each network, by position."""
        return self._ipv4.rows() + self._ipv6.rows()

    def row(self, position: int) -> int:
        """The index of the network at a position."""
        before = len(self._ipv4)
        return self._ipv4.row(position) if position < before else self._ipv6.row(position - before)

    def network(self, position: int) -> Network:
        """The network at a position."""
        before = len(self._ipv4)
        return self._ipv4.network(position) if position < before else self._ipv6.network(position - before)

    def holding(self, address: Address) -> list[int]:
        """The positions of the networks that hold the address, the longest first."""
        family, before = self._family(address)
        return [before + position for position in family.holding(int.from_bytes(address))]

    def inside(self, network: Network) -> range:
        """The positions of the networks whose addresses are all in this one, its own too."""
        family, before = self._family(network.first)
        found = family.inside(network)
        return range(before + found.start, before + found.stop)

    def _family(self, address: Address) -> tuple[_Family, int]:
        """The family of an address, and how many networks stand before those of it."""
        return (self._ipv4, 0) if len(address) == 4 else (self._ipv6, len(self._ipv4))


class _Family:
    """The networks of one address family; an address is a number, kept as two words (IPv6) or one (IPv4)."""

    __slots__ = ("_free", "_high", "_low", "_low_bits", "_parents", "_rows", "_slices", "_top_shift", "_width")

    def __init__(self, width: int, networks: Sequence[Network]) -> None:
        size = width // 8 + 1
        rows = sorted((row for row, network in enumerate(networks) if len(network) == size), key=networks.__getitem__)
        self._width = width
        self._low_bits = 64 if width == 128 else 0
        self._high = array("Q" if self._low_bits else "I", [0])
        self._low = array("Q", [0])
        self._free = array("B", [width])
        self._parents = array("I", [0])
        self._rows = array("i", [_NO_ROW])
        self._fill(width, networks, rows)
        top_bits = min(_MOST_TOP_BITS, len(rows).bit_length())
        self._top_shift = width - self._low_bits - top_bits
        tops = range((1 << top_bits) + 1)
        self._slices = array("I", (bisect_left(self._high, top << self._top_shift) for top in tops))

    def _fill(self, width: int, networks: Sequence[Network], rows: Sequence[int]) -> None:
        free, parents = self._free, self._parents
        last = before = 0
        for row in rows:
            network = networks[row]
            first = int.from_bytes(network.first)
            apart = (first ^ before).bit_length()
            parent = last
            while free[parent] < apart:
                parent = parents[parent]
            last, before = len(free), first
            parents.append(parent)
            free.append(width - network.length)
            self._high.append(first >> self._low_bits)
            if self._low_bits:
                self._low.append(first & _LOW_WORD)
        self._rows.extend(rows)

    def __len__(self) -> int:
        return len(self._free) - 1

    def longest_match(self, address: int) -> int:
        """The row of the longest network that holds the address, or -1."""
        return self._rows[self._entry(address)]

    def rows(self) -> array[int]:
        """The row of each network in order."""
        return self._rows[1:]

    def row(self, position: int) -> int:
        """The row at a position."""
        return self._rows[position + 1]

    def network(self, position: int) -> Network:
        """The network at a position, which is one less than its entry: the root has none."""
        first, length = divmod(self._key(position + 1), 256)
        return Network(first.to_bytes(self._width // 8) + bytes((length,)))

    def holding(self, address: int) -> list[int]:
        """The positions of the networks that hold the address, the longest first."""
        at, found = self._entry(address), []
        while at:
            found.append(at - 1)
            at = self._parents[at]
        return found

    def inside(self, network: Network) -> range:
        """The positions of the networks inside this one."""
        first = int.from_bytes(network.first)
        last = first | (1 << self._width - network.length) - 1
        entries = range(1, len(self._free))
        start = bisect_left(entries, first << 8 | network.length, key=self._key)
        return range(start, bisect_right(entries, last << 8 | 255, start, key=self._key))

    def _key(self, entry: int) -> int:
        """First address and length of a network in one number, by which they are in order."""
        first = self._high[entry] << self._low_bits | (self._low[entry] if self._low_bits else 0)
        return first << 8 | self._width - self._free[entry]

    def _entry(self, address: int) -> int:
        """The entry of the longest network that holds the address, or the root's."""
        high, word = self._high, address >> self._low_bits
        top = word >> self._top_shift
        start = self._slices[top]
        at = bisect_right(high, word, start, self._slices[top + 1]) - 1
        apart = (word ^ high[at]).bit_length() + self._low_bits
        if self._low_bits and high[at] == word:
            start = bisect_left(high, word, start, at)
            at = bisect_right(self._low, address & _LOW_WORD, start, at + 1) - 1
            apart = (address ^ (high[at] << 64 | self._low[at])).bit_length()
        while self._free[at] < apart:
            at = self._parents[at]
        return at
