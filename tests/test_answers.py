"""The shape of an answer, sentence by sentence of the contract."""

from __future__ import annotations

import json

import pytest

from location_policy import answers
from location_policy.addresses import Network, parse_address
from location_policy.rules import OverflowForm
from location_policy.snapshot import Match

NETWORK = Network.holding(parse_address("10.61.2.0"), 24)


def match(*names: str) -> Match:
    return Match(NETWORK, names, "locations/apac.csv", 1)


def test_a_match_says_where_to_and_which_row_and_commit_said_so() -> None:
    answer = answers.matched(match("Sydney", "Melbourne", "Singapore"), "pair", "mssip", "c" * 40)
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
    result = answers.matched(match(*names), form, "mssip", None).body["result"]
    assert result == {"location": "Sydney", **overflow}


def test_a_default_has_neither_subnet_nor_source() -> None:
    answer = answers.defaulted("Singapore", "mssip", "c" * 40)
    assert answer.body == {
        "status": "success",
        "policy.reason.matched": "No matching subnet, sending MSSIP call to default location Singapore",
        "policy.commit": "c" * 40,
        "result": {"location": "Singapore"},
    }


def test_no_match_says_so_with_a_status_that_is_not_success() -> None:
    answer = answers.no_match("c" * 40)
    assert (answer.status, answer.body["policy.commit"]) == (200, "c" * 40)
    assert answer.body["status"].startswith("policy.reason.no.subnetmatch - No matching subnet, ")


def test_no_opinion_says_that_there_is_no_policy_for_the_call() -> None:
    answer = answers.no_opinion(None)
    assert answer.status == 200
    assert answer.body == {"status": "policy.reason.no.mssip - Not providing policy for this call"}


def test_a_bad_address_is_repeated_in_the_message_but_never_at_length() -> None:
    answer = answers.bad_address("9" * 60_000, "ms-subnet", None)
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
    answer = answers.defaulted("Zürich", "mssip", None)
    assert answer.encoded().isascii()
    assert json.loads(answer.encoded()) == answer.body
