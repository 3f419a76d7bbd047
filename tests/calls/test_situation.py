"""What a situation keeps of a request, and what is left of it where there are too many."""

from __future__ import annotations

import pytest

from location_policy.calls.situation import LONGEST, as_sent, merged, rest, settled
from tests.calls.situations import situation


def test_a_situation_has_the_parameters_that_a_request_had() -> None:
    found = situation(proxy_node_location="Edge")
    asked = ("protocol", "location", "proxy-node-location", "call-direction", "remote-address", "ms-subnet", "x")
    assert [found.first(name) for name in asked] == [
        *("mssip", "London", "Edge", "dial_in", "10.44.151.5", "10.61.2.0", ""),
    ]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("::ffff:10.61.2.0", "10.61.2.0"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("10.61", "10.61"),
        ("10.61.2.0/24", "10.61.2.0/24"),
        ("x" * 100, "x" * LONGEST + "…"),
        ("", ""),
    ],
)
def test_an_address_is_kept_in_its_usual_spelling_and_what_is_none_as_it_was_sent(sent: str, kept: str) -> None:
    assert settled(situation(ms_subnet=sent)).ms_subnet == kept
    assert settled(settled(situation(ms_subnet=sent))).ms_subnet == kept


def test_a_long_value_is_cut() -> None:
    assert settled(situation(node_location="x" * 1000)).node_location == "x" * LONGEST + "…"


def test_merged_addresses_are_those_of_a_network() -> None:
    found = merged(situation(remote_address="2001:db8:1:2ff::7"))
    assert (found.remote_address, found.ms_subnet) == ("2001:db8:1:200::/56", "10.61.2.0/24")
    assert found.is_merged
    assert merged(found) == found
    assert rest(found)[:6] == ("", "", "", "", "::/0", "0.0.0.0/0")
    assert rest(rest(found)) == rest(found)


def test_of_what_is_no_address_nothing_is_left_when_it_is_merged() -> None:
    found = situation(ms_subnet="10.61.2.0/24", outcome="bad-address")
    assert not found.is_merged
    assert merged(found).ms_subnet == ""


def test_a_subnet_that_was_sent_in_place_of_an_address_is_none_that_was_merged() -> None:
    found = as_sent(situation(ms_subnet="10.61.2.0/24", outcome="no-opinion"))
    assert (found.ms_subnet, found.is_merged) == ("10.61.2.0\\24", False)
    assert settled(found) == as_sent(found) == found
    bad = situation(ms_subnet="10.61.2.0/24", outcome="bad-address")
    assert as_sent(bad) == bad
