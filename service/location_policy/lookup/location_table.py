"""The locations of one network as a table: how many subnets, how many addresses, the largest subnet."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from ..net.addresses import Network
from ..net.ranges import Range, walk
from .snapshot import Snapshot

LARGEST = 20_000
"""Rows of a network that are gone through; of more there is no table."""


class LocationTotal(NamedTuple):
    """A location in a network: its `subnets` there, the `addresses` that they answer, and the largest of them.

    A row that answers the whole network from above counts as one.
    """

    location: str
    subnets: int
    addresses: int
    largest: Network


def location_table(snapshot: Snapshot, root: Network) -> list[LocationTotal] | None:
    """The locations that answer in a network, those with most addresses first; None where it has too many rows."""
    inside = snapshot.inside(root)
    if len(inside) > LARGEST:
        return None
    above = [at for at in snapshot.holding(root.first) if snapshot.network_at(at).length < root.length][:1]
    rows = {snapshot.network_at(at): snapshot.match_at(at).names[0] for at in (*above, *inside)}
    subnets = Counter(rows.values())
    largest: dict[str, Network] = {}
    for network, location in rows.items():
        if location not in largest or network.length < largest[location].length:
            largest[location] = network
    addresses = Counter[str]()
    below = (snapshot.network_at(at) for at in inside)
    for part in walk(Range.of(root), next((snapshot.network_at(at) for at in above), None), below):
        if part.network is not None:
            addresses[rows[part.network]] += part.range.size
    found = (LocationTotal(name, subnets[name], addresses[name], largest[name]) for name in subnets)
    return sorted(found, key=lambda one: (-one.addresses, one.location))
