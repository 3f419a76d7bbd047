"""The line of an answer: its keys, and what values from outside cannot do to it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy.calls.decision_line import KEYS, LONGEST, NAMES, make_line
from location_policy.lookup import decision as policy
from location_policy.lookup.answers import AnswerEncoder
from location_policy.lookup.query_string import Pairs, parse_query
from tests.support.maps import COMMIT, EDGE, snapshot_of
from tests.support.repositories import SYDNEY

ASKED = (
    b"protocol=MSSIP&ms-subnet=10.61.2.0&node_ip=10.44.99.2&request_id=644d4edc&remote_address=10.44.151.5"
    b"&location=London+2&proxy_node_location=&call_direction=dial_in"
)
NAMED = ASKED + b"&local_alias=meet.bob&remote_alias=sip:alice@example.com&remote_display_name=Alice"
SNAPSHOT = snapshot_of()
NO_OPINION = AnswerEncoder(SNAPSHOT.rules, None).no_opinion("")

Json = dict[str, Any]


def line_of(query: bytes = ASKED, rules: str = "", rows: str = SYDNEY, *, with_names: bool = False) -> Json:
    """The meaning of the line for the answer to this query under these rules and rows."""
    snapshot = snapshot_of({"locations.csv": rows, "policy.toml": rules})
    question = policy.understand(snapshot.rules, parse_query(query))
    answer = policy.answer_question(snapshot, question)
    line: Json = json.loads(make_line(question, answer, COMMIT.id, 83_500, with_names=with_names))
    return line


# --- a line ---


def test_a_line_has_exactly_the_keys_of_the_contract_in_their_order() -> None:
    line = line_of()
    assert " ".join(line) == (
        "version time request_id node_ip protocol remote_address ms_subnet node_location proxy_node_location"
        " call_direction address outcome subnet source location overflow view commit took_us"
    )
    assert list(line) == list(KEYS)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", line.pop("time"))
    assert line == {
        "version": 2,
        "request_id": "644d4edc",
        "node_ip": "10.44.99.2",
        "protocol": "mssip",
        "remote_address": "10.44.151.5",
        "ms_subnet": "10.61.2.0",
        "node_location": "London 2",
        "proxy_node_location": None,
        "call_direction": "dial_in",
        "address": "10.61.2.0",
        "outcome": "match",
        "subnet": "10.61.2.0/24",
        "source": "locations.csv:1",
        "location": "Sydney",
        "overflow": ["Melbourne", "Singapore"],
        "view": None,
        "commit": COMMIT.id,
        "took_us": 83,
    }


def test_a_line_names_the_view_that_took_the_call() -> None:
    snapshot = snapshot_of({"locations.csv": SYDNEY, "policy.toml": EDGE})
    answering = snapshot.answering(parse_query(b"location=dmz&" + ASKED))
    question = policy.understand(answering.rules, parse_query(ASKED))
    line = json.loads(make_line(question, policy.answer_question(answering, question), COMMIT.id, 1, with_names=False))
    assert [line[key] for key in ("outcome", "location", "overflow", "view")] == ["answer", "DMZ", ["Oslo"], "edge"]


def test_no_name_is_in_a_line_unless_it_is_asked_for() -> None:
    assert "lice" not in json.dumps(line_of(NAMED))
    line = line_of(NAMED, with_names=True)
    assert list(line) == [*KEYS, *NAMES]
    assert [line[name] for name in NAMES] == ["meet.bob", "sip:alice@example.com", "Alice"]


def test_what_a_request_or_an_answer_does_not_have_is_null() -> None:
    line = line_of(b"", with_names=True)
    known = {key for key, value in line.items() if value is not None}
    assert known == {"version", "time", "outcome", "commit", "took_us"}


def test_a_request_of_which_the_protocol_has_no_rule_says_all_that_another_rule_could_match() -> None:
    line = line_of(
        b"protocol=webrtc&remote_address=10.61.3.7&ms-subnet=10.61.2.0&location=Oslo&call_direction=dial_out"
    )
    assert (line["outcome"], line["address"]) == ("no-opinion", None)
    asked = [line[key] for key in ("remote_address", "ms_subnet", "node_location", "call_direction")]
    assert asked == ["10.61.3.7", "10.61.2.0", "Oslo", "dial_out"]


@pytest.mark.parametrize(
    ("rules", "rows", "location", "overflow"),
    [
        ("", "Sydney,10.61.2.0/24\n", "Sydney", []),
        ("", "Sydney,Perth,10.61.2.0/24\n", "Sydney", ["Perth"]),
        ('answer.overflow = "list"', SYDNEY, "Sydney", ["Melbourne", "Singapore"]),
        ('answer.overflow = "list"', "Sydney,10.61.2.0/24\n", "Sydney", []),
        ('answer.default = "Hobart"', "Sydney,10.0.0.0/24\n", "Hobart", []),
        ("", "Sydney,10.0.0.0/24\n", None, None),
    ],
)
def test_the_overflow_is_a_list_in_either_form_of_answer_and_null_without_a_location(
    rules: str, rows: str, location: str | None, overflow: list[str] | None
) -> None:
    line = line_of(rules=rules, rows=rows)
    assert (line["location"], line["overflow"]) == (location, overflow)


@pytest.mark.parametrize(
    ("asked", "told"),
    [(b"%5B10.61.2.0%5D", "10.61.2.0"), (b"%20x%0Ay", "x\ny"), (b"::ffff:10.61.2.0", "::ffff:10.61.2.0"), (b"", None)],
)
def test_the_address_is_told_as_it_was_asked_for_without_what_is_round_it(asked: bytes, told: str | None) -> None:
    assert line_of(b"protocol=mssip&ms-subnet=" + asked)["address"] == told


def test_the_address_is_that_of_the_parameter_that_the_rules_name() -> None:
    query = b"protocol=webrtc&ms-subnet=10.61.2.0&remote_address=10.61.3.0"
    assert line_of(query)["address"] is None
    assert line_of(query, 'match.webrtc = "remote_address"')["address"] == "10.61.3.0"


def test_a_long_value_is_cut() -> None:
    long = b"x" * 100_000
    line = line_of(b"protocol=%b&request_id=%b&remote_alias=%b" % (long, long, long), with_names=True)
    for key in ("protocol", "request_id", "remote_alias"):
        assert line[key] == "x" * LONGEST + "…"


@pytest.mark.parametrize("name", ["request_id", "node_ip", "ms_subnet", "location", "call_direction", "local_alias"])
def test_a_value_that_is_one_character_too_long_is_cut_and_a_longest_one_is_not(name: str) -> None:
    key, with_names = "node_location" if name == "location" else name, name in NAMES
    for length in (LONGEST, LONGEST + 1):
        line = line_of(f"{name}={'x' * length}".encode(), with_names=with_names)
        assert line[key] == "x" * LONGEST + "…" * (length > LONGEST)


VALUES = st.one_of(st.text(max_size=20), st.sampled_from(["\r\n", "\x00", "\x85", "\u2028", '","x":"', "\x1b[2J"]))


@given(VALUES, VALUES)
def test_no_value_breaks_a_line_and_every_value_can_be_read_back(one: str, other: str) -> None:
    parameters = Pairs([("request-id", one), ("remote-alias", other)])
    question = policy.understand(SNAPSHOT.rules, parameters)
    line = make_line(question, NO_OPINION, None, 1, with_names=True)
    assert line.isascii()
    assert len(line.decode().splitlines()) == 1
    assert line.endswith(b"\n")
    told = json.loads(line)
    assert list(told) == [*KEYS, *NAMES]
    assert (told["request_id"], told["remote_alias"]) == (one or None, other or None)


@given(st.binary(max_size=60))
def test_whatever_the_query_is_there_is_one_line(query: bytes) -> None:
    assert list(line_of(query, with_names=True)) == [*KEYS, *NAMES]
