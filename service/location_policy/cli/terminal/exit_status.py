"""Errors to sentences and exit statuses.

0: yes. 1: the answer is no. 2: it could not be asked. 3: the service could not start.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ...errors import (
    ForeignHook,
    InvalidConfiguration,
    LocationPolicyError,
    NotConfirmed,
    RevertConflict,
    UnusableFile,
)
from ...problems import SHOWN, Problems, alike_line, few_of_each
from ...text import escape

NO = 1
NOT_ASKED = 2
NOT_STARTED = 3
_REFUSALS = (InvalidConfiguration, ForeignHook, NotConfirmed, RevertConflict)


@contextmanager
def told(status: int) -> Iterator[None]:
    """Tell an error of ours to the user and exit: with 1 when it is a refusal, else with this status."""
    try:
        yield
    except LocationPolicyError as error:
        tell(error)
        sys.exit(NO if isinstance(error, _REFUSALS) else status)
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(status)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        tell(LocationPolicyError(f"{place}{error.strerror or error}"))
        sys.exit(status)


def tell(error: LocationPolicyError) -> None:
    """An error in the form that all commands share."""
    print("\n".join(words(error)), file=sys.stderr)


def first_lines(problems: Sequence[object]) -> Iterator[str]:
    """The first problems, each in its form, and how many more; where they have codes, a few of each."""
    if isinstance(problems, Problems):
        yield from _few_lines(problems)
        return
    yield from map(str, problems[:SHOWN])
    if len(problems) > SHOWN:
        yield f"… and {len(problems) - SHOWN:,} more"


def _few_lines(problems: Problems) -> Iterator[str]:
    few = few_of_each(problems, problems.counts)
    for problem, alike in few:
        yield str(problem)
        yield from alike_line(alike, problems, "location-policy check --all")
    if left := problems.total - sum(1 + alike for _, alike in few):
        yield f"… and {left:,} more: location-policy check --all"


def words(error: LocationPolicyError) -> Iterator[str]:
    """That form, line by line."""
    yield f"location-policy: {escape(error.message)}"
    if isinstance(error, (InvalidConfiguration, UnusableFile, RevertConflict)):
        yield from first_lines(error.problems)
    if error.hint:
        yield f"  hint: {escape(error.hint)}"
