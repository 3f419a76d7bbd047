"""What a follower says of itself is taken as far as it fits together, and no further."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from location_policy.fleet.report import Behind, Late, Refusal, parse_behind, parse_refusal, parse_report, parse_via

COMMIT = "c" * 40
SUMMARY: dict[str, Any] = {
    "total": 3,
    "at_tip": 2,
    "states": {"in-sync": 2, "unreachable": 1},
    "late": [{"name": "web-3", "commit": COMMIT, "state": "unreachable"}],
}


def test_a_replica_and_a_mirror_are_understood() -> None:
    told = parse_report(
        {
            "x-location-policy-name": "emea",
            "x-location-policy-version": "1.2.0",
            "x-location-policy-state": "in-sync",
            "x-location-policy-commit": COMMIT,
            "x-location-policy-problems": quote(f"{COMMIT} Zürich: 10.0.0.1/8 has host bits set"),
            "x-location-policy-behind": json.dumps(SUMMARY, separators=(",", ":")),
            "via": "1.1 location-policy-0123456789abcdef, 1.1 location-policy-fedcba9876543210, 1.1 nginx",
        }
    )
    assert told is not None
    assert told[:4] == ("emea", "1.2.0", "in-sync", COMMIT)
    assert told.refusal == Refusal(COMMIT, "Zürich: 10.0.0.1/8 has host bits set")
    assert told.behind == Behind(3, 2, SUMMARY["states"], [Late("web-3", COMMIT, "unreachable")])
    assert told.behind.fields() == SUMMARY
    assert told.ids == ("0123456789abcdef", "fedcba9876543210")


@pytest.mark.parametrize("name", [None, "", "  "])
def test_who_gives_no_name_is_no_follower(name: str | None) -> None:
    assert parse_report({} if name is None else {"x-location-policy-name": name}) is None


def test_lies_are_bounded_and_escaped() -> None:
    told = parse_report(
        {
            "x-location-policy-name": "\x1b[2J<b>" + "x" * 10_000,
            "x-location-policy-version": "9" * 1_000,
            "x-location-policy-state": "<script>",
            "x-location-policy-commit": "HEAD",
            "x-location-policy-problems": "HEAD is bad",
            "via": "location-policy-0123456789abcdef",
        }
    )
    assert told == ("\\x1b[2J<b>" + "x" * 54, "9" * 32, "unknown", None, None, None, ())


@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", "3", "null", "{}", '{"total": 3}', "[" * 2000]
    + [
        json.dumps(SUMMARY | wrong)
        for wrong in list[dict[str, Any]](
            (
                {"total": -1},
                {"total": True},
                {"total": 10**9},
                {"total": 2.5},
                {"at_tip": 4},
                {"states": []},
                {"states": {"<b>": 1}},
                {"states": {"in-sync": -1}},
                {"late": 1},
                {"late": [1]},
                {"late": [{"name": 1}]},
                {"late": [{}]},
                {"more": "x" * 2048},
            )
        )
    ]
    + [json.dumps(SUMMARY).replace("web", "wéb")],
)
def test_a_summary_that_does_not_fit_together_is_dropped(text: str) -> None:
    assert parse_behind(text) is None


def test_a_summary_of_a_newer_version_is_taken_without_what_is_not_known() -> None:
    found = parse_behind(json.dumps({"total": 1, "at_tip": 1, "new": 1, "late": [{"name": "a", "commit": "x"}] * 9}))
    assert found == Behind(1, 1, {}, [Late("a", None, "unknown")] * 5)


@pytest.mark.parametrize("text", ["", COMMIT, f"{COMMIT} ", "x y", f"{COMMIT}%20%0a", "%"])
def test_a_refusal_is_a_commit_and_a_sentence(text: str) -> None:
    assert parse_refusal(text) is None


def test_a_refusal_is_no_longer_than_may_be() -> None:
    assert parse_refusal(quote(f"{COMMIT} {'ü' * 10_000}")) == Refusal(COMMIT, "ü" * 300)


def test_a_chain_has_so_many_ids_and_no_more() -> None:
    assert len(parse_via(", ".join(["1.1 location-policy-0123456789abcdef"] * 1_000))) == 100
