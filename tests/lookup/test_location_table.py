"""The table of the locations of a network: subnets, addresses that they answer, the largest."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from location_policy.lookup import location_table as module
from location_policy.lookup.location_table import LocationTotal, location_table
from location_policy.lookup.snapshot import Snapshot
from location_policy.net.addresses import Address
from tests.support import maps
from tests.support.maps import network


def snapshot_of(rows: str) -> Snapshot:
    return maps.snapshot_of({"locations.csv": rows})


def test_addresses_count_for_the_location_that_answers_them() -> None:
    found = location_table(
        snapshot_of("Sydney,10.0.0.0/16\nOslo,10.0.1.0/24\nOslo,10.0.2.0/25\nPerth,10.1.0.0/16\n"),
        network("10.0.0.0/16"),
    )
    assert found == [
        LocationTotal("Sydney", 1, 65_536 - 256 - 128, network("10.0.0.0/16")),
        LocationTotal("Oslo", 2, 256 + 128, network("10.0.1.0/24")),
    ]


def test_a_row_from_above_answers_what_no_row_inside_does() -> None:
    found = location_table(snapshot_of("Sydney,10.0.0.0/8\nOslo,10.0.1.0/25\n"), network("10.0.1.0/24"))
    assert found == [
        LocationTotal("Oslo", 1, 128, network("10.0.1.0/25")),
        LocationTotal("Sydney", 1, 128, network("10.0.0.0/8")),
    ]


def test_what_no_row_answers_is_of_no_location() -> None:
    assert location_table(snapshot_of("Sydney,10.0.0.0/24\n"), network("10.9.0.0/16")) == []


def test_of_too_many_rows_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = snapshot_of("Sydney,10.0.0.0/24\nOslo,10.0.1.0/24\n")
    monkeypatch.setattr(module, "LARGEST", 1)
    assert location_table(snapshot, network("10.0.0.0/8")) is None
    assert location_table(snapshot, network("10.0.0.0/24")) == [LocationTotal("Sydney", 1, 256, network("10.0.0.0/24"))]


def test_it_says_what_every_single_lookup_says() -> None:
    dice = random.Random(21)
    rows = {
        f"10.0.0.{at}/{length}"
        for length in (25, 27, 29, 30, 32)
        for at in range(0, 256, 2 ** (32 - length))
        if dice.random() < 0.4
    }
    snapshot = snapshot_of("".join(f"{dice.choice(('Oslo', 'Perth', 'Lima'))},{row}\n" for row in sorted(rows)))
    answers = Counter(match.names[0] for at in range(256) if (match := snapshot.match(Address(bytes((10, 0, 0, at))))))
    found = location_table(snapshot, network("10.0.0.0/24"))
    assert found
    assert {one.location: one.addresses for one in found} == answers
    assert sum(one.subnets for one in found) == len(rows)
