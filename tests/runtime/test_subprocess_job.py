"""What is done in another process is what would be done here, also where that is an error."""

from __future__ import annotations

import operator
import pickle
from collections.abc import Callable

import pytest

from location_policy.errors import (
    InvalidConfiguration,
    LocationPolicyError,
    NotJudged,
    RevertConflict,
    RowChanged,
    UnusableUpload,
)
from location_policy.problems import Problem, Problems
from location_policy.repository.git import GitFailed
from location_policy.runtime.subprocess_job import Job, run_job, unpickle

PROBLEM = Problem("locations.csv", 1, 1, "too-few-columns", "too few")
ERRORS = (
    LocationPolicyError("no", "try this"),
    InvalidConfiguration(Problems([PROBLEM], cut=["error"])),
    RowChanged("it has changed", "look", "locations.csv", 3, "Oslo,10.0.0.0/8"),
    RevertConflict("two meet", "revert both", ["locations.csv:3"]),
    UnusableUpload("it is no table", "mend it", Problems([PROBLEM])),
    GitFailed("rev-parse", 128, "fatal: no such thing"),
)


def done(function: Callable[..., object], *arguments: object, polite: float = 10.0, deadline: float = 10.0) -> object:
    work = Job(function, arguments, NotJudged, "do", "done", "the sum")
    with run_job(work, polite, deadline) as made:
        return unpickle(made)


def test_what_a_function_gives_comes_back() -> None:
    assert done(pow, 7, 2, 5) == 4


def test_an_error_that_nobody_expects_is_told_in_the_words_of_the_work() -> None:
    with pytest.raises(NotJudged, match=r"^the sum cannot be done: ZeroDivisionError: division by zero$"):
        done(operator.truediv, 1, 0)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_of_ours_is_the_same_in_another_process(error: LocationPolicyError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.args, vars(again)) == (type(error), error.args, vars(error))


def test_where_nothing_can_be_left_over_one_of_low_priority_does_it_at_once() -> None:
    assert done(pow, 2, 3, polite=0) == 8
