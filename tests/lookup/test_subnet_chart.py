"""The address space as bars."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from location_policy.lookup.snapshot import Snapshot
from location_policy.lookup.subnet_chart import DEPTH, ZOOM, Bar, draw, whole
from location_policy.net.addresses import Address, Network
from location_policy.net.ranges import Range
from tests.support.maps import network, snapshot_of

SMALL = "Perth,10.0.0.0/8\nSydney,10.61.0.0/16\nOslo,10.128.0.0/9\nTokyo,10.192.0.0/10\n"


def snapshot(rows: str) -> Snapshot:
    return snapshot_of({"locations.csv": rows})


def told(bar: Bar) -> tuple[str, int, int, list[str]]:
    return str(bar.leads_to), bar.depth, bar.rows, [name for name, _ in bar.shares]


def test_each_subnet_is_below_the_one_that_holds_it() -> None:
    picture = draw(snapshot(SMALL), network("10.0.0.0/8"))
    assert [told(bar) for bar in picture.bars] == [
        ("10.0.0.0/8", 0, 1, ["Perth"]),
        ("10.61.0.0/16", 1, 1, ["Sydney"]),
        ("10.128.0.0/9", 1, 2, ["Oslo"]),
        ("10.192.0.0/10", 2, 1, ["Tokyo"]),
    ]
    assert (picture.depth, picture.rows) == (3, 4)
    assert (picture.bars[2].start, picture.bars[2].width) == (0.5, 0.5)


def test_what_no_row_covers_is_a_gap() -> None:
    picture = draw(snapshot("Sydney,10.64.0.0/10\n"), network("10.0.0.0/8"))
    assert [(told(bar), str(bar.addresses)) for bar in picture.bars[:2]] == [
        (("10.0.0.0/8", 0, 0, []), str(Range.of(network("10.0.0.0/8")))),
        (("10.0.0.0/10", 1, 0, []), str(Range.of(network("10.0.0.0/10")))),
    ]
    assert [told(bar)[::2] for bar in picture.bars[2:]] == [("10.64.0.0/10", 1), ("10.128.0.0/9", 0)]


def test_a_root_without_rows_is_one_gap_and_one_inside_a_row_is_covered() -> None:
    assert [bar.rows for bar in draw(snapshot(SMALL), network("192.0.2.0/24")).bars] == [0, 0]
    inside = draw(snapshot(SMALL), network("10.61.2.0/24"))
    assert [told(bar) for bar in inside.bars] == [("10.61.2.0/24", 0, 1, ["Sydney"])]


def test_narrow_subnets_of_one_slot_are_one_bar_that_leads_closer() -> None:
    rows = "".join(f"{'Oslo' if i % 4 == 0 else 'Sydney'},10.0.{i}.0/24\n" for i in range(8))
    group = next(bar for bar in draw(snapshot(rows), network("10.0.0.0/8")).bars if bar.rows)
    assert (group.rows, group.match, group.shares) == (8, None, (("Sydney", 0.75), ("Oslo", 0.25)))
    assert (str(group.leads_to), group.width) == (f"10.0.0.0/{8 + ZOOM}", 1 / (1 << ZOOM))
    assert draw(snapshot(rows), group.leads_to).rows == 8


def test_one_narrow_subnet_has_its_own_addresses_on_the_width_of_a_slot() -> None:
    bar = next(bar for bar in draw(snapshot("Oslo,10.0.5.0/24\n"), network("10.0.0.0/8")).bars if bar.rows)
    assert bar.match
    assert (str(bar.leads_to), bar.addresses) == ("10.0.5.0/24", Range.of(network("10.0.5.0/24")))
    assert bar.width == 1 / (1 << ZOOM)


def test_only_so_many_levels_are_drawn() -> None:
    rows = "".join(f"L{length},10.0.0.0/{length}\n" for length in range(8, 8 + ZOOM + 1))
    assert draw(snapshot(rows), network("10.0.0.0/7")).depth == 1 + DEPTH


@pytest.mark.parametrize("size", [4, 16])
def test_bars_of_one_level_never_overlap_and_their_number_is_bounded(size: int) -> None:
    chosen = random.Random(2)
    rows = {Network.holding(Address(chosen.randbytes(size)), chosen.randrange(1, 29)) for _ in range(2_000)}
    found = draw(snapshot("".join(f"L{at % 7},{row}\n" for at, row in enumerate(rows))), Network(bytes(size + 1)))
    assert len(found.bars) <= 2 + (1 << ZOOM) * (DEPTH + 1)
    for depth in range(found.depth):
        level = [bar for bar in found.bars if bar.depth == depth]
        assert all(one.start + one.width <= other.start for one, other in pairwise(level))
        assert all(one.addresses.last < other.addresses.first for one, other in pairwise(level))
    assert {bar.leads_to.length <= found.root.length for bar in found.bars[1:]} == {False}


def test_the_whole_is_the_longest_network_that_holds_every_row() -> None:
    assert str(whole(snapshot(SMALL), 4)) == "10.0.0.0/8"
    assert str(whole(snapshot("A,10.0.0.0/24\nB,10.0.1.0/24\n"), 4)) == "10.0.0.0/23"
    assert str(whole(snapshot("A,10.0.0.0/24\nB,10.0.0.0/25\n"), 4)) == "10.0.0.0/24"
    assert str(whole(snapshot(SMALL), 16)) == "::/0"


def test_a_look_from_further_away_ends_at_every_address() -> None:
    assert draw(snapshot(SMALL), network("10.0.0.0/8")).wider == network(f"0.0.0.0/{8 - ZOOM}")
    assert draw(snapshot(SMALL), network("0.0.0.0/3")).wider == network("0.0.0.0/0")
    assert draw(snapshot(SMALL), network("0.0.0.0/0")).wider is None


def test_a_single_address_can_be_looked_at() -> None:
    assert [told(bar)[0] for bar in draw(snapshot("A,10.0.0.1/32\n"), network("10.0.0.1/32")).bars] == ["10.0.0.1/32"]
    assert draw(snapshot("A,10.0.0.1/32\n"), network("10.0.0.0/30")).bars[2].width == 0.25
