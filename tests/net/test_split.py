"""A subnet split by its answers, held to asking each address."""

from __future__ import annotations

import itertools
from random import Random

import pytest

from location_policy.net.addresses import Address, Network, parse_interface
from location_policy.net.ranges import AddressSpace, Names, Range
from location_policy.net.split import PartChange, SplitPart, largest, part_changes, range_text, split

WHOLE = Network.holding(*parse_interface("10.61.2.0/24"))
NAMES: list[Names] = [("Sydney",), ("Perth",), ("Perth", "Sydney")]


def some_rows(random: Random) -> dict[Network, Names]:
    rows = {}
    for _ in range(random.randrange(12)):
        address = Address(bytes((10, 61, 2, random.randrange(256))))
        rows[Network.holding(address, random.choice((8, 16, 24, 25, 26, 28, 31, 32)))] = random.choice(NAMES)
    return rows


def parts_of(space: AddressSpace, default: Names | None) -> list[SplitPart]:
    return split(space.parts(WHOLE), lambda row: space.names[row] if row is not None else default)


def answers(parts: list[SplitPart]) -> dict[int, Names | None]:
    return {at: part.names for part in parts for at in range(part.range.first, part.range.last + 1)}


@pytest.mark.parametrize("seed", range(40))
def test_parts_are_what_each_address_gets_and_their_changes_what_differs(seed: int) -> None:
    random = Random(seed)
    splits = []
    for default in (None, random.choice([None, *NAMES])):
        space = AddressSpace(some_rows(random))
        parts = parts_of(space, default)
        for at, names in answers(parts).items():
            row = space.row_at(Address(at.to_bytes(4)))
            assert names == (space.names[row] if row is not None else default)
        assert len(answers(parts)) == 256
        assert all(one.names != other.names for one, other in itertools.pairwise(parts))
        assert all(space.names[row] == part.names for part in parts for row in part.rows)
        splits.append(parts)
    before, after = map(answers, splits)
    changed = list(part_changes(*splits))
    told = {at: one[1:] for one in changed for at in range(one.range.first, one.range.last + 1)}
    assert told == {at: (before[at], after[at]) for at in before if before[at] != after[at]}
    assert all(
        one.range.last + 1 < other.range.first or one[1:] != other[1:] for one, other in itertools.pairwise(changed)
    )


def test_the_largest_come_first_and_then_by_address() -> None:
    parts = [PartChange(Range(*ends), None, None) for ends in ((0, 1), (2, 9), (10, 11), (12, 19))]
    assert [part.range.first for part in largest(parts, 3)] == [2, 12, 0]


def test_a_range_is_written_as_a_subnet_where_it_is_one() -> None:
    assert range_text(Range(0, 255), 4) == "0.0.0.0/24"
    assert range_text(Range(1, 255), 4) == "0.0.0.1 - 0.0.0.255"
