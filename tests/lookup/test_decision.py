"""Request to answer: which value counts, how it may be written, which rule decides."""

from __future__ import annotations

import pytest

from location_policy.lookup.answers import Answer
from location_policy.lookup.decision import answer
from location_policy.lookup.query_string import clean, parse_query
from location_policy.lookup.snapshot import Snapshot
from tests.support.maps import snapshot_of

ROWS = "Sydney,Melbourne,Singapore,10.61.2.0/24\nSingapore,2001:db8::/32\n"


def snapshot_with(rules: str) -> Snapshot:
    return snapshot_of({"policy.toml": rules, "locations.csv": ROWS})


def ask(query: str, rules: str = "") -> Answer:
    return answer(snapshot_with(rules), parse_query(query.encode()))


def test_a_row_that_covers_the_address_is_the_answer() -> None:
    assert ask("protocol=mssip&ms-subnet=10.61.2.7").body["result"]["location"] == "Sydney"


def test_the_longest_prefix_decides_and_never_the_order_of_rows() -> None:
    snapshot = snapshot_of({"locations.csv": "Sydney,10.0.0.0/8\nMelbourne,10.61.0.0/16\nSingapore,10.61.2.0/24\n"})
    found = answer(snapshot, parse_query(b"protocol=mssip&ms-subnet=10.61.3.1"))
    assert found.body["result"]["location"] == "Melbourne"


@pytest.mark.parametrize("query", ["PROTOCOL=MsSip&MS-SUBNET=10.61.2.0", "protocol=mssip&ms_subnet=10.61.2.0"])
def test_names_and_the_protocol_are_compared_without_regard_to_case_or_underscore(query: str) -> None:
    assert ask(query).outcome == "match"


@pytest.mark.parametrize(
    ("query", "outcome"),
    [
        ("ms-subnet=&ms_subnet=+&MS-Subnet=10.61.2.0&ms-subnet=10.99.0.0", "match"),
        ("ms-subnet=10.99.0.0&ms-subnet=10.61.2.0", "no-match"),
        ("ms_subnet=10.99.0.0&ms-subnet=10.61.2.0", "no-match"),
        ("ms-subnet=[]&ms-subnet=10.61.2.0", "match"),
    ],
)
def test_the_first_value_that_is_not_empty_counts_over_both_spellings(query: str, outcome: str) -> None:
    assert ask(f"protocol=mssip&{query}").outcome == outcome


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (" \t10.61.2.0\t ", "10.61.2.0"),
        ("10.61.2.0\n", "10.61.2.0\n"),
        ("\u00a010.61.2.0", "\u00a010.61.2.0"),
        ("[2001:db8::1]", "2001:db8::1"),
        ('["10.61.2.0"]', "10.61.2.0"),
        ("['10.61.2.0', '10.61.3.0']", "10.61.2.0"),
        ('[ " 10.61.2.0 " ]', "10.61.2.0"),
        ("[\"10.61.2.0']", "\"10.61.2.0'"),
        ("[10.61.2.0", "[10.61.2.0"),
        ('["]', '"'),
        ("[]", ""),
    ],
)
def test_a_value_is_freed_of_space_brackets_and_the_rest_of_a_list(written: str, meant: str) -> None:
    assert clean(written) == meant


def test_bytes_that_are_no_utf8_are_an_address_that_is_none() -> None:
    assert ask("protocol=mssip&ms-subnet=%ff%00").outcome == "bad-address"


def test_without_rules_only_mssip_gets_an_answer() -> None:
    assert ask("protocol=sip&ms-subnet=10.61.2.0&remote_address=10.61.2.0").outcome == "no-opinion"
    assert ask("ms-subnet=10.61.2.0").outcome == "no-opinion"
    assert ask("").outcome == "no-opinion"


def test_a_request_without_an_address_gets_no_opinion() -> None:
    assert ask("protocol=mssip&remote_address=10.61.2.0").outcome == "no-opinion"


def test_a_rule_names_another_protocol_and_its_field() -> None:
    rules = '[match]\nwebrtc = "remote_address"\n'
    assert ask("protocol=webrtc&remote_address=10.61.2.1", rules).outcome == "match"
    assert ask("protocol=mssip&ms-subnet=10.61.2.1", rules).outcome == "match"


def test_match_false_takes_mssip_away() -> None:
    assert ask("protocol=mssip&ms-subnet=10.61.2.0", "[match]\nmssip = false\n").outcome == "no-opinion"


def test_the_fields_of_a_list_are_tried_in_order() -> None:
    rules = '[match]\nsip = ["ms-subnet", "remote_address"]\n'
    assert ask("protocol=sip&remote_address=10.61.2.1", rules).outcome == "match"
    assert ask("protocol=sip&remote_address=10.61.2.1&ms-subnet=10.99.0.0", rules).outcome == "no-match"


def test_a_first_field_that_is_no_address_is_refused_and_not_passed_over() -> None:
    rules = '[match]\nsip = ["ms-subnet", "remote_address"]\n'
    assert ask("protocol=sip&ms-subnet=x&remote_address=10.61.2.1", rules).outcome == "bad-address"


@pytest.mark.parametrize(
    "address",
    ["fe80::1%251", "010.61.2.0", "10.61", "10.61.2.0/24", "10.61.2.0%00", "10.61.2.0%0d", "10.61.2.0%0a", "x" * 9999],
)
def test_what_is_not_an_address_is_refused(address: str) -> None:
    found = ask(f"protocol=mssip&ms-subnet={address}")
    assert (found.status, found.outcome) == (400, "bad-address")


@pytest.mark.parametrize("address", ["2001:DB8:0:0::1", "[2001:db8::1]", "::ffff:10.61.2.9", "::ffff:a3d:209"])
def test_ipv6_is_read_in_any_spelling_and_a_mapped_address_is_unmapped(address: str) -> None:
    assert ask(f"protocol=mssip&ms-subnet={address}").outcome == "match"


def test_the_default_is_for_a_valid_address_that_no_row_covers() -> None:
    rules = '[answer]\ndefault = "Singapore"\n'
    assert ask("protocol=mssip&ms-subnet=10.99.0.0", rules).outcome == "default"
    assert ask("protocol=mssip&ms-subnet=x", rules).outcome == "bad-address"
    assert ask("protocol=mssip", rules).outcome == "no-opinion"


def test_a_snapshot_of_a_working_copy_answers_without_a_commit() -> None:
    found = answer(snapshot_of(commit=None), parse_query(b"protocol=mssip&ms-subnet=10.61.2.0"))
    assert "policy.commit" not in found.body
