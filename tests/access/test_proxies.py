"""Where a request comes from, and whose word is taken for it."""

from __future__ import annotations

import pytest

from location_policy.access.proxies import Proxies, parse_networks

TRUSTED = Proxies(parse_networks("10.0.0.0/8, 192.0.2.7,2001:db8::/32"))


@pytest.mark.parametrize(
    ("peer", "headers", "client"),
    [
        ("198.51.100.1", [b"203.0.113.9"], "198.51.100.1"),
        ("10.1.2.3", [b"203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", [b"6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", [b"6.6.6.6", b"203.0.113.9, 10.9.9.9"], "203.0.113.9"),
        ("10.1.2.3", [b"10.4.4.4, 192.0.2.7"], "10.4.4.4"),
        ("2001:db8::1", [b"2001:db9::0:5"], "2001:db9::5"),
        ("10.1.2.3", [], "10.1.2.3"),
        ("10.1.2.3", [b"unknown"], "10.1.2.3"),
        ("10.1.2.3", [b"203.0.113.9, nonsense\xff, 10.9.9.9"], "10.9.9.9"),
        (None, [b"203.0.113.9"], "203.0.113.9"),
        (None, [], "local"),
        ("not-an-address", [b"203.0.113.9"], "not-an-address"),
    ],
)
def test_the_last_address_that_is_no_proxy_of_ours_counts(peer: str | None, headers: list[bytes], client: str) -> None:
    assert TRUSTED.client(peer, headers) == client


def test_without_a_word_nobody_is_believed_but_a_proxy_on_the_socket() -> None:
    assert Proxies().client("127.0.0.1", [b"203.0.113.9"]) == "127.0.0.1"
    assert Proxies().client(None, [b"203.0.113.9"]) == "203.0.113.9"


@pytest.mark.parametrize("text", ["x", "*", "10.0.0.0/33", "10.0.0.0/x", "proxy.example.com"])
def test_what_is_neither_address_nor_subnet_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        parse_networks(text)
