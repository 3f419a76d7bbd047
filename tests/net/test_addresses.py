"""Text to addresses and networks."""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from location_policy.net.addresses import Address, Network, format_address, parse_address, parse_interface

# Texts that are addresses, nearly addresses, and anything else.
addresses = st.ip_addresses().map(str) | st.text("0123456789abcdef:./", max_size=40) | st.text(max_size=20)
octets = st.sampled_from(["0", "7", "10", "010", "255", "256", "", "1a", "٣"])
near_ipv4 = st.lists(octets, min_size=3, max_size=5).map(".".join)
near_ipv6 = st.lists(st.sampled_from(["", "0", "db8", "0db8", "2001", "12345", "g"]), max_size=9).map(":".join)
texts = addresses | near_ipv4 | near_ipv6 | st.tuples(near_ipv6, near_ipv4).map(":".join)
packed = st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16)


def by_library(text: str) -> bytes | None:
    """What `ipaddress` makes of it, IPv4-mapped addresses unmapped and zone ids refused."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return None if address.scope_id else (address.ipv4_mapped or address).packed
    return address.packed


@given(texts)
@example("::ffff:10.61.2.7")
@example("fe80::1%eth0")
def test_an_address_is_what_ipaddress_says(text: str) -> None:
    try:
        parsed: bytes | None = parse_address(text)
    except ValueError:
        parsed = None
    assert parsed == by_library(text)


@pytest.mark.parametrize(
    "text",
    ["", "10.61", "10.61.2", "010.61.2.0", "fe80::1%eth0", " 10.61.2.0", "10.61.2.0\0", "\ud800", "10.61.2.0/24"],
)
def test_other_forms_are_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="is not an IPv4 or IPv6 address"):
        parse_address(text)


def test_an_ipv4_mapped_address_is_the_address_that_it_maps() -> None:
    assert parse_address("::ffff:10.61.2.7") == parse_address("::FFFF:0a3d:207") == parse_address("10.61.2.7")


@given(packed.filter(lambda raw: not raw.startswith(bytes(10) + b"\xff\xff")))
def test_an_address_that_was_written_is_read_again(raw: bytes) -> None:
    assert parse_address(format_address(Address(raw))) == raw


def test_ipv6_is_written_short() -> None:
    assert format_address(parse_address("2001:0DB8:0:0:0:0:0:1")) == "2001:db8::1"


@given(packed, st.data())
def test_a_network_is_what_ipaddress_says(raw: bytes, choice: st.DataObject) -> None:
    length = choice.draw(st.integers(0, len(raw) * 8))
    network = Network.holding(Address(raw), length)
    slow = (
        IPv4Network((IPv4Address(raw), length), strict=False)
        if len(raw) == 4
        else IPv6Network((IPv6Address(raw), length), strict=False)
    )
    assert (network.first, network.length) == (slow.network_address.packed, slow.prefixlen)


@pytest.mark.parametrize(("text", "length"), [("10.61.2.7", 33), ("10.61.2.7", -1), ("2001:db8::", 129)])
def test_a_length_outside_the_family_is_no_network(text: str, length: int) -> None:
    with pytest.raises(ValueError, match=f"a prefix length of {length} is outside 0 to"):
        Network.holding(parse_address(text), length)


def test_a_network_prints_as_people_write_it() -> None:
    network = Network.holding(*parse_interface("10.61.2.7/24"))
    assert str(network) == "10.61.2.0/24"
    assert repr(network) == "Network('10.61.2.0/24')"


def test_an_interface_keeps_its_host_bits() -> None:
    assert parse_interface("10.61.2.7/24") == (parse_address("10.61.2.7"), 24)


def test_the_length_of_an_ipv4_mapped_interface_counts_from_96() -> None:
    assert parse_interface("::ffff:10.61.2.0/120") == (parse_address("10.61.2.0"), 24)


@pytest.mark.parametrize("after", ["", "/", "/024", "/+24", "/ 24", "/33", "/-1", "/٢٤", "/255.255.255.0", "/24/"])
def test_only_plain_lengths_are_taken(after: str) -> None:
    with pytest.raises(ValueError, match="is not a subnet"):
        parse_interface(f"10.61.2.0{after}")


@pytest.mark.parametrize("text", ["::ffff:10.61.2.0/95", "::ffff:10.61.2.0/24", "2001:db8::/129"])
def test_a_length_outside_the_family_is_no_interface(text: str) -> None:
    with pytest.raises(ValueError, match="is not a subnet"):
        parse_interface(text)
