"""Tell the problems that a change brings from those that were there before.

Lines move when others come above them, and rows move between files, so a problem is known by what it says, not by where
it stands.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ..problems import Problem, Problems

Told = Counter[tuple[str, str, str]]
"""How often a problem stands, on any line."""

_OTHER_LINE = re.compile(r"(?<=\.csv):\d+")
"""The number of another line in a message: it may change while the problem stands."""
_OTHER_ROW = re.compile(r"\b(?:that|first) (?:\S+ )?in .*\.csv\b")
"""Another row in a message, as lint names it: another one may be the nearest while the problem stands."""


def take_fresh(problems: Sequence[Problem], told: Told) -> list[Problem]:
    """Those that are not told yet, wherever their lines stand; `told` has them afterwards."""
    here: Told = Counter()
    fresh = []
    for problem in problems:
        key = _key(problem)
        here[key] += 1
        if here[key] > told[key]:
            fresh.append(problem)
    told |= here
    return fresh


def split_by_age(found: Problems, before: Problems) -> tuple[Problems, Problems]:
    """The problems that a change brings, every error among them, and the warnings that were there `before`.

    A warning that is gone from one file, and is in another, was there before.
    """
    known = Counter(map(_key, before))
    gone = Counter[tuple[str, str]]()
    for key, number in (known - Counter(map(_key, found))).items():
        gone[_meaning(key)] += number
    new: list[Problem] = []
    old: list[Problem] = []
    for problem in found:
        key = _key(problem)
        meaning = _meaning(key)
        known[key] -= 1
        if known[key] < 0:
            gone[meaning] -= 1
        was_there = known[key] >= 0 or gone[meaning] >= 0
        (old if was_there and problem.severity == "warning" else new).append(problem)
    return Problems(new, cut=found.cut), Problems(old, cut=found.cut)


def old_line(old: Problems) -> Iterator[str]:
    """How many warnings were there before, if any were."""
    if old.total:
        yield f"{old.counted('warning')} {'was' if old.total == 1 else 'were'} there before"


def _key(problem: Problem) -> tuple[str, str, str]:
    return problem.path, problem.code, _OTHER_LINE.sub("", problem.message)


def _meaning(key: tuple[str, str, str]) -> tuple[str, str]:
    _, code, message = key
    return code, _OTHER_ROW.sub("", message)
