"""A snapshot: one commit, loaded to answer from; it never changes.

The rows are kept in flat arrays, some ten bytes a row: which names, which line, how long the network's prefix is. The
network itself follows from the address that was asked for.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import NamedTuple

from ..config.commit import Commit
from ..config.location_map import LocationMap
from ..config.policy_toml import Rules, parameter_name
from ..config.row_file import RowFile
from ..config.views.calls import Condition, conditions
from ..net.addresses import Address, Network
from ..net.prefix_tree import PrefixTree
from ..text import count
from .answers import AnswerEncoder, Match
from .query_string import Parameters


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is answered from: the rules and the rows of one commit (None for a working copy).

    `size` counts rows, `locations` counts them by their first column. Of each row, by its number: the length of its
    network, its line, its names (their place in `names`). Those of a path begin at the number in the same place of
    `starts`. Names have the overflow locations of the table, where a row has the location alone: those of the line in
    the same place of `overflow_lines` (0: of none).

    With views it is the map at the top, and each of `views`, in their order, is the snapshot of one; its `view` is the
    name.
    """

    commit: Commit | None
    loaded_at: datetime
    rules: Rules
    size: int
    locations: Mapping[str, int]
    lengths: bytes
    lines: array[int]
    names: tuple[tuple[str, ...], ...]
    overflow_lines: tuple[int, ...]
    names_of: array[int]
    paths: tuple[str, ...]
    starts: tuple[int, ...]
    wording: AnswerEncoder
    _tree: PrefixTree
    view: str | None = None
    views: tuple[Snapshot, ...] = ()
    _asked: tuple[Condition, ...] = ()
    """What views ask for, by the names of parameters as `Parameters` has them."""

    @property
    def maps(self) -> tuple[Snapshot, ...]:
        """This one and those of the views."""
        return self, *self.views

    @property
    def total_size(self) -> int:
        """How many rows there are, with those of views."""
        return sum(one.size for one in self.maps)

    @property
    def size_text(self) -> str:
        """How many subnets there are in all, and how many views, in words."""
        views = f" and {count(len(self.views), 'view')}" if self.views else ""
        return f"{count(self.total_size, 'subnet')}{views}"

    def of(self, commit: Commit) -> Snapshot:
        """The same for another commit, loaded now."""
        wording = AnswerEncoder(self.rules, commit.id, self.view)
        views = tuple(view.of(commit) for view in self.views)
        return replace(self, commit=commit, loaded_at=datetime.now(UTC), wording=wording, views=views)

    def of_view(self, name: str | None) -> Snapshot | None:
        """That of a view, or without a name the map at the top; None where there is no such view."""
        return next((one for one in self.maps if one.view == (name or None)), None)

    def answering(self, parameters: Parameters) -> Snapshot:
        """What answers a call: the first view whose conditions all hold, else the map at the top."""
        if not self.views:
            return self
        left = -1
        for parameter, views, others in self._asked:  # as `first_view` does, without a call for each parameter
            left &= views.get(parameters.first(parameter).casefold(), others)
        number = (left & -left).bit_length() - 1
        return self.views[number] if number < len(self.views) else self

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
        number = self.names_of[row]
        return Match(network, self.names[number], path, self.lines[row], self.overflow_lines[number])


def build_snapshot(location_map: LocationMap, commit: Commit | None) -> Snapshot:
    """The snapshot of a map, and of its views."""
    views = location_map.rules.views
    asked = (one._replace(parameter=parameter_name(one.parameter)) for one in conditions(views))
    built = _Builder(commit)
    made = tuple(built.snapshot(view) for view in location_map.views)
    return replace(built.snapshot(location_map), views=made, _asked=tuple(asked))


class _Rows(NamedTuple):
    """The rows of some files, as a snapshot has them."""

    size: int
    locations: Mapping[str, int]
    lengths: bytes
    lines: array[int]
    names: tuple[tuple[str, ...], ...]
    names_of: array[int]
    starts: tuple[int, ...]
    tree: PrefixTree


class _Builder:
    """Builds the snapshots of one commit; maps whose files have the same lines share what is made of them."""

    def __init__(self, commit: Commit | None) -> None:
        self._commit = commit
        self._made: dict[tuple[int, ...], _Rows] = {}

    def snapshot(self, location_map: LocationMap) -> Snapshot:
        key = tuple(id(file.lines) for file in location_map.files)
        rows = self._made.get(key) or self._made.setdefault(key, _rows(location_map.files))
        commit, rules, view = self._commit, location_map.rules, location_map.name
        return Snapshot(
            commit=commit,
            loaded_at=datetime.now(UTC),
            rules=rules,
            size=rows.size,
            locations=rows.locations,
            wording=AnswerEncoder(rules, commit.id if commit else None, view),
            _tree=rows.tree,
            lengths=rows.lengths,
            lines=rows.lines,
            names=tuple(map(rules.with_overflow, rows.names)) if rules.overflow_table else rows.names,
            overflow_lines=tuple(map(rules.overflow_line, rows.names)),
            names_of=rows.names_of,
            paths=tuple(shown_path(file.path) for file in location_map.files),
            starts=rows.starts,
            view=view,
        )


def _rows(files: Sequence[RowFile]) -> _Rows:
    networks: list[Network] = []
    lines, names_of = array("I"), array("I")
    numbers: dict[tuple[str, ...], int] = {}
    starts = []
    for file in files:
        starts.append(len(networks))
        for line, row in file.rows():
            networks.append(row.network)
            lines.append(line)
            names_of.append(numbers.setdefault(row.names, len(numbers)))
    names = tuple(numbers)
    counts = Counter[str]()
    for number, rows in Counter(names_of).items():
        counts[names[number][0]] += rows
    return _Rows(
        size=len(networks),
        locations=MappingProxyType(dict(sorted(counts.items()))),
        lengths=bytes(network[-1] for network in networks),
        lines=lines,
        names=names,
        names_of=names_of,
        starts=tuple(starts),
        tree=PrefixTree(networks),
    )


def shown_path(path: str) -> str:
    """A path as it can be sent: git's paths are any bytes."""
    return path.encode(errors="surrogateescape").decode(errors="replace")
