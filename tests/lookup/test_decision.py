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


# --- a protocol without a rule, and a host that is none ---


@pytest.mark.parametrize("protocol", ["teams", "TEAMS", "gms"])
def test_a_protocol_without_a_rule_is_told_by_its_name(protocol: str) -> None:
    found = ask(f"protocol={protocol}&remote_address=10.61.2.1").body["status"]
    assert found == f"policy.reason.no.match - Not providing policy for {protocol.lower()} calls"


@pytest.mark.parametrize("query", ["protocol=mssip", "", "protocol=sip"])
def test_without_an_address_the_text_is_what_it_was(query: str) -> None:
    status = ask(query, '[match]\nsip = "remote_address"\n').body["status"]
    assert status == "policy.reason.no.mssip - Not providing policy for this call"


def test_a_protocol_of_any_length_is_told_short_and_escaped() -> None:
    found = ask(f"protocol=%1b{'x' * 65_536}")
    assert found.outcome == "no-opinion"
    assert len(found.content) < 500
    assert b"\\u001b" not in found.content


RTMP = '[match]\nrtmp = ["remote_address", "node_ip"]\nsip = "remote_address"\n'


@pytest.mark.parametrize("host", ["live.example.com", "a.rtmp.youtube.com.", "localhost", "Stream-1.example.com"])
def test_a_host_name_that_is_streamed_to_is_no_address(host: str) -> None:
    assert ask(f"protocol=rtmp&remote_address={host}", RTMP).outcome == "no-opinion"
    assert ask(f"protocol=rtmp&remote_address={host}&node_ip=10.61.2.1", RTMP).outcome == "match"
    assert ask(f"protocol=sip&remote_address={host}", RTMP).outcome == "bad-address"


@pytest.mark.parametrize(
    "value", ["10.61", "10.61.2", "10.61.2.256", "x" * 64, "a..b", "a b", "10.61.2.0/24", "fe80::x"]
)
def test_what_is_no_host_name_either_is_refused(value: str) -> None:
    assert ask(f"protocol=rtmp&remote_address={value}", RTMP).outcome == "bad-address"


# --- views ---

VIEWS = """
[match]
webrtc = "remote_address"

[answer]
default = "Sydney"

[[view]]
name = "edge"
location = ["DMZ", "Edge Oslo"]
protocol = ["webrtc", "api"]
match = { webrtc = "remote_address", api = "remote_address" }

[[view]]
name = "stream"
call_direction = "dial_out"
protocol = "rtmp"
answer = ["DMZ", "Oslo"]

[[view]]
name = "proxied"
proxy_node_location = "Edge Oslo"
default = "Oslo"
"""
IN_VIEWS = snapshot_of(
    {
        "policy.toml": VIEWS,
        "locations.csv": ROWS,
        "views/edge/locations.csv": "Oslo,10.61.2.0/24\n",
        "views/proxied/locations.csv": "Bergen,10.61.2.0/24\n",
    }
)


def in_views(query: str) -> Answer:
    return answer(IN_VIEWS, parse_query(query.encode()))


@pytest.mark.parametrize(
    ("query", "view", "location"),
    [
        ("protocol=webrtc&remote_address=10.61.2.1", None, "Sydney"),
        ("protocol=webrtc&remote_address=10.61.2.1&location=DMZ", "edge", "Oslo"),
        ("protocol=WebRTC&remote_address=10.61.2.1&LOCATION=edge+oslo", "edge", "Oslo"),
        ("protocol=webrtc&remote_address=10.61.2.1&location=&location=DMZ&location=Paris", "edge", "Oslo"),
        ("protocol=webrtc&remote_address=10.61.2.1&location=Paris&location=DMZ", None, "Sydney"),
        ("protocol=webrtc&remote_address=10.61.2.1&location=", None, "Sydney"),
        (f"protocol=webrtc&remote_address=10.61.2.1&location={'DMZ' * 21_845}", None, "Sydney"),
        ("protocol=mssip&ms-subnet=10.61.2.1&location=DMZ", None, "Sydney"),
        ("protocol=rtmp&call-direction=dial_out", "stream", "DMZ"),
        ("protocol=rtmp&call_direction=dial_out&proxy_node_location=Edge+Oslo", "stream", "DMZ"),
        ("protocol=mssip&ms-subnet=10.61.2.1&proxy_node_location=Edge%20Oslo", "proxied", "Bergen"),
        ("protocol=mssip&ms-subnet=10.62.2.1&proxy_node_location=Edge%20Oslo", "proxied", "Oslo"),
        ("protocol=mssip&ms-subnet=10.62.2.1", None, "Sydney"),
    ],
)
def test_the_first_view_whose_conditions_all_hold_answers(query: str, view: str | None, location: str) -> None:
    found = in_views(query)
    assert (found.view, found.location) == (view, location)
    assert found.body.get("policy.view") == view
    assert found.body["result"]["location"] == location


def test_a_call_of_a_view_never_falls_through_to_the_map_at_the_top() -> None:
    found = in_views("protocol=webrtc&remote_address=2001:db8::1&location=DMZ")
    assert (found.outcome, found.body["policy.view"]) == ("no-match", "edge")
    assert in_views("protocol=webrtc&remote_address=x&location=DMZ").body["policy.view"] == "edge"


def test_one_answer_needs_no_address_and_no_rule_for_the_protocol() -> None:
    found = in_views("protocol=rtmp&call_direction=dial_out&remote_address=live.example.com")
    assert (found.status, found.outcome) == (200, "answer")
    assert found.body == {
        "status": "success",
        "policy.reason.matched": "Sending RTMP call to location DMZ",
        "policy.view": "stream",
        "policy.commit": "c" * 40,
        "result": {"location": "DMZ", "primary_overflow_location": "Oslo"},
    }


def test_a_view_without_conditions_takes_every_call() -> None:
    snapshot = snapshot_of({"policy.toml": '[[view]]\nname = "all"\nanswer = "Oslo"\n'})
    for query in ("", "protocol=quic", "protocol=mssip&ms-subnet=x"):
        found = answer(snapshot, parse_query(query.encode()))
        assert (found.location, found.view) == ("Oslo", "all")


def test_an_answer_outside_views_is_byte_for_byte_what_it_is_without_them() -> None:
    rules = VIEWS.partition("[[view]]")[0]
    for query in ("protocol=mssip&ms-subnet=10.61.2.1", "protocol=mssip&ms-subnet=x", "protocol=sip", "protocol=mssip"):
        assert in_views(query) == ask(query, rules)


# --- the table of overflow locations ---

TABLE = """[answer]
default = "Oslo"

[overflow]
Sydney = ["Melbourne", "Singapore"]
Oslo = "Bergen"

[[view]]
name = "edge"
location = "DMZ"
answer = "Sydney"
"""
WITH_TABLE = snapshot_of(
    {"policy.toml": TABLE, "locations.csv": "Sydney,10.61.2.0/24\nSydney,Perth,10.61.3.0/24\nPerth,10.61.4.0/24\n"}
)


@pytest.mark.parametrize(
    ("query", "location", "overflow", "place"),
    [
        ("ms-subnet=10.61.2.0", "Sydney", ("Melbourne", "Singapore"), "policy.toml:5"),
        ("ms-subnet=10.61.3.0", "Sydney", ("Perth",), None),
        ("ms-subnet=10.61.4.0", "Perth", (), None),
        ("ms-subnet=192.0.2.0", "Oslo", ("Bergen",), "policy.toml:6"),
        ("location=dmz", "Sydney", ("Melbourne", "Singapore"), "policy.toml:5"),
    ],
)
def test_what_names_a_location_alone_has_the_overflow_of_the_table_and_says_its_line(
    query: str, location: str, overflow: tuple[str, ...], place: str | None
) -> None:
    found = answer(WITH_TABLE, parse_query(f"protocol=mssip&{query}".encode()))
    assert (found.location, found.overflow, found.body.get("policy.overflow")) == (location, overflow, place)
    assert [*found.body["result"].values()] == [location, *overflow]
