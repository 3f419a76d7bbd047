"""How a problem prints."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from location_policy.problems import (
    CODES,
    SHOWN,
    Problem,
    ProblemCollector,
    Problems,
    Severity,
    errors_in,
    joined,
)
from location_policy.text import ROOM

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


# --- many of them ---


def collected(*found: Problem, most: int = 3) -> Problems:
    collector = ProblemCollector(lambda problem: problem.severity, most)
    collector.add(found)
    return collector.found()


def many(number: int, severity: Severity = "error", code: str = "host-bits") -> list[Problem]:
    return [replace(PROBLEM, line=line, severity=severity, code=code) for line in range(1, number + 1)]


def test_of_many_problems_the_first_are_told_and_all_are_counted_by_code() -> None:
    told = Problems([*many(300), *many(2, code="nul")]).fields()
    assert len(cast("list[object]", told["problems"])) == SHOWN
    assert (told["total"], told["counts"], told["is_cut"]) == (302, {"host-bits": 300, "nul": 2}, False)


def test_once_there_are_enough_errors_nothing_is_looked_for() -> None:
    found = (one for one in many(10))
    collector = ProblemCollector(lambda problem: problem.severity, 3)
    collector.add(found)
    assert next(found).line == 4
    collector.add(found)
    assert next(found).line == 5
    assert collector.found().counted("error") == "3 errors or more"


def test_no_number_of_warnings_hides_an_error() -> None:
    found = collected(*many(10, "warning"), PROBLEM)
    assert sorted((one.severity, one.line) for one in found) == [("error", 2), *(("warning", at) for at in (1, 2, 3))]
    assert errors_in(found).counted("error") == "1 error"
    assert found.of("warning").counted("warning") == "3 warnings or more"


def test_what_is_told_has_room_for_no_more_than_so_many_characters() -> None:
    told = Problems([Problem("p" * 100_000, 1, 1, "nul", "m" * 100_000, "h" * 100_000)] * SHOWN).first()
    assert 10 < len(told) < SHOWN
    assert told.total == SHOWN
    assert len(str(told.fields())) < 1.5 * ROOM


def test_problems_are_the_same_in_another_process() -> None:
    found = Problems(many(2), cut=["error"]).first(1)
    again = pickle.loads(pickle.dumps(found))
    assert (again, again.counts, again.cut) == (found, found.counts, found.cut)


def test_several_are_joined_with_all_that_is_known_of_them() -> None:
    found = joined([Problems(many(5)).first(1), Problems(many(1, code="nul"), cut=["error"])])
    assert (len(found), found.total, found.by_code(), found.is_cut) == (2, 6, {"host-bits": 5, "nul": 1}, True)
