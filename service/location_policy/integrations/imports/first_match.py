"""The old rule held against ours: *the first row that holds the address* against *the longest prefix*, everywhere.

Of two subnets that share addresses one holds the other. So a row that another one before it holds is never come to.
Among the rows that are left a wider one stands after those that it holds, and for those both rules say the same: the
old rule is our own, over fewer rows. What differs is then found by ranges of addresses, not by samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ...config.location_map import LocationMap
from ...config.row_diff import RowChanges
from ...net.addresses import Address, Network
from ...net.ranges import AddressSpace, Names, Range
from ...plan.answer_changes import changes
from .pexsubnet import OldRow, mended


class Difference(NamedTuple):
    """Addresses that get another answer than they did; None: none at all."""

    size: int
    """Bytes of an address."""
    range: Range
    before: Names | None
    """As it was sent, empty names too."""
    after: Names | None
    old_row: OldRow | None
    """That of the first address, and likewise the new one."""
    new_row: Network | None

    @property
    def is_form(self) -> bool:
        """Is it the same answer but for names that no location can have: empty, with space around them, or twice?"""
        return self.before is not None and self.after == mended(self.before)


def answering_rows(rows: Sequence[OldRow]) -> Mapping[Network, OldRow]:
    """The rows that the old rule can come to, by their subnets; what it gives is the longest of them."""
    found: dict[Network, OldRow] = {}
    lengths: set[int] = set()
    for row in rows:
        first, length = row.network.first, row.network.length
        wider = (Network.holding(first, other) for other in lengths if other <= length)
        if row.is_tried and found.keys().isdisjoint(wider):
            found[row.network] = row
            lengths.add(length)
    return found


def differences(answering: Mapping[Network, OldRow], location_map: LocationMap) -> Iterator[Difference]:
    """The ranges whose answer differs between the old rule and a map of ours, in order, IPv4 first."""
    old = {network: row.sent for network, row in answering.items()}
    new = location_map.answers()
    before, after = AddressSpace(old), AddressSpace(new)
    gone = {network: names for network, names in old.items() if new.get(network) != names}
    come = {network: names for network, names in new.items() if old.get(network) != names}
    for change in changes(AddressSpace(old), RowChanges(gone, come), (None, location_map.rules.rowless)):
        for addresses in change.ranges:
            first = Address(addresses.first.to_bytes(change.size))
            was = before.row_at(first)
            old_row = answering[was] if was else None
            yield Difference(change.size, addresses, change.before, change.after, old_row, after.row_at(first))
