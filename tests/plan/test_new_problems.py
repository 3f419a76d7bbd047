"""Which problems a change brings, and which were there before."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from location_policy.config.validate import load_map
from location_policy.errors import InvalidConfiguration
from location_policy.plan.new_problems import old_line, split_by_age, take_fresh
from location_policy.problems import Problem, Problems
from tests.support.maps import files_of
from tests.support.repositories import Files

PROBLEM = Problem("locations.csv", 1, 1, "host-bits", "10.0.0.1/8 has host bits set")
NARROW = "Oslo,10.0.1.0/24\nOslo,10.0.2.0/24\n"
OLD: Files = {"locations/a.csv": "Oslo,10.0.0.0/8\n", "locations/b.csv": NARROW}
"""Two redundant rows."""


def problems(files: Files) -> Problems:
    try:
        return load_map(files_of(files)).warnings
    except InvalidConfiguration as error:
        return error.problems


def split(new: Files, old: Files = OLD) -> tuple[list[str], int]:
    """Where the problems stand that a change brings, and how many others there are."""
    found, before = split_by_age(problems(new), problems(old))
    return [f"{one.path}:{one.line} {one.code}" for one in found], before.total


def test_a_problem_that_stands_on_another_line_is_not_told_again_and_a_second_one_like_it_is() -> None:
    told: Counter[tuple[str, str, str]] = Counter()
    one, other = (
        replace(PROBLEM, message="as in locations.csv:7"),
        replace(PROBLEM, line=2, message="as in locations.csv:8"),
    )
    assert take_fresh([one], told) == [one]
    assert take_fresh([other], told) == []
    assert take_fresh([one, other], told) == [other]


@pytest.mark.parametrize(
    "files",
    [
        {**OLD, "locations/b.csv": f"# ours\n{NARROW}"},
        {"locations/a.csv": "# ours\nOslo,10.0.0.0/8\n", "locations/b.csv": NARROW},
        {"locations/a.csv": "Oslo,10.0.0.0/8\n", "locations/z in c.csv": NARROW},
        {"locations/z in c.csv": "Oslo,10.0.0.0/8\n", "locations/b.csv": NARROW},
        {"locations.csv": f"Oslo,10.0.0.0/8\n{NARROW}"},
    ],
    ids=["lines above", "lines above the other row", "another file", "the other row in another file", "one file"],
)
def test_what_was_there_before_stands_for_the_same_row_wherever_that_stands(files: Files) -> None:
    assert split(files) == ([], 2)


def test_it_was_there_before_though_another_row_is_nearest_now() -> None:
    new = {**OLD, "locations/a.csv": "Oslo,10.0.0.0/8\nOslo,10.0.0.0/16\n"}
    assert split(new) == (["locations/a.csv:2 redundant-subnet"], 2)


def test_a_row_that_a_change_elsewhere_makes_redundant_is_new() -> None:
    assert split(OLD, {**OLD, "locations/a.csv": "Perth,10.0.0.0/8\n"})[0] == [
        "locations/b.csv:1 redundant-subnet",
        "locations/b.csv:2 redundant-subnet",
    ]


def test_a_second_one_that_says_the_same_in_another_file_is_new() -> None:
    stray: Files = {**OLD, "sites.csv": "x\n"}
    assert split({**stray, "other.csv": "x\n"}, stray) == (["other.csv:1 stray-csv"], 3)
    assert split({**OLD, "other.csv": "x\n"}, stray) == ([], 3)


def test_an_error_is_told_though_it_was_there_before_and_a_severity_makes_nothing_new() -> None:
    wrong: Files = {"locations.csv": "Oslo,10.0.0.1/8\n"}
    lenient: Files = {**wrong, "policy.toml": 'checks.host-bits = "warning"\n'}
    assert split(wrong, wrong) == (["locations.csv:1 host-bits"], 0)
    assert split(lenient, wrong) == ([], 1)


def test_how_many_were_there_before_is_a_line_where_there_are_any() -> None:
    old = replace(PROBLEM, severity="warning")
    assert [*old_line(Problems())] == []
    assert [*old_line(Problems([old]))] == ["1 warning was there before"]
    assert [*old_line(Problems([old, old], cut=["warning"]))] == ["2 warnings or more were there before"]
