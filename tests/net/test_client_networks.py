"""By what a client is counted."""

from __future__ import annotations

from location_policy.net.client_networks import networks, own_networks


def test_an_address_is_counted_by_the_networks_that_it_is_in() -> None:
    assert networks("192.0.2.1") == ["192.0.2.1", "192.0.2.0/24", "192.0.0.0/16"]
    assert networks("2001:db8:1:2::3") == ["2001:db8:1:2::/64", "2001:db8:1::/48", "2001:db8::/32"]
    assert networks("::ffff:192.0.2.1") == ["::ffff:192.0.2.1", "192.0.2.0/24", "192.0.0.0/16"]
    assert networks("local") == ["local"]


def test_a_client_has_an_ipv4_address_or_networks_of_ipv6_for_itself() -> None:
    assert own_networks("192.0.2.1") == ["192.0.2.1"]
    assert own_networks("2001:db8:1:2::3") == ["2001:db8:1:2::/64", "2001:db8:1::/48", "2001:db8::/32"]
    assert own_networks("local") == ["local"]
