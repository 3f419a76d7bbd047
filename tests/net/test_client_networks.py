"""By what a client is counted."""

from __future__ import annotations

from location_policy.net.client_networks import networks


def test_an_ipv4_address_is_counted_by_itself_and_an_ipv6_address_by_the_networks_that_it_is_in() -> None:
    assert networks("192.0.2.1") == ["192.0.2.1"]
    assert networks("2001:db8:1:2::3") == ["2001:db8:1:2::/64", "2001:db8:1::/48", "2001:db8::/32"]
    assert networks("::ffff:192.0.2.1") == ["::ffff:192.0.2.1"]
    assert networks("local") == ["local"]
