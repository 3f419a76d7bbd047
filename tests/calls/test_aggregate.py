"""Remembered calls as JSON, and what is no such file."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest

from location_policy.calls.aggregate import aggregate, read_aggregate
from location_policy.calls.history_file import Remembered
from location_policy.calls.recent import today
from location_policy.errors import UnusableCalls
from tests.calls.situations import random_situations, situation, written

NOW = today()
GOOD = written(aggregate([(situation(), 3, NOW.toordinal())], NOW))


def some(number: int) -> list[Remembered]:
    counts = Counter(random_situations(random.Random(7), number))
    return [(found, calls, NOW.toordinal()) for found, calls in counts.items()]


def test_what_is_written_is_read_again() -> None:
    told = aggregate(some(300), NOW)
    assert read_aggregate(written(told), "x") == told
    assert (told.calls, told.left_out) == (300, 0)


def test_of_too_many_the_rare_ones_are_merged_and_what_is_left_out_is_counted() -> None:
    told = aggregate([(situation(ms_subnet=f"10.{i}.0.1"), 1, 1) for i in range(200)], NOW, most=50)
    assert len(told.found) == 50
    assert (told.calls, told.left_out) == (200, 150)
    assert sum(found.is_merged for found, _, _ in told.found) == 25


def test_what_is_long_is_told_as_far_as_there_is_room_and_the_rest_is_counted() -> None:
    long = "\N{SLICE OF PIZZA}" * 64
    found = [(situation(protocol=long, node_location=f"{long[6:]}{i:06}"), 1 + i % 2, 1) for i in range(2_000)]
    told = aggregate(found, NOW, room=1_000_000)
    assert len(written(told)) < 1_000_000
    assert len(told.found) > 100
    assert told.left_out == told.calls - sum(calls for _, calls, _ in told.found) > 1_000
    assert {calls for _, calls, _ in told.found} == {2}


def test_an_answer_of_the_api_is_read_too() -> None:
    assert read_aggregate(json.dumps({"calls": 3, "situations": json.loads(GOOD)}).encode(), "x").calls == 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"<html>",
        b"\xff",
        b'{"format": "location-policy-calls"}',
        GOOD.replace(b'"calls":3', b'"calls":-3'),
        GOOD.replace(b"2", b"x"),
        GOOD.replace(b'"London"', b"7"),
        GOOD.replace(b'["Melbourne","Singapore"]', b'"ab"'),
        GOOD.replace(b'"view"', b'"x"'),
    ],
)
def test_what_is_no_such_file_is_refused_with_its_place(content: bytes) -> None:
    with pytest.raises(UnusableCalls, match=r"calls\.json: it is no file of calls"):
        read_aggregate(content, "calls.json")


def test_another_version_is_named() -> None:
    with pytest.raises(UnusableCalls, match="it is of version 2, and 1 is known here"):
        read_aggregate(GOOD.replace(b'"version":1', b'"version":2'), "calls.json")
