"""Whose address space a change touches, by the owners of before: a change cannot choose who is asked about it.

Touched is what gets another answer, and addresses whose owner changes or goes. A change of how requests are answered
in every row touches every owner's; so does it that owners are asked no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..config.owners import Owned
from ..config.row_diff import RowChanges
from ..net.ranges import SIZES, AddressSpace, Range, disjoint, overlapping
from .answer_changes import Change, changes
from .rule_changes import RuleChange


class AffectedOwner(NamedTuple):
    """Whose, and what of it: disjoint ranges by the size of an address; `is_all` where every owner's is touched."""

    owner: str
    ranges: tuple[tuple[int, Range], ...]
    is_all: bool = False


def owner_changes(old: Sequence[Owned], new: Sequence[Owned]) -> tuple[RuleChange, ...]:
    """The subnets whose owner differs, and who it was and is."""
    if old == new:
        return ()
    before, after = dict(old), dict(new)
    differing = (network for network in dict.fromkeys((*before, *after)) if before.get(network) != after.get(network))
    return tuple(RuleChange(str(network), before.get(network), after.get(network)) for network in differing)


def touched(
    old: Sequence[Owned], new: Sequence[Owned], moved: Iterable[Change], *, all_answers: bool
) -> tuple[AffectedOwner, ...]:
    """The owners of before whose address space is touched, in the order of the file."""
    ranges = disjoint([*_answered(moved), *_handed_over(old, new)]) if old else []
    if not ranges and not (old and all_answers):
        return ()
    found: dict[str, list[tuple[int, Range]]] = {}
    space = AddressSpace({network: (owner,) for network, owner in old})
    parts = {size: [part for part in space.all_parts(size) if part.network] for size in SIZES}
    for size, one in ranges:
        for part in overlapping(one, parts[size]):
            owner = space.names[part.network][0] if part.network else ""
            found.setdefault(owner, []).append((size, part.range))
    owners = dict.fromkeys(owner for _, owner in old)
    return tuple(
        AffectedOwner(owner, tuple(found.get(owner, ())), all_answers)
        for owner in owners
        if all_answers or owner in found
    )


def joined(old: Sequence[Owned], found: Iterable[Sequence[AffectedOwner]]) -> tuple[AffectedOwner, ...]:
    """The owners of several changes, each once, in the order of the file of before."""
    several = [one for one in found if one]
    if len(several) < 2:
        return tuple(several[0]) if several else ()
    parts: dict[str, list[AffectedOwner]] = {}
    for one in (one for owners in several for one in owners):
        parts.setdefault(one.owner, []).append(one)
    return tuple(
        AffectedOwner(
            owner,
            tuple(disjoint(one for part in parts[owner] for one in part.ranges)),
            any(part.is_all for part in parts[owner]),
        )
        for owner in dict.fromkeys(owner for _, owner in old)
        if owner in parts
    )


def _answered(moved: Iterable[Change]) -> Iterator[tuple[int, Range]]:
    return ((change.size, one) for change in moved for one in change.ranges)


def _handed_over(old: Sequence[Owned], new: Sequence[Owned]) -> Iterator[tuple[int, Range]]:
    """The addresses of which an owner was told and another one is, or none: by the longest subnet, as for rows."""
    if old == new:
        return iter(())
    before, after = ({one: (owner,) for one, owner in owned} for owned in (old, new))
    gone = {one: owner for one, owner in before.items() if after.get(one) != owner}
    come = {one: owner for one, owner in after.items() if before.get(one) != owner}
    found = changes(AddressSpace(before), RowChanges(gone, come))
    return _answered(change for change in found if change.before)
