"""The shape of an answer, sentence by sentence of the contract."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy.config.policy_toml import OverflowForm, Rules
from location_policy.lookup import answers
from location_policy.lookup.answers import AnswerEncoder, Match
from location_policy.net.addresses import Network, parse_address

NETWORK = Network.holding(parse_address("10.61.2.0"), 24)


def match(*names: str) -> Match:
    return Match(NETWORK, names, "locations/apac.csv", 1)


def wording(commit: str | None = None, form: OverflowForm = "pair", default: str | None = None) -> AnswerEncoder:
    return AnswerEncoder(Rules(overflow=form, default=default), commit)


def test_a_match_says_where_to_and_which_row_and_commit_said_so() -> None:
    answer = wording("c" * 40).matched(match("Sydney", "Melbourne", "Singapore"), "mssip")
    assert answer.status == 200
    assert answer.body == {
        "status": "success",
        "policy.reason.matched": "Sending MSSIP call to location Sydney",
        "policy.subnet": "10.61.2.0/24",
        "policy.source": "locations/apac.csv:1",
        "policy.commit": "c" * 40,
        "result": {
            "location": "Sydney",
            "primary_overflow_location": "Melbourne",
            "secondary_overflow_location": "Singapore",
        },
    }


@pytest.mark.parametrize(
    ("names", "form", "overflow"),
    [
        (("Sydney",), "pair", {}),
        (("Sydney",), "list", {}),
        (("Sydney", "Perth"), "pair", {"primary_overflow_location": "Perth"}),
        (("Sydney", "A", "B", "C"), "list", {"overflow_locations": ["A", "B", "C"]}),
    ],
)
def test_overflow_keys_without_a_value_are_left_out(
    names: tuple[str, ...], form: OverflowForm, overflow: dict[str, object]
) -> None:
    result = wording(form=form).matched(match(*names), "mssip").body["result"]
    assert result == {"location": "Sydney", **overflow}


@given(st.lists(st.text(min_size=1), min_size=1, max_size=3), st.text(), st.text(), st.integers(1, 2_000_000))
def test_the_parts_that_are_encoded_once_make_the_json_of_the_whole(
    names: list[str], path: str, protocol: str, line: int
) -> None:
    words = wording("c" * 40, "list")
    for number in (line, line + 1):
        answer = words.matched(Match(NETWORK, tuple(names), path, number), protocol)
        whole = {
            "status": "success",
            "policy.reason.matched": f"Sending {protocol.upper()} call to location {names[0]}",
            "policy.subnet": "10.61.2.0/24",
            "policy.source": f"{path}:{number}",
            "policy.commit": "c" * 40,
            "result": {"location": names[0], **({"overflow_locations": names[1:]} if names[1:] else {})},
        }
        assert answer.content == json.dumps(whole).encode()
        named = answer.subnet, answer.source, answer.location, answer.overflow
        assert named == ("10.61.2.0/24", f"{path}:{number}", names[0], tuple(names[1:]))


def test_a_default_has_neither_subnet_nor_source() -> None:
    answer = wording("c" * 40, default="Singapore").unmatched("mssip")
    assert answer.body == {
        "status": "success",
        "policy.reason.matched": "No matching subnet, sending MSSIP call to default location Singapore",
        "policy.commit": "c" * 40,
        "result": {"location": "Singapore"},
    }


def test_no_match_says_so_with_a_status_that_is_not_success() -> None:
    answer = wording("c" * 40).unmatched("mssip")
    assert (answer.status, answer.body["policy.commit"]) == (200, "c" * 40)
    assert answer.body["status"].startswith("policy.reason.no.subnetmatch - No matching subnet, ")


def test_no_opinion_says_that_there_is_no_policy_for_the_call() -> None:
    answer = wording().no_opinion("mssip")
    assert answer.status == 200
    assert answer.body == {"status": "policy.reason.no.mssip - Not providing policy for this call"}


def test_a_bad_address_is_repeated_in_the_message_but_never_at_length() -> None:
    answer = wording().bad_address("9" * 60_000, "ms-subnet")
    assert answer.status == 400
    assert answer.body["status"] == "policy.reason.bad.address - ms-subnet is not an address"
    assert answer.body["message"] == f"{'9' * 80}… is not an IPv4 or IPv6 address"


def test_before_a_first_snapshot_the_answer_is_503() -> None:
    answer = answers.not_ready()
    assert answer.status == 503
    assert answer.body["status"].startswith("policy.reason.not.ready - ")


def test_another_request_type_is_told_to_continue() -> None:
    answer = answers.not_provided("/policy/v1/service/configuration")
    assert (answer.status, answer.body["action"]) == (404, "continue")
    assert answer.body["status"].startswith("policy.reason.not.provided - Only media location is answered here")


def test_a_doubled_path_gets_the_hint_where_the_base_url_ends() -> None:
    answer = answers.not_provided("/policy/v1/policy/v1/participant/location")
    assert answer.body["status"].endswith("The base URL in the policy profile must end before /policy")


def test_another_method_is_named() -> None:
    answer = answers.not_allowed("POST")
    assert (answer.status, answer.outcome) == (405, "not-allowed")
    assert "POST is not GET or HEAD" in answer.body["status"]


def test_an_answer_is_sent_as_plain_ascii() -> None:
    answer = wording(default="Zürich").unmatched("mssip")
    assert answer.content.isascii()
    assert json.loads(answer.content)["result"] == {"location": "Zürich"}
