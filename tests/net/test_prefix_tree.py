"""The prefix tree, held to a slow, obvious lookup."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from location_policy.net.addresses import Address, Network, parse_address, parse_interface
from location_policy.net.prefix_tree import PrefixTree


def networks(*texts: str) -> list[Network]:
    return [Network.holding(*parse_interface(text)) for text in texts]


def slow_longest_match(rows: Sequence[Network], address: Address) -> int | None:
    holding = [
        row
        for row, network in enumerate(rows)
        if len(network) == len(address) + 1 and Network.holding(address, network.length) == network
    ]
    return max(holding, key=lambda row: rows[row].length, default=None)


def neighbours(network: Network) -> list[Address]:
    """The first and the last address of a network, and those just outside; past the end of the family, round it."""
    size = len(network.first)
    first = int.from_bytes(network.first)
    beyond = first + (1 << size * 8 - network.length)
    return [Address((n % (1 << size * 8)).to_bytes(size)) for n in (first - 1, first, beyond - 1, beyond)]


# Few distinct bytes, so that networks nest, touch and share high words; any byte at times, so that they also lie apart.
crowded = st.sampled_from([0, 1, 2, 127, 128, 254, 255])
any_address = st.sampled_from([4, 16]).flatmap(
    lambda size: st.lists(crowded | st.integers(0, 255), min_size=size, max_size=size).map(lambda b: Address(bytes(b)))
)
any_network = any_address.flatmap(
    lambda address: st.integers(0, len(address) * 8).map(lambda length: Network.holding(address, length))
)
nest = any_address.flatmap(
    lambda address: st.sets(st.integers(0, len(address) * 8), max_size=8).map(
        lambda lengths: [Network.holding(address, length) for length in lengths]
    )
)
many_networks = st.tuples(st.lists(any_network, max_size=15), st.lists(nest, max_size=3)).flatmap(
    lambda parts: st.permutations(sorted({*parts[0], *(network for nested in parts[1] for network in nested)}))
)


@given(many_networks, st.lists(any_address, max_size=10))
def test_it_agrees_with_a_slow_lookup(rows: list[Network], addresses: list[Address]) -> None:
    tree = PrefixTree(rows)
    for address in addresses + [near for network in rows for near in neighbours(network)]:
        assert tree.longest_match(address) == slow_longest_match(rows, address)


@given(many_networks, st.lists(any_address, max_size=10))
def test_its_networks_are_a_list_in_the_order_of_their_addresses(rows: list[Network], addresses: list[Address]) -> None:
    tree = PrefixTree(rows)
    ordered = [tree.network(position) for position in range(len(rows))]
    assert ordered == sorted(rows, key=lambda network: (len(network), network))
    assert [rows[row] for row in tree.rows()] == [rows[tree.row(position)] for position in range(len(rows))] == ordered
    for address in addresses:
        holding = [ordered[position] for position in tree.holding(address)]
        slow = [one for one in rows if len(one) == len(address) + 1 and Network.holding(address, one.length) == one]
        assert holding == sorted(slow, key=lambda network: -network.length)


@given(many_networks, any_network)
def test_what_is_inside_a_network_stands_together(rows: list[Network], network: Network) -> None:
    tree = PrefixTree(rows)
    inside = [tree.network(position) for position in tree.inside(network)]
    slow = [
        one
        for one in rows
        if len(one) == len(network)
        and one.length >= network.length
        and Network.holding(one.first, network.length) == network
    ]
    assert inside == sorted(slow)


def test_seventy_thousand_networks_hold_their_own_addresses_and_no_others() -> None:
    chosen = random.Random(1)
    rows = list({Network.holding(Address(chosen.randbytes(4)), 24) for _ in range(70_000)})
    row_of = {network: row for row, network in enumerate(rows)}
    tree = PrefixTree(rows)
    for network in chosen.sample(rows, 2_000):
        for address in neighbours(network):
            assert tree.longest_match(address) == row_of.get(Network.holding(address, 24))


def test_an_empty_tree_holds_no_address() -> None:
    tree = PrefixTree([])
    for text in ("0.0.0.0", "255.255.255.255", "::", "2001:db8::1"):
        assert tree.longest_match(parse_address(text)) is None


def test_all_of_ipv4_does_not_hold_ipv6() -> None:
    tree = PrefixTree(networks("0.0.0.0/0"))
    assert tree.longest_match(parse_address("0.0.0.0")) == 0
    assert tree.longest_match(parse_address("::")) is None


def test_all_of_ipv6_does_not_hold_ipv4() -> None:
    tree = PrefixTree(networks("::/0"))
    assert tree.longest_match(parse_address("::")) == 0
    assert tree.longest_match(parse_address("0.0.0.0")) is None


def test_a_match_is_the_index_that_the_network_was_given_at() -> None:
    tree = PrefixTree(networks("2001:db8::/32", "10.61.2.0/24", "10.0.0.0/8", "2001:db8:0:1::/64"))
    texts = ("2001:db8::1", "10.61.2.7", "10.61.3.7", "2001:db8:0:1::7")
    assert [tree.longest_match(parse_address(text)) for text in texts] == [0, 1, 2, 3]


def test_the_longest_network_wins_in_any_order() -> None:
    rows = networks("10.0.0.0/8", "10.0.0.0/32", "0.0.0.0/0", "10.0.0.0/24")
    for turn in range(len(rows)):
        turned = rows[turn:] + rows[:turn]
        found = PrefixTree(turned).longest_match(parse_address("10.0.0.0"))
        assert found is not None
        assert str(turned[found]) == "10.0.0.0/32"


def test_a_gap_after_nested_networks_belongs_to_the_outer_one() -> None:
    tree = PrefixTree(networks("10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24", "10.1.1.1/32"))
    texts = ("10.1.1.2", "10.1.2.0", "10.2.0.0", "11.0.0.0")
    assert [tree.longest_match(parse_address(text)) for text in texts] == [2, 1, 0, None]


def test_adjacent_networks_do_not_leak_into_each_other() -> None:
    tree = PrefixTree(networks("2001:db8::/127", "2001:db8::2/127", "2001:db8::4/128"))
    found = [tree.longest_match(parse_address(f"2001:db8::{last}")) for last in range(6)]
    assert found == [0, 0, 1, 1, 2, None]


def test_an_address_below_all_networks_that_share_its_high_word_finds_what_comes_before() -> None:
    tree = PrefixTree(networks("2001:db8::/32", "2001:db8:1:1::5/128", "2001:db8:1:1::6/128"))
    assert tree.longest_match(parse_address("2001:db8:1:1::4")) == 0
