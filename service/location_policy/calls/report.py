"""A report on calls: how they were answered, which networks call without a row, and which rows nobody needs; pure.

What is known of a map is asked of it anew, call by call, so a network for which a row has been written since is none
that lacks one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, TypeVar

from ..lookup import decision
from ..lookup.snapshot import Snapshot
from ..net.addresses import Address, Network
from .history_file import Remembered
from .situation import WIDER, Situation, network_of

AT_LEAST = 10
"""Calls that a network is to have that is told by itself, if nothing else is said."""
SHORTEST = {4: 16, 16: 32}
"""The length of the shortest network that is told, by the bytes of an address: of a shorter one the addresses have
little in common.
"""
ROWLESS = ("no-match", "default")
"""Outcomes of calls that no row covers."""

Key = TypeVar("Key", bound=Hashable)
Names = tuple[str, ...]


class Caller(NamedTuple):
    """A network from which calls come that no row covers, how many, and the day of the last; `view` takes these calls,
    None: the map at the top.
    """

    network: Network
    calls: int
    last: int
    view: str | None = None

    @property
    def row(self) -> str:
        """The row that would cover it, as text, with its location left open."""
        return f",{self.network}"


class Unused(NamedTuple):
    """A row that answered no call, and where it stands."""

    path: str
    line: int
    network: Network
    names: Names


@dataclass(slots=True)
class Report:
    """What is told of calls since a day; counts by what they have in common.

    `merged` are calls of which only the network is known. `callers` lack a row, the most calls first; `scattered` are
    calls from others, that are too few in every network. `unused` and `unmet` are None where no map is known; `unused`
    rows answered no call, nor overlap a network of merged ones; no call meets `unmet` views. `strange` are calls by
    locations that were answered and that the map does not name.
    """

    since: date
    calls: int = 0
    merged: int = 0
    by_answer: Counter[Names] = field(default_factory=Counter)
    by_protocol: Counter[str] = field(default_factory=Counter)
    by_node: Counter[str] = field(default_factory=Counter)
    by_outcome: Counter[str] = field(default_factory=Counter)
    by_view: Counter[str] = field(default_factory=Counter)
    bad: Counter[tuple[str, str]] = field(default_factory=Counter)
    callers: Sequence[Caller] = ()
    scattered: int = 0
    rows: int = 0
    unused: Sequence[Unused] | None = None
    unmet: Sequence[str] | None = None
    strange: Counter[str] = field(default_factory=Counter)


def make_report(
    found: Iterable[Remembered],
    since: date,
    snapshot: Snapshot | None = None,
    at_least: int = AT_LEAST,
    bad_by_node: Mapping[tuple[str, str], int] | None = None,
) -> Report:
    """The report on these calls, held against the map of a snapshot where there is one.

    Of bad addresses the node's location is told, or its address by `bad_by_node`.
    """
    report, asked = Report(since), _Asked(snapshot) if snapshot else None
    rowless: dict[str | None, dict[Network, tuple[int, int]]] = {}
    for situation, calls, last in found:
        _count(report, situation, calls)
        view, address = asked.rowless(situation) if asked else _rowless(situation)
        network = network_of(address) if address else None
        if network is not None:
            _put(rowless.setdefault(view, {}), network, calls, last)
    if bad_by_node is not None:
        report.bad = Counter(bad_by_node)
    report.callers, report.scattered = _callers_of_maps(rowless, at_least)
    if snapshot and asked:
        report.rows = snapshot.total_size
        report.unused = asked.unused()
        report.unmet = [view.view for view in snapshot.views if view.view and view.view not in asked.met]
        known = {name for one in snapshot.maps for names in _names(one) for name in names}
        report.strange = Counter(
            {name: calls for names, calls in report.by_answer.items() for name in names[:1] if name not in known}
        )
    return report


def _callers_of_maps(
    rowless: Mapping[str | None, Mapping[Network, tuple[int, int]]], at_least: int
) -> tuple[list[Caller], int]:
    """As `callers`, of the map at the top and of those of views: a row of one covers no call of another."""
    told: list[Caller] = []
    whole = 0
    for view, networks in rowless.items():
        found, scattered = callers(networks, at_least)
        told += (one._replace(view=view) for one in found)
        whole += scattered
    return sorted(told, key=lambda one: (-one.calls, len(one.network), one.network, one.view or "")), whole


def callers(rowless: Mapping[Network, tuple[int, int]], at_least: int) -> tuple[list[Caller], int]:
    """The longest networks, from /24 (IPv4) or /56 (IPv6) on, that have so many calls beside those of longer ones that
    are told; the most calls first. And how many calls are in none.
    """
    left: dict[tuple[int, int], dict[Network, tuple[int, int]]] = {}
    for network, (calls, last) in rowless.items():
        size = len(network) - 1
        length = min(network.length, WIDER[size])
        _put(left.setdefault((size, length), {}), Network.holding(network.first, length), calls, last)
    told: list[Caller] = []
    scattered = 0
    for size, longest in WIDER.items():
        for length in range(longest, -1, -1):
            for network, (calls, last) in left.pop((size, length), {}).items():
                if length < SHORTEST[size]:
                    scattered += calls
                elif calls >= at_least:
                    told.append(Caller(network, calls, last))
                elif length == SHORTEST[size]:
                    scattered += calls
                else:
                    wider = Network.holding(network.first, length - 1)
                    _put(left.setdefault((size, length - 1), {}), wider, calls, last)
    return sorted(told, key=lambda one: (-one.calls, len(one.network), one.network)), scattered


def _put(into: dict[Network, tuple[int, int]], network: Network, calls: int, last: int) -> None:
    before = into.get(network, (0, 0))
    into[network] = before[0] + calls, max(before[1], last)


def _count(report: Report, situation: Situation, calls: int) -> None:
    report.calls += calls
    if situation.is_merged:
        report.merged += calls
    report.by_protocol[situation.protocol] += calls
    report.by_node[situation.node_location] += calls
    report.by_outcome[situation.outcome] += calls
    report.by_view[situation.view or ""] += calls
    if situation.location is not None:
        report.by_answer[situation.names] += calls
    if situation.outcome == "bad-address":
        report.bad[situation.node_location, situation.address] += calls


def _rowless(situation: Situation) -> tuple[str | None, str]:
    return situation.view, situation.address if situation.outcome in ROWLESS else ""


def _names(snapshot: Snapshot) -> list[Names]:
    return [*snapshot.names, snapshot.rules.rowless or ()]


class _Asked:
    """A map of which calls are asked again: which rows and views were needed."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.met: set[str] = set()
        self._snapshot = snapshot
        self._used: dict[str | None, set[int]] = {}
        self._answering: dict[tuple[str, ...], Snapshot] = {}

    def rowless(self, situation: Situation) -> tuple[str | None, str]:
        """The view that takes a call, and its address if no row covers it; empty where one does, or where none is
        looked for.
        """
        asked = situation[:4]
        answering = self._answering.get(asked)
        if answering is None:
            answering = self._answering[asked] = self._snapshot.answering(situation)
        if answering.view:
            self.met.add(answering.view)
        address = decision.understand(answering.rules, situation).address
        network = None if answering.rules.answer is not None else network_of(address)
        if network is None or situation.outcome == "bad-address":
            return answering.view, ""
        used = self._used.setdefault(answering.view, set())
        holding = answering.holding(Address(network.first))
        around = [at for at in holding if answering.network_at(at).length <= network.length]
        if not situation.is_merged:
            used.update(around[:1])
        else:
            used.update(holding, answering.inside(network))
        return answering.view, "" if around else address

    def unused(self) -> list[Unused]:
        """The rows that were not needed, view by view, in the order of addresses."""
        found = []
        for one in self._snapshot.maps:
            used = self._used.get(one.view, set())
            for position in range(one.size):
                if position not in used:
                    row = one.match_at(position)
                    found.append(Unused(row.path, row.line, row.network, row.names))
        return found


def most_common(counter: Counter[Key]) -> list[tuple[Key, int]]:
    """The counts, the most first, equal ones in order."""
    return sorted(counter.items(), key=lambda item: (-item[1], str(item[0])))
