"""Whose calls a change moves: the calls that are remembered, answered by the map before and by the map after.

Where only rows differ, a call gets another answer if its address is in a range that does, so only those calls are read
that are in one. Where rules or views differ, each situation is answered by both sides, by the code that answers nodes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import NamedTuple, Protocol

from ..config.policy_toml import Rules
from ..config.views.calls import Pair
from ..lookup.answers import Answer
from ..lookup.decision import answer_question, understand
from ..lookup.snapshot import Snapshot, build_snapshot
from ..net.addresses import Address, Network
from ..net.ranges import SIZES, Range, disjoint
from ..plan.affected_calls import NO_CALLS, AffectedCalls, Calls
from ..plan.answer_changes import Change
from ..plan.plan import Plan
from .history_file import Blocks, Remembered
from .situation import NO_CALL, WIDER, Situation, is_kept, network_of

MOST_BLOCKS = 400
"""Blocks by which calls are looked for; of more, each is joined with its neighbours."""
_TOP: Pair = (None, None)
"""The calls that the map at the top takes, before and after."""


class KnownCalls(Protocol):
    """Calls since a day, wherever they are known from."""

    @property
    def since(self) -> date:
        """The first day."""
        ...

    @property
    def days(self) -> int:
        """How many days these are."""
        ...

    def total(self) -> int:
        """How many calls there are."""
        ...

    def found(self, within: Blocks | None = None) -> Iterable[Remembered]:
        """The situations, with those of which an address is in one of these blocks, if others too; None: all."""
        ...


def with_calls(plan: Plan, known: KnownCalls) -> Plan:
    """The plan with the calls that it moves; raises what reading them does."""
    if not known.total():
        return plan
    if not plan.effect:
        return replace(plan, calls=AffectedCalls(known.since, known.days, known.total()))
    sums = _Sums(plan)
    if not _is_by_rows(plan):
        _answer_all(plan, known.found(), sums)
    elif plan.old.views:
        _answer_all(plan, known.found(_blocks(plan)), sums)
    else:
        _look_at_ranges(plan, known.found(_blocks(plan)), sums)
    return sums.plan(known)


def _is_by_rows(plan: Plan) -> bool:
    """Do only rows differ, so that each call with another answer has an address in a range that changes?"""
    old, new = plan.old.rules, plan.new.rules
    is_alike = old.views == new.views and not any(one.rules for one in _plans(plan).values())
    return is_alike and all(_are_kept(rules) for rules in (old, *map(old.of_view, old.views)))


def _plans(plan: Plan) -> Mapping[Pair, Plan]:
    """The plan of the map at the top and those of views, by the names of the views before and after."""
    return {**{(view.before, view.after): view.plan for view in plan.views}, _TOP: plan}


class _Place(NamedTuple):
    """What a network is in: all of it in a range that changes, a part of it, or nothing."""

    change: Change | None
    is_part: bool


class _Places:
    """The ranges of a plan that change, by address."""

    def __init__(self, changes: Iterable[Change]) -> None:
        self._changes = list(changes)
        parts = [(one.size, part, number) for number, one in enumerate(self._changes) for part in one.ranges]
        self._parts = {size: sorted((part, number) for of, part, number in parts if of == size) for size in SIZES}
        self._firsts = {size: [part.first for part, _ in self._parts[size]] for size in SIZES}

    def of(self, network: Network) -> _Place:
        """Where a network is."""
        size = len(network) - 1
        first, last = Range.of(network)
        at = bisect_right(self._firsts[size], last) - 1
        if at < 0:
            return _Place(None, is_part=False)
        part, number = self._parts[size][at]
        if part.last < first:
            return _Place(None, is_part=False)
        is_whole = part.first <= first and last <= part.last
        return _Place(self._changes[number] if is_whole else None, is_part=not is_whole)


class _Sums:
    """Adds up the calls of a plan and of the plans of its views, by the names of the views before and after."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        plans = _plans(plan)
        self._places = {pair: _Places(one.changes) for pair, one in plans.items()}
        self._by_change: dict[Pair, dict[Change, Calls]] = {}
        self._of_effect = {pair for pair, one in plans.items() if one.rules or one.changes}
        self.totals = Counter[str]()

    def has_effect(self, pair: Pair) -> bool:
        """Does anything change for the calls of a pair?"""
        return pair in self._of_effect

    def place(self, pair: Pair, network: Network) -> _Place:
        """Where a network is among what changes for the calls of a pair."""
        places = self._places.get(pair)
        return places.of(network) if places else _Place(None, is_part=False)

    def change(self, pair: Pair, change: Change | None, calls: int, last: int) -> None:
        """Calls of a pair get another answer, and by which change."""
        self.totals["changed"] += calls
        if change:
            found = self._by_change.setdefault(pair, {})
            found[change] = found.get(change, NO_CALLS).with_more(calls, last)

    def plan(self, known: KnownCalls) -> Plan:
        """The plan with all that was added."""
        whole = AffectedCalls(
            known.since, known.days, known.total(), self.totals["changed"], self.totals["lost"], self.totals["unsure"]
        )
        views = tuple(
            one._replace(plan=replace(one.plan, calls=self._of(whole, (one.before, one.after))))
            for one in self._plan.views
        )
        return replace(self._plan, calls=self._of(whole, _TOP), views=views)

    def _of(self, whole: AffectedCalls, pair: Pair) -> AffectedCalls:
        return replace(whole, by_change=self._by_change.get(pair, {}))


def _look_at_ranges(plan: Plan, found: Iterable[Remembered], sums: _Sums) -> None:
    """For a plan in which only rows differ: a call is asked by the same address on both sides."""
    rules = plan.old.rules
    for situation, calls, last in found:
        network = _asked_network(understand(rules, situation).address, situation)
        if network is None:
            sums.totals["unsure"] += calls if _is_rest(situation) else 0
            continue
        change, is_part = sums.place(_TOP, network)
        if is_part:
            sums.totals["unsure"] += calls
        elif change:
            sums.change(_TOP, change, calls, last)
            sums.totals["lost"] += calls if change.after is None else 0


def _answer_all(plan: Plan, found: Iterable[Remembered], sums: _Sums) -> None:
    """For any plan: each situation is answered by both sides."""
    old, new = (build_snapshot(side, None) for side in (plan.old, plan.new))
    for situation, calls, last in found:
        if situation.outcome in NO_CALL:
            continue
        before, after = _Side(old, situation), _Side(new, situation)
        pair = before.view, after.view
        network = after.network or before.network
        change, is_part = sums.place(pair, network) if network else _Place(None, is_part=False)
        if not (before.is_known and after.is_known):
            sums.totals["unsure"] += calls if sums.has_effect(pair) else 0
        elif is_part or _is_rest(situation):
            sums.totals["unsure"] += calls
        elif before.told != after.told:
            sums.change(pair, change, calls, last)
            sums.totals["lost"] += calls if before.answer.location and not after.answer.location else 0


class _Side:
    """What one of the two maps says to a call: of a merged one, to the first of its addresses."""

    __slots__ = ("answer", "is_known", "network", "told", "view")

    def __init__(self, snapshot: Snapshot, situation: Situation) -> None:
        answering = snapshot.answering(situation)
        question = understand(answering.rules, situation)
        self.view = answering.view
        self.is_known = answering.rules.answer is not None or _is_known(answering.rules, situation)
        self.network = _asked_network(question.address, situation)
        if self.network is not None and situation.is_merged:
            question = question._replace(address=str(self.network).partition("/")[0])
        self.answer: Answer = answer_question(answering, question)
        form = answering.rules.overflow if self.answer.overflow else None
        self.told = self.answer.location, self.answer.overflow or None, form


def _asked_network(address: str, situation: Situation) -> Network | None:
    """The address that counts, or those that were merged to a network; None for what is no address."""
    return network_of(address) if address and (situation.is_merged or "/" not in address) else None


def _are_kept(rules: Rules) -> bool:
    """Is every parameter that has an address part of what is remembered of a call? `node_ip` is none."""
    return all(is_kept(parameter) for parameters in rules.match.values() for parameter in parameters)


def _is_known(rules: Rules, situation: Situation) -> bool:
    """Is the parameter kept that has the address of such a call?"""
    for parameter in rules.match.get(situation.protocol, ()):
        if not is_kept(parameter):
            return False
        if situation.first(parameter):
            return True
    return True


def _is_rest(situation: Situation) -> bool:
    """Does it stand for calls of which nothing is known but what they were answered?"""
    return situation.is_merged and not situation.protocol


def _blocks(plan: Plan) -> Blocks:
    """The addresses that get another answer, in few blocks, with others between them if need be."""
    changes = chain.from_iterable(one.changes for one in _plans(plan).values())
    ranges = disjoint((change.size, part) for change in changes for part in change.ranges)
    everything = [(bytes(size), bytes(size) + b"\0") for size in SIZES]
    return [*everything, *chain.from_iterable(_few(size, [one for of, one in ranges if of == size]) for size in SIZES)]


def _few(size: int, ranges: Sequence[Range]) -> Iterator[tuple[bytes, bytes]]:
    """The same in at most half as many blocks as are looked for; the widest gaps part them."""
    gaps = sorted(range(1, len(ranges)), key=lambda at: ranges[at - 1].last - ranges[at].first)[: MOST_BLOCKS // 2 - 1]
    starts = [0, *sorted(gaps)] if ranges else []
    for start, end in zip(starts, [*starts[1:], len(ranges)], strict=False):
        merged = Network.holding(Address(ranges[start].first.to_bytes(size)), WIDER[size])
        yield bytes(merged.first), ranges[end - 1].last.to_bytes(size) + b"\xff"


_UNKNOWN = Situation("", "", "", "", "0.0.0.0/0", "0.0.0.0/0", "no-match", None, (), None)
"""Any call."""


class ListedCalls:
    """Calls that are known one by one: those of a log, or of a file."""

    def __init__(self, found: Sequence[Remembered], since: date, days: int, left_out: int = 0) -> None:
        """`left_out`: so many more calls, of which nothing else is known."""
        self.since, self.days = since, days
        self._found = [*found, (_UNKNOWN, left_out, since.toordinal())] if left_out else found
        self._total = sum(calls for situation, calls, _ in self._found if situation.outcome not in NO_CALL)

    def total(self) -> int:
        """As KnownCalls has it."""
        return self._total

    def found(self, within: Blocks | None = None) -> Iterable[Remembered]:  # noqa: ARG002
        """As KnownCalls has it."""
        return self._found
