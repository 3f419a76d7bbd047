"""Ranges of addresses and the rows that answer them, held to a look at each address."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from location_policy.net.addresses import Address, Network
from location_policy.net.ranges import AddressSpace, Names, Part, Range, overlapping
from tests.support.maps import network

NAMES = st.sampled_from([("Sydney",), ("Perth",), ("Sydney", "Perth")])
SMALL = st.builds(
    lambda host, length: Network.holding(Address(bytes((10, 0, 0, host))), length),
    st.integers(0, 63),
    st.integers(24, 32),
)
MAPS = st.dictionaries(SMALL, NAMES, max_size=12)


def slow_row(names: dict[Network, Names], address: int) -> Network | None:
    """The longest of the rows that hold the address, by a look at each."""
    holding = [row for row in names if Range.of(row).first <= address <= Range.of(row).last]
    return max(holding, key=lambda row: row.length, default=None)


def addresses_of(parts: list[Part]) -> dict[int, Network | None]:
    return {address: part.network for part in parts for address in range(part.range.first, part.range.last + 1)}


@given(MAPS, SMALL)
def test_the_parts_of_a_network_are_what_each_address_gets(names: dict[Network, Names], place: Network) -> None:
    parts = list(AddressSpace(names).parts(place))
    assert [part.range.first for part in parts[1:]] == [part.range.last + 1 for part in parts[:-1]]
    whole = Range.of(place)
    assert addresses_of(parts) == {a: slow_row(names, a) for a in range(whole.first, whole.last + 1)}


@given(MAPS, MAPS)
def test_a_space_that_moved_on_is_that_of_the_next_map(old: dict[Network, Names], new: dict[Network, Names]) -> None:
    space = AddressSpace(old)
    space.move(old.keys() - new.keys(), {row: names for row, names in new.items() if old.get(row) != names})
    fresh = AddressSpace(new)
    assert space.names == fresh.names
    assert list(space.all_parts(4)) == list(fresh.all_parts(4))


def test_a_space_takes_many_rows_at_once() -> None:
    rows = {Network.holding(Address(number.to_bytes(4)), 32): ("Sydney",) for number in range(2_000)}
    space = AddressSpace({})
    space.move((), rows)
    assert list(space.all_parts(4)) == list(AddressSpace(rows).all_parts(4))
    space.move(rows, {})
    assert list(space.all_parts(16)) == [Part(Range(0, 2**128 - 1), None)]
    assert list(space.all_parts(4)) == [Part(Range(0, 2**32 - 1), None)]


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_range_is_the_fewest_networks_in_order(first: int, last: int) -> None:
    networks = list(Range(first, last).networks(4))
    found = [address for each in networks for address in range(Range.of(each).first, Range.of(each).last + 1)]
    assert found == list(range(first, last + 1))
    for one, other in pairwise(networks):
        assert one.length != other.length or Network.holding(one.first, one.length - 1) != Network.holding(
            other.first, one.length - 1
        )


def test_all_addresses_are_one_network() -> None:
    assert list(map(str, Range(0, 2**32 - 1).networks(4))) == ["0.0.0.0/0"]
    assert list(map(str, Range(0, 2**128 - 1).networks(16))) == ["::/0"]
    assert Range.of(network("10.0.0.0/8")).size == 2**24


def test_the_row_of_an_address_is_the_longest() -> None:
    space = AddressSpace({network("10.0.0.0/8"): ("Sydney",), network("10.1.0.0/16"): ("Perth",)})
    assert space.row_at(Address(bytes((10, 1, 2, 3)))) == network("10.1.0.0/16")
    assert space.row_at(Address(bytes((10, 2, 2, 3)))) == network("10.0.0.0/8")
    assert space.row_at(Address(bytes((11, 2, 2, 3)))) is None
    assert space.row_of(network("10.0.0.0/7")) is None
    assert space.rows_below(network("10.0.0.0/8")) == [network("10.0.0.0/8"), network("10.1.0.0/16")]


@given(MAPS, SMALL)
def test_what_overlaps_a_range_is_each_part_within_it(names: dict[Network, Names], place: Network) -> None:
    answered = [part for part in AddressSpace(names).all_parts(4) if part.network]
    found = addresses_of(list(overlapping(Range.of(place), answered)))
    within = range(Range.of(place).first, Range.of(place).last + 1)
    assert found == {address: row for address in within if (row := slow_row(names, address))}
