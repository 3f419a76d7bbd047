"""The answers of all addresses of a subnet, from a snapshot."""

from __future__ import annotations

from ..net.addresses import Network
from ..net.ranges import Range, walk
from ..net.split import SplitPart, split
from .answers import Match
from .snapshot import Snapshot


class SubnetAnswers:
    """A subnet, split by what a snapshot answers, and the rows that do."""

    def __init__(self, snapshot: Snapshot, network: Network) -> None:
        inside = snapshot.inside(network)
        around = [at for at in snapshot.holding(network.first) if snapshot.network_at(at).length < network.length]
        self.snapshot = snapshot
        self._positions = {snapshot.network_at(at): at for at in (*around[:1], *inside)}
        self._rowless = snapshot.rules.rowless
        above = snapshot.network_at(around[0]) if around else None
        below = (snapshot.network_at(at) for at in inside)
        self.parts: list[SplitPart] = split(walk(Range.of(network), above, below), self._names)
        """In order; together they are the subnet."""

    @property
    def is_split(self) -> bool:
        """Do not all addresses get the same?"""
        return len(self.parts) > 1

    def match(self, row: Network) -> Match:
        """A row of a part."""
        return self.snapshot.match_at(self._positions[row])

    def _names(self, row: Network | None) -> tuple[str, ...] | None:
        return self.match(row).names if row is not None else self._rowless
