"""What each commit of a branch has changed: from map to map along first parents, oldest to newest.

One gate reads a line once, however many commits have it, and one address space goes on from map to map, so that a
commit costs what it changed. A commit that is not valid was never served: it is passed over, and the next one is
compared with the last one that is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ..config.commit import Commit
from ..config.location_map import LocationMap
from ..config.validate import Validator
from ..errors import InvalidConfiguration
from ..net.addresses import Address, Network
from ..net.ranges import AddressSpace, Names
from ..net.split import PartChange, SplitPart, part_changes, split
from ..plan.answer_changes import Kind, address_space, row_changes
from ..plan.as_text import owner_lines, rule_lines, total_line
from ..plan.plan import EMPTY, Total, make_plan
from ..problems import errors_in
from ..repository.maps import load_map_at
from ..repository.objects import Entry
from ..repository.repository import Repository
from ..repository.revisions import LOOK_BACK

CUT = "history ends here: the clone is shallow"
"""What is said of the oldest commit that a shallow clone has, in place of what it changed."""


@dataclass(frozen=True, slots=True)
class CommitEffect:
    """What a commit changed, in numbers by kind and in words; where it is not valid, only how many `errors` it has.

    Where a shallow clone does not have what was there before, the words say so, and there are no numbers.
    """

    commit: Commit
    totals: Mapping[Kind, Total]
    lines: tuple[str, ...]
    errors: int = 0


@dataclass(frozen=True, slots=True)
class Answered:
    """What an address got before a commit and gets since, and where that stands: `source` is None for a default.

    A commit that is not valid changed nothing.
    """

    commit: Commit
    before: Names | None
    after: Names | None
    source: str | None
    is_valid: bool
    view: str | None = None
    """The view that takes the calls since; None: the map at the top."""

    @property
    def is_change(self) -> bool:
        """Does the address get another answer?"""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class SubnetAnswered:
    """The parts of a subnet that get another answer since a commit, and all its parts since then."""

    commit: Commit
    changes: tuple[PartChange, ...]
    parts: Sequence[SplitPart]
    is_valid: bool

    @property
    def is_change(self) -> bool:
        """Does an address of the subnet get another answer?"""
        return bool(self.changes)


Role = Literal["location", "overflow"]
ROLES: tuple[Role, ...] = ("location", "overflow")


class RoleChange(NamedTuple):
    """A row that leads to a location in another way than before; the network is None for the default."""

    network: Network | None
    before: Role | None
    after: Role | None


@dataclass(frozen=True, slots=True)
class LocationAnswered:
    """The rows that lead to a location otherwise since a commit, and how many lead there before and since, by role."""

    commit: Commit
    changes: tuple[RoleChange, ...]
    before: Mapping[str, int]
    after: Mapping[str, int]
    is_valid: bool

    @property
    def is_change(self) -> bool:
        """Does a row lead there that did not, or the other way round?"""
        return bool(self.changes)


class Branch:
    """The last commits of a branch, each loaded once."""

    def __init__(
        self,
        repository: Repository,
        tip: str,
        number: int,
        served: Collection[str] = (),
        value_of: Callable[[str], str] = lambda _: "",
    ) -> None:
        """`served`: ids of commits that were in force; errors that are a matter of severity are none for them. Answers
        are those to calls of which `value_of` gives what they have of a parameter, by the view that takes them.
        """
        self._value_of = value_of
        ids = repository.ancestors(tip, number + LOOK_BACK, first_parent=True)
        self.ids: Sequence[str] = ids[:number]
        self.older: Sequence[str] = ids[number:]
        """At most LOOK_BACK of those before."""
        self.is_cut = not self.older and repository.is_cut(self.ids[-1])
        """Are there more before, which a shallow clone does not have?"""
        self._repository = repository
        self._served = served
        self._validator = Validator()
        self._last: tuple[tuple[Entry, ...], LocationMap | None, int] = ((), None, 0)

    def base(self) -> LocationMap:
        """What was there before: the newest valid map; where that is not here, the oldest that is."""
        ids = self.ids[::-1] if self.is_cut else self.older
        loaded = (self._load(self._repository.commit(commit_id))[0] for commit_id in ids)
        return next((one for one in loaded if one), EMPTY)

    def effects(self) -> Iterator[CommitEffect]:
        """What each commit changed, oldest first."""
        old = self.base()
        space = address_space(old)
        is_known = not self.is_cut
        for commit, new, errors in self._maps():
            if new is None or not is_known:
                yield CommitEffect(commit, {}, () if new is None else (CUT,), errors)
                is_known = is_known or new is not None
                continue
            plan = make_plan(old, new, space)
            yield CommitEffect(commit, plan.totals(), (*rule_lines(plan), total_line(plan), *owner_lines(plan)))
            old = new

    def answers(self, address: Address) -> Iterator[Answered]:
        """What an address got at each commit, oldest first."""
        old = self.base().answering(self._value_of)
        space = address_space(old)
        before = _answer(space, old, address)
        for commit, new, _ in self._answering_maps():
            if new is None:
                yield Answered(commit, before, before, None, is_valid=False)
                continue
            rows = row_changes(old, new)
            space.move(rows.gone, rows.come)
            after = _answer(space, new, address)
            source = _source(new, address) if after != before else None
            yield Answered(commit, before, after, source, is_valid=True, view=new.name)
            old, before = new, after

    def subnet_answers(self, network: Network) -> Iterator[SubnetAnswered]:
        """What the addresses of a subnet got at each commit, oldest first."""
        old = self.base().answering(self._value_of)
        space = address_space(old)
        before = _split(space, old, network)
        for commit, new, _ in self._answering_maps():
            if new is None:
                yield SubnetAnswered(commit, (), before, is_valid=False)
                continue
            rows = row_changes(old, new)
            space.move(rows.gone, rows.come)
            is_touched = old.rules.rowless != new.rules.rowless or any(map(network.meets, (*rows.gone, *rows.come)))
            after = _split(space, new, network) if is_touched else before
            yield SubnetAnswered(commit, tuple(part_changes(before, after)) if is_touched else (), after, is_valid=True)
            old, before = new, after

    def location_answers(self, name: str) -> Iterator[LocationAnswered]:
        """Which rows led to a location at each commit, oldest first."""
        old = self.base().answering(self._value_of)
        before = Counter[str](filter(None, (_role(names, name) for names in old.answers().values())))
        for commit, new, _ in self._answering_maps():
            if new is None:
                yield LocationAnswered(commit, (), before, before, is_valid=False)
                continue
            changes = tuple(_role_changes(old, new, name))
            after = before.copy()
            after.update(change.after for change in changes if change.network and change.after)
            after.subtract(change.before for change in changes if change.network and change.before)
            yield LocationAnswered(commit, changes, before, after, is_valid=True)
            old, before = new, after

    def _maps(self) -> Iterator[tuple[Commit, LocationMap | None, int]]:
        for commit_id in reversed(self.ids):
            commit = self._repository.commit(commit_id)
            yield commit, *self._load(commit)

    def _answering_maps(self) -> Iterator[tuple[Commit, LocationMap | None, int]]:
        """The same with the map of the view that takes the calls."""
        for commit, found, errors in self._maps():
            yield commit, found.answering(self._value_of) if found else None, errors

    def _load(self, commit: Commit) -> tuple[LocationMap | None, int]:
        entries = self._repository.entries(commit)
        if entries != self._last[0]:
            was_served = commit.id in self._served
            try:
                found = load_map_at(self._repository, self._validator, commit, was_served=was_served, errors_only=True)
                self._last = entries, found, 0
            except InvalidConfiguration as error:
                self._last = entries, None, errors_in(error.problems).total
        return self._last[1:]


def _answer(space: AddressSpace, location_map: LocationMap, address: Address) -> Names | None:
    row = space.row_at(address)
    if row:
        return space.names[row]
    return location_map.rules.rowless


def _source(location_map: LocationMap, address: Address) -> str | None:
    rows = location_map.rows_at(address)
    return f"{rows[0][0]}:{rows[0][1]}" if rows else None


def _split(space: AddressSpace, location_map: LocationMap, network: Network) -> list[SplitPart]:
    rowless = location_map.rules.rowless
    return split(space.parts(network), lambda row: rowless if row is None else space.names[row])


def _role_changes(old: LocationMap, new: LocationMap, name: str) -> Iterator[RoleChange]:
    """The default first, then rows by their networks, IPv4 first."""
    defaults = [_role(one.rules.rowless or (), name) for one in (old, new)]
    if defaults[0] != defaults[1]:
        yield RoleChange(None, *defaults)
    rows = row_changes(old, new)
    for network in sorted({*rows.gone, *rows.come}, key=lambda network: (len(network), network)):
        before, after = (_role(where.get(network, ()), name) for where in (rows.gone, rows.come))
        if before != after:
            yield RoleChange(network, before, after)


def _role(names: Names, name: str) -> Role | None:
    if name not in names:
        return None
    return "location" if names[0] == name else "overflow"
