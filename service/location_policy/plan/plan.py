"""What a change of configuration does: to the rules, and to the addresses whose answer is another one.

The rules that judge pushes (`[checks]`, `[limits]`) change no answer; the reviewer of a change must see them first all
the same, because they decide what the next change may do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from ..config.location_map import LocationMap
from ..config.policy_toml import Rules
from ..net.addresses import Network
from ..net.ranges import SIZES, AddressSpace, Part, Range, count_slash64s, disjoint, outermost
from ..problems import Problems
from .affected_owners import AffectedOwner, joined, owner_changes, touched
from .answer_changes import KINDS, Change, Kind, address_space, changes, row_changes
from .rule_changes import APPROVAL_CHECK, RuleChange, answering_changes, judging_changes, loosened, table_changes

if TYPE_CHECKING:
    from .affected_calls import AffectedCalls
    from .view_plans import ViewPlan

_ALL_ANSWERS = ("match", "answer")
"""Tables of rules, and a rule of views, that change answers in the address space of every owner."""

EMPTY = LocationMap(Rules(), (), Problems())
"""What a branch serves that is not there yet."""


SHOWN = 20
"""Ranges that are told one by one. Of more, so many pairs of answers are told and so many ranges, the largest, and the
rest is counted."""


class Total(NamedTuple):
    """How much changes: ranges as a reader counts them, IPv4 addresses, IPv6 networks of length 64 touched."""

    ranges: int = 0
    addresses: int = 0
    slash64s: int = 0


class Source(NamedTuple):
    """Where a row stands, in the new map, or else (`is_gone`) in the old one."""

    path: str
    line: int
    is_gone: bool


@dataclass(frozen=True)  # without slots, for `places`
class Plan:
    """What going from the old map to the new one does.

    With views it is about the calls that the map at the top takes before and after; `views` have all others.
    """

    old: LocationMap
    new: LocationMap
    judging: tuple[RuleChange, ...]
    """How the next push is judged; no effect on answers."""
    rules: tuple[RuleChange, ...]
    """How requests are answered, in every row."""
    changes: tuple[Change, ...]
    owners: tuple[RuleChange, ...] = ()
    """Who is asked about the next change: by subnet, the owner of before and the next one; no effect on answers."""
    loosened: tuple[RuleChange, ...] = ()
    """What of all this holds the next push to less than this one, and the expectations that go."""
    removed: frozenset[Network] = frozenset()
    """The subnets of rows that go, whatever answers their addresses then."""
    views: tuple[ViewPlan, ...] = ()
    """What changes for calls that a view takes, before or after; each with those that meet the same two views."""
    protocols: frozenset[str] | None = None
    """The protocols of the calls; None: any."""
    table: tuple[RuleChange, ...] = ()
    """What the table of overflow locations says otherwise; the answers that it changes are among the others."""
    is_met: bool = True
    """Does any call meet the two maps? With views it may be that none meets the map at the top."""
    heading: str = ""
    """With views, the calls that the map at the top takes, in words."""
    calls: AffectedCalls | None = None
    """How many calls get another answer, where calls are remembered; those of views have the numbers of all."""

    @property
    def effect(self) -> bool:
        """Does any request get another answer?"""
        return bool(self.rules or self.changes or any(view.plan.effect for view in self.views))

    @property
    def is_large(self) -> bool:
        """Are there more ranges than are told one by one?"""
        return len(self.changes) > SHOWN

    def places(self, changes: Iterable[Change]) -> Mapping[Network, Source]:
        """Where the rows of these changes stand."""
        wanted = {row for change in changes for row in change.rows}
        found = _places(self.new, wanted, is_gone=False)
        return found | _places(self.old, wanted.difference(found), is_gone=True)

    @cached_property
    def touched(self) -> tuple[AffectedOwner, ...]:
        """The owners whose address space this touches; those of before are asked."""
        all_answers = any(change.key.partition(".")[0] in _ALL_ANSWERS for change in self.rules)
        asks_less = any(change.key == APPROVAL_CHECK for change in self.loosened)
        here = touched(self.old.owned, self.new.owned, self.changes, all_answers=all_answers or asks_less)
        return joined(self.old.owned, (here, *(view.plan.touched for view in self.views)))

    @cached_property
    def answered(self) -> Mapping[int, list[Part]]:
        """What rows answered before, disjoint and in order, by the size of an address."""
        networks = outermost(frozenset[Network]().union(*(file.networks for file in self.old.files)))
        return {size: [Part(Range.of(one), one) for one in networks if len(one) == size + 1] for size in SIZES}

    @cached_property
    def whole(self) -> Total:
        """How much rows of either map answer, of which every change is a part."""
        files = (*self.old.files, *self.new.files)
        networks = outermost(frozenset[Network]().union(*(file.networks for file in files)))
        addresses = sum(1 << 32 - one.length for one in networks if len(one) == 5)
        slash64s = count_slash64s(Range.of(one) for one in networks if len(one) == 17)
        return Total(len(networks), addresses, slash64s)

    @cached_property
    def by_rules(self) -> tuple[tuple[int, Range], ...]:
        """What was answered before and rules answer otherwise, with its row or without; disjoint, with sizes.

        A protocol that is answered no more, or whose addresses are looked for elsewhere, takes all its answers with it;
        another default, those without a row; another form of overflow locations, those that have some. Where all get
        one answer, no address is looked for.
        """
        old, new = self.old.rules, self.new.rules
        protocols = old.match.keys() if self.protocols is None else old.match.keys() & self.protocols
        moves_all = not new.answer and any(new.match.get(protocol) != old.match[protocol] for protocol in protocols)
        moves_rest = old.rowless is not None and (moves_all or old.rowless != new.rowless or self.reforms_rowless)
        if not self.is_met or not (moves_all or moves_rest or old.overflow != new.overflow):
            return ()
        space = address_space(self.old)
        form = frozenset(row for row, names in space.names.items() if len(names) > 1 and old.overflow != new.overflow)
        rows = space.names.keys() if moves_all else form
        parts = ((size, part) for size in SIZES for part in space.all_parts(size))
        return tuple(
            disjoint(
                (size, part.range) for size, part in parts if (part.network in rows if part.network else moves_rest)
            )
        )

    @property
    def reforms_rowless(self) -> bool:
        """Does what has no row get its overflow locations in another form?"""
        old, new = self.old.rules, self.new.rules
        return old.overflow != new.overflow and len(old.rowless or ()) > 1

    def totals(self) -> dict[Kind, Total]:
        """How much changes, by kind; every kind is there."""
        by_kind: dict[Kind, list[Change]] = {kind: [] for kind in KINDS}
        for change in self.changes:
            by_kind[change.kind].append(change)
        return {kind: total(found) for kind, found in by_kind.items()}


def make_plan(old: LocationMap | None, new: LocationMap, space: AddressSpace | None = None) -> Plan:
    """What going from one map to the next does; no old one is an empty one.

    `space` has the rows of the old map and goes on to the new; for a series of commits the caller keeps it.
    """
    before = old or EMPTY
    plan = compare(before, new, space)
    plan = replace(
        plan,
        judging=judging_changes(before.rules, new.rules),
        owners=owner_changes(before.owned, new.owned),
        table=table_changes(before.rules, new.rules),
        loosened=loosened(before, new),
    )
    if not (before.views or new.views):
        return plan
    from .view_plans import with_views  # most configurations have none

    return with_views(plan)


def compare(old: LocationMap, new: LocationMap, space: AddressSpace | None = None) -> Plan:
    """What the calls get otherwise that one map takes before and another after; `space` is as in `make_plan`."""
    rows = row_changes(old, new)
    found = changes(space or address_space(old), rows, (old.rules.rowless, new.rules.rowless))
    removed = frozenset(rows.gone.keys() - rows.come.keys())
    return Plan(old, new, (), answering_changes(old.rules, new.rules), tuple(found), removed=removed)


def total(found: Sequence[Change]) -> Total:
    """How much these changes are, each network of length 64 counted once."""
    return total_of([(change.size, part) for change in found for part in change.ranges])._replace(ranges=len(found))


def total_of(ranges: Sequence[tuple[int, Range]]) -> Total:
    """How much these ranges are, each with the size of its addresses."""
    addresses = sum(last - first + 1 for size, (first, last) in ranges if size == 4)
    return Total(len(ranges), addresses, count_slash64s(part for size, part in ranges if size == 16))


def _places(location_map: LocationMap, wanted: set[Network], *, is_gone: bool) -> dict[Network, Source]:
    return {
        row.network: Source(file.path, line, is_gone)
        for file in location_map.files
        if not wanted.isdisjoint(file.networks)
        for line, row in file.rows()
        if row.network in wanted
    }
