"""How a problem prints."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy.problems import CODES, SHOWN_VALUE, Problem, count, errors_in, escape, quote

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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zürich", "Zürich"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\nb\r", r"a\nb\r"),
        ("Z\udcfcrich", r"Z\udcfcrich"),
        ("\u202ecsv.exe", r"\u202ecsv.exe"),
        ("a\u00a0b", r"a\xa0b"),
    ],
)
def test_what_could_steer_a_terminal_is_written_out(text: str, shown: str) -> None:
    assert escape(text) == shown


@pytest.mark.parametrize(("value", "shown"), [("Sydney", "Sydney"), ("", '""'), ("Sydney ", '"Sydney "')])
def test_a_value_stands_between_marks_where_needed(value: str, shown: str) -> None:
    assert quote(value) == shown


def test_a_long_value_is_cut() -> None:
    assert quote("x" * (SHOWN_VALUE + 1)) == "x" * SHOWN_VALUE + "…"


def test_only_errors_keep_a_configuration_from_being_served() -> None:
    assert errors_in([replace(PROBLEM, severity="warning"), PROBLEM]) == (PROBLEM,)


@pytest.mark.parametrize(("number", "text"), [(0, "0 errors"), (1, "1 error"), (19950, "19,950 errors")])
def test_a_number_agrees_with_its_noun(number: int, text: str) -> None:
    assert count(number, "error") == text


def test_a_fixed_code_is_an_error() -> None:
    assert {code.severity for code in CODES.values() if not code.adjustable} == {"error"}
