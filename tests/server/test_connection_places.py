"""The places of connections: no address has more than it leaves to others."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest

from location_policy.server.connection_places import ConnectionPlaces, is_loopback

PROXY = "192.0.2.80"


def fill(places: ConnectionPlaces, addresses: Iterable[str]) -> int:
    """How many connections get a place, of clients who take all that they can."""
    return sum(places.take(address) for address in addresses)


def test_one_address_leaves_half_and_many_leave_as_much_as_each_has() -> None:
    assert fill(ConnectionPlaces(10_000), ["192.0.2.1"] * 20_000) == 5_000
    places = ConnectionPlaces(10_000)
    strangers = [f"192.0.2.{n}" for n in range(99)]
    assert fill(places, itertools.chain.from_iterable([strangers] * 300)) == 9_900
    assert fill(places, ["198.51.100.1"] * 40) == 40  # a node's


@pytest.mark.parametrize(
    ("flood", "most"),
    [
        (("2001:db8:1:2::{n:x}",), 500),
        (("2001:db8:1:{n:x}::1",), 667),
        (("2001:db8:{n:x}::1",), 800),
        (("2001:db8:1:2::{n:x}", "2001:db8:1:{n:x}::1", "2001:db8:{n:x}::1"), 800),
    ],
    ids=["/64", "/48", "/32", "all"],
)
def test_who_has_a_network_of_ipv6_has_little_more_than_one_address(flood: tuple[str, ...], most: int) -> None:
    places = ConnectionPlaces(1_000)
    assert fill(places, (one.format(n=n) for one in flood for n in range(3_000))) == most
    assert places.take("2001:db9::1")
    assert places.take("192.0.2.1")


def test_who_shares_a_site_or_a_provider_with_a_flood_gets_a_place() -> None:
    places = ConnectionPlaces(1_000)
    fill(places, (f"2001:db8:1:2::{n:x}" for n in range(3_000)))
    assert places.take("2001:db8:1:3::1")
    fill(places, (f"2001:db8:1:{n:x}::1" for n in range(3_000)))
    assert places.take("2001:db8:2::1")


@pytest.mark.parametrize("address", [None, "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", PROXY])
def test_through_a_proxy_or_from_this_machine_all_places_can_be_taken(address: str | None) -> None:
    places = ConnectionPlaces(10, lambda one: is_loopback(one) or one == PROXY)
    assert [places.take(address) for _ in range(12)] == [True] * 10 + [False] * 2


def test_a_place_that_is_left_is_free_and_nothing_is_remembered_of_its_address() -> None:
    places = ConnectionPlaces(4)
    for address in ("192.0.2.1", "2001:db8::1", "127.0.0.1", None):
        assert [places.take(address) for _ in range(2)] == [True, True]
        for _ in range(2):
            places.leave(address)
    assert (places.taken, places.held) == (0, {})


def test_the_only_place_is_for_any_address() -> None:
    assert ConnectionPlaces(1).take("192.0.2.1")
