"""Rows that change no answer, held to a slow check, address by address."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy.net.addresses import Network
from location_policy.net.overlaps import find_overlaps
from tests.support.maps import network

Row = tuple[Network, tuple[str, ...]]

BITS = 4
"""Bits of an address that differ in these maps: a universe of 16 addresses."""


def universe(width: int) -> list[Network]:
    """Every network of a universe at the end of a family."""
    base = (1 << width) - (1 << BITS)
    return [
        Network((base + first).to_bytes(width // 8) + bytes((width - free,)))
        for free in range(BITS + 1)
        for first in range(0, 1 << BITS, 1 << free)
    ]


any_row = st.tuples(st.sampled_from(universe(32) + universe(128)), st.sampled_from([("A",), ("B",), ("A", "B")]))
small_maps = st.lists(any_row, max_size=20, unique_by=lambda row: row[0])


def holds(outer: Network, inner: Network) -> bool:
    return (
        len(outer) == len(inner)
        and outer.length <= inner.length
        and Network.holding(inner.first, outer.length) == outer
    )


def addresses() -> list[Network]:
    return [one for width in (32, 128) for one in universe(width) if one.length == width]


def longest_match(rows: Sequence[Row], address: Network) -> Row | None:
    return max((row for row in rows if holds(row[0], address)), key=lambda row: row[0].length, default=None)


def answers(rows: Sequence[Row]) -> list[tuple[str, ...] | None]:
    """What a map gives for each address there is."""
    matches = [longest_match(rows, address) for address in addresses()]
    return [match and match[1] for match in matches]


def without(rows: Sequence[Row], gone: set[int]) -> list[Row]:
    return [row for at, row in enumerate(rows) if at not in gone]


def overlaps(rows: Sequence[Row], *, keeps_redundant: bool = False) -> tuple[dict[int, int], dict[int, int]]:
    networks, names = [row[0] for row in rows], [row[1] for row in rows]
    found = find_overlaps(networks, names, keeps_redundant=keeps_redundant)
    return dict(found.redundant), dict(found.shadowed)


@given(small_maps)
def test_redundant_is_what_the_nearest_row_around_it_says_too(rows: list[Row]) -> None:
    expected = {}
    for at, row in enumerate(rows):
        parent = longest_match([other for other in rows if other != row and holds(other[0], row[0])], row[0])
        if parent and parent[1] == row[1]:
            expected[at] = rows.index(parent)
    assert overlaps(rows)[0] == expected


def shadowed_slowly(rows: Sequence[Row]) -> set[Network]:
    """The rows that are the longest match of no address."""
    return {row[0] for row in rows} - {match[0] for one in addresses() if (match := longest_match(rows, one))}


@given(small_maps)
def test_shadowed_is_what_never_is_the_longest_match_of_the_rows_that_are_not_redundant(rows: list[Row]) -> None:
    redundant, shadowed = overlaps(rows)
    assert {rows[at][0] for at in shadowed} == shadowed_slowly(without(rows, set(redundant)))
    for at, inner in shadowed.items():
        assert holds(rows[at][0], rows[inner][0])
        assert inner not in redundant


@given(small_maps)
def test_where_redundant_rows_are_kept_shadowed_is_what_never_is_the_longest_match(rows: list[Row]) -> None:
    redundant, shadowed = overlaps(rows, keeps_redundant=True)
    assert redundant == {}
    assert {rows[at][0] for at in shadowed} == shadowed_slowly(rows)


@given(small_maps, st.data())
def test_whichever_of_the_rows_told_are_deleted_no_answer_changes(rows: list[Row], data: st.DataObject) -> None:
    redundant, shadowed = overlaps(rows)
    told = [*redundant, *shadowed]
    gone = data.draw(st.sets(st.sampled_from(told))) if told else set()
    for some in ({at} for at in told):
        assert answers(without(rows, some)) == answers(rows)
    assert answers(without(rows, gone)) == answers(without(rows, set(told))) == answers(rows)


@given(small_maps)
def test_when_the_rows_told_are_gone_each_that_is_left_has_an_address(rows: list[Row]) -> None:
    redundant, shadowed = overlaps(rows)
    assert shadowed_slowly(without(rows, {*redundant, *shadowed})) == set()


@pytest.mark.parametrize(
    ("texts", "redundant", "shadowed"),
    [
        (["A 10.0.0.0/8", "A 10.1.0.0/16"], {1: 0}, {}),
        (["A 10.0.0.0/8", "B 10.1.0.0/16", "A 10.1.1.0/24"], {}, {}),
        (["A 10.0.0.0/8", "A 10.1.0.0/16", "A 10.1.1.0/24"], {1: 0, 2: 1}, {}),
        (["A 10.0.0.0/23", "B 10.0.1.0/24", "C 10.0.0.0/24"], {}, {0: 2}),
        (["A 10.0.0.0/23", "A 10.0.0.0/24", "B 10.0.1.0/24"], {1: 0}, {}),
        (["A 10.0.0.0/23", "A 10.0.0.0/24", "B 10.0.1.0/24", "C 10.0.0.0/25", "C 10.0.0.128/25"], {1: 0}, {0: 3}),
        (["A 10.0.0.0/8", "A ::/0", "A 0.0.0.0/0"], {0: 2}, {}),
        (["A ::/0", "B ::/1", "C 8000::/1"], {}, {0: 1}),
        ([], {}, {}),
    ],
)
def test_rows_that_change_no_answer(texts: list[str], redundant: dict[int, int], shadowed: dict[int, int]) -> None:
    rows = [(network(text), (name,)) for name, text in (line.split() for line in texts)]
    assert overlaps(rows) == (redundant, shadowed)
