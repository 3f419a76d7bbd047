"""What a follower tells of itself."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from location_policy import __version__
from location_policy.problems import Problem, Problems
from location_policy.rollout.state import ActiveState, Failure, now
from location_policy.rollout.upstream.report import Follower

OWN, NEW = "0" * 16, "b" * 40
PROBLEMS = "X-Location-Policy-Problems"


def refusing(message: str, *problems: Problem) -> ActiveState:
    """A state in which a commit is refused."""
    active = ActiveState()
    active.change(rejection=Failure(now(), message, NEW, Problems(problems)))
    return active


def test_before_anything_is_in_force_it_tells_its_name_version_state_and_id() -> None:
    assert Follower("replica-1", OWN, ActiveState()).headers() == {
        "X-Location-Policy-Name": "replica-1",
        "X-Location-Policy-Version": __version__,
        "X-Location-Policy-State": "starting",
        "Via": f"1.1 location-policy-{OWN}",
    }


@pytest.mark.parametrize(
    ("name", "told"),
    [("zürich-1", r"z\xfcrich-1"), ("東京", r"\u6771\u4eac"), ("a\nb\udce4", r"a\nb\udce4"), ("x" * 70, "x" * 64)],
)
def test_the_name_of_a_host_is_told_in_characters_of_a_header_whatever_it_has(name: str, told: str) -> None:
    assert Follower(name, OWN, ActiveState()).headers()["X-Location-Policy-Name"] == told


def test_those_behind_a_mirror_are_named_by_their_ids_and_summed_up() -> None:
    ids = [f"{number:016x}" for number in range(1, 500)]
    told = Follower("m", OWN, ActiveState(), lambda: '{"total":2}', lambda: ids).headers()
    assert told["X-Location-Policy-Behind"] == '{"total":2}'
    via = told["Via"].split(", ")
    assert via[:2] == [f"1.1 location-policy-{OWN}", f"1.1 location-policy-{ids[0]}"]
    assert len(told["Via"]) < 4096


@pytest.mark.parametrize("summary", [None, "", '{"a":"' + "x" * 2048 + '"}', '{"a":"é"}', '{\r\n"a":1}'])
def test_a_summary_that_is_no_header_is_left_out(summary: str | None) -> None:
    assert "X-Location-Policy-Behind" not in Follower("m", OWN, ActiveState(), lambda: summary).headers()


def test_the_first_error_of_what_it_refuses_is_told_before_any_warning() -> None:
    warning = Problem("a.csv", 1, 1, "catch-all", "wide", severity="warning")
    error = Problem("lø.csv", 2, 8, "not-a-subnet", "100% wrong", "write another")
    told = Follower("m", OWN, refusing("2 problems", warning, error)).headers()[PROBLEMS]
    assert told.isascii()
    assert unquote(told) == f"{NEW} lø.csv:2:8: error: 100% wrong [not-a-subnet]"


def test_a_refusal_without_problems_tells_its_sentence_and_not_too_much_of_it() -> None:
    told = Follower("m", OWN, refusing("not signed\n" + "é" * 1000)).headers()[PROBLEMS]
    assert told.isascii()
    assert told.isprintable()
    assert len(unquote(told)) == 40 + 1 + 300
