"""How a problem prints."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from location_policy.problems import CODES, Problem, errors_in

PROBLEM = Problem("locations/apac.csv", 2, 28, "host-bits", "10.61.3.0/23 has host bits set", "write 10.61.2.0/23")


def test_a_problem_begins_with_its_place_and_ends_with_its_code() -> None:
    first, second = str(PROBLEM).split("\n")
    assert first == "locations/apac.csv:2:28: error: 10.61.3.0/23 has host bits set [host-bits]"
    assert second == "  hint: write 10.61.2.0/23"


def test_without_a_hint_a_problem_is_one_line() -> None:
    assert "\n" not in str(replace(PROBLEM, hint=None))


@given(st.text(), st.text(), st.text())
def test_nothing_from_outside_reaches_the_terminal_raw(path: str, message: str, hint: str) -> None:
    printed = str(Problem(path, 1, 1, "nul", message, hint))
    assert all(line.isprintable() for line in printed.split("\n"))
    assert printed.count("\n") == bool(hint)


def test_only_errors_keep_a_configuration_from_being_served() -> None:
    assert errors_in([replace(PROBLEM, severity="warning"), PROBLEM]) == (PROBLEM,)


def test_a_fixed_code_is_an_error() -> None:
    assert {code.severity for code in CODES.values() if not code.adjustable} == {"error"}
