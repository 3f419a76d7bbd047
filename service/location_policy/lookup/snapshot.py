"""A snapshot: one commit, loaded to answer from; it never changes.

The rows are kept in flat arrays, some ten bytes a row: which names, which line, how long the network's prefix is. The
network itself follows from the address that was asked for.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType

from ..config.commit import Commit
from ..config.location_map import LocationMap
from ..config.policy_toml import Rules
from ..net.addresses import Address, Network
from ..net.prefix_tree import PrefixTree
from .answers import AnswerEncoder, Match


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is answered from: the rules and the rows of one commit (None for a working copy).

    `size` counts rows, `locations` counts them by their first column. Of each row, by its number: the length of its
    network, its line, its names (their place in `names`). Those of a path begin at the number in the same place of
    `starts`.
    """

    commit: Commit | None
    loaded_at: datetime
    rules: Rules
    size: int
    locations: Mapping[str, int]
    lengths: bytes
    lines: array[int]
    names: tuple[tuple[str, ...], ...]
    names_of: array[int]
    paths: tuple[str, ...]
    starts: tuple[int, ...]
    wording: AnswerEncoder
    _tree: PrefixTree

    def of(self, commit: Commit) -> Snapshot:
        """The same for another commit, loaded now."""
        wording = AnswerEncoder(self.rules, commit.id)
        return replace(self, commit=commit, loaded_at=datetime.now(UTC), wording=wording)

    def match(self, address: Address) -> Match | None:
        """The row of the longest network that holds the address."""
        row = self._tree.longest_match(address)
        if row is None:
            return None
        return self._match(row, Network.holding(address, self.lengths[row]))

    # --- the rows as a list in the order of addresses, IPv4 first: each has a position in it ---

    def by_address(self) -> array[int]:
        """The number of each row, by position."""
        return self._tree.rows()

    def match_at(self, position: int) -> Match:
        """The row at a position."""
        return self._match(self._tree.row(position), self._tree.network(position))

    def network_at(self, position: int) -> Network:
        """The network at a position."""
        return self._tree.network(position)

    def holding(self, address: Address) -> list[int]:
        """The positions of the rows that hold the address, the longest first."""
        return self._tree.holding(address)

    def inside(self, network: Network) -> range:
        """The positions of the rows whose addresses are all in this network, its own too."""
        return self._tree.inside(network)

    def _match(self, row: int, network: Network) -> Match:
        path = self.paths[bisect_right(self.starts, row) - 1]
        return Match(network, self.names[self.names_of[row]], path, self.lines[row])


def build_snapshot(location_map: LocationMap, commit: Commit | None) -> Snapshot:
    """The snapshot of a map."""
    networks: list[Network] = []
    lines, names_of = array("I"), array("I")
    numbers: dict[tuple[str, ...], int] = {}
    starts = []
    for file in location_map.files:
        starts.append(len(networks))
        for line, row in file.rows():
            networks.append(row.network)
            lines.append(line)
            names_of.append(numbers.setdefault(row.names, len(numbers)))
    names = tuple(numbers)
    counts = Counter[str]()
    for number, rows in Counter(names_of).items():
        counts[names[number][0]] += rows
    return Snapshot(
        commit=commit,
        loaded_at=datetime.now(UTC),
        rules=location_map.rules,
        size=len(networks),
        locations=MappingProxyType(dict(sorted(counts.items()))),
        wording=AnswerEncoder(location_map.rules, commit.id if commit else None),
        _tree=PrefixTree(networks),
        lengths=bytes(network[-1] for network in networks),
        lines=lines,
        names=names,
        names_of=names_of,
        paths=tuple(shown_path(file.path) for file in location_map.files),
        starts=tuple(starts),
    )


def shown_path(path: str) -> str:
    """A path as it can be sent: git's paths are any bytes."""
    return path.encode(errors="surrogateescape").decode(errors="replace")
