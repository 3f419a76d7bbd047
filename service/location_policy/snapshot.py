"""One commit, loaded; never changes.

The rows are kept in flat arrays, some ten bytes a row: which names, which line, how long the network's prefix is. The
network itself follows from the address that was asked for.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from .addresses import Address, Network
from .location_map import LocationMap
from .prefix_tree import PrefixTree
from .problems import Problem
from .repository import Commit
from .rules import Rules


@dataclass(frozen=True, slots=True)
class Match:
    """The row that answers: its network, its names (the location first), and the place where it stands."""

    network: Network
    names: tuple[str, ...]
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is answered from: the rules and the rows of one commit (None for a working copy).

    `size` counts rows, `locations` counts them by their first column.
    """

    commit: Commit | None
    loaded_at: datetime
    rules: Rules
    warnings: tuple[Problem, ...]
    size: int
    locations: Mapping[str, int]
    _tree: PrefixTree
    _lengths: bytes
    _lines: array[int]
    _names: tuple[tuple[str, ...], ...]
    _names_of: array[int]
    _paths: tuple[str, ...]
    _starts: tuple[int, ...]

    def match(self, address: Address) -> Match | None:
        """The row of the longest network that holds the address."""
        row = self._tree.longest_match(address)
        if row is None:
            return None
        path = self._paths[bisect_right(self._starts, row) - 1]
        network = Network.holding(address, self._lengths[row])
        return Match(network, self._names[self._names_of[row]], path, self._lines[row])


def take(location_map: LocationMap, commit: Commit | None) -> Snapshot:
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
        warnings=location_map.warnings,
        size=len(networks),
        locations=MappingProxyType(dict(sorted(counts.items()))),
        _tree=PrefixTree(networks),
        _lengths=bytes(network[-1] for network in networks),
        _lines=lines,
        _names=names,
        _names_of=names_of,
        _paths=tuple(_shown(file.path) for file in location_map.files),
        _starts=tuple(starts),
    )


def _shown(path: str) -> str:
    """A path as it can be sent: git's paths are any bytes."""
    return path.encode(errors="surrogateescape").decode(errors="replace")
