"""The difference of two maps, held to a look at each address in both."""

from __future__ import annotations

import tracemalloc
from ipaddress import IPv6Network
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from location_policy.config.location_map import LocationMap
from location_policy.config.row_diff import RowChanges
from location_policy.config.validate import Validator
from location_policy.net.addresses import Address, Network
from location_policy.net.ranges import AddressSpace, Names, Range
from location_policy.plan.answer_changes import Change, address_space, changes, row_changes
from tests.net.test_ranges import MAPS, slow_row
from tests.support.maps import files_of, map_of, network

Rows = dict[Network, Names]
DEFAULTS = st.sampled_from([None, "Sydney", "Perth"])


def differ(old: LocationMap, new: LocationMap) -> list[Change]:
    return changes(address_space(old), row_changes(old, new), (old.rules.rowless, new.rules.rowless))


def told(old: str, new: str) -> list[tuple[str, str]]:
    """Each change by its kind and its subnets."""
    return [(change.kind, " ".join(map(str, change.subnets()))) for change in differ(map_of(old), map_of(new))]


def text_of(names: Rows) -> str:
    return "Hobart,192.0.2.0/24\n" + "".join(f"{','.join(each)},{row}\n" for row, each in names.items())


@given(MAPS, MAPS, DEFAULTS, DEFAULTS)
def test_each_address_is_in_the_one_change_that_it_sees(
    old: Rows, new: Rows, old_default: str | None, new_default: str | None
) -> None:
    policies = [f'[answer]\ndefault = "{default}"' if default else "" for default in (old_default, new_default)]
    found = differ(map_of(text_of(old), policies[0]), map_of(text_of(new), policies[1]))
    seen = [
        (address, change.before, change.after)
        for change in found
        for addresses in change.ranges
        for address in range(addresses.first, addresses.last + 1)
    ]
    expected = []
    for address in range(0x0A000000, 0x0A000100):
        rows = slow_row(old, address), slow_row(new, address)
        before = old[rows[0]] if rows[0] else (old_default,) if old_default else None
        after = new[rows[1]] if rows[1] else (new_default,) if new_default else None
        if before != after and rows != (None, None):
            expected.append((address, before, after))
    assert sorted(seen) == expected


@given(MAPS, MAPS)
def test_ranges_are_disjoint_in_order_and_never_next_to_each_other(old: Rows, new: Rows) -> None:
    for change in differ(map_of(text_of(old)), map_of(text_of(new))):
        assert all(one.last + 1 < other.first for one, other in pairwise(change.ranges))


def test_each_kind() -> None:
    old = "Sydney,Perth,10.0.0.0/24\nSydney,10.0.1.0/24\nSydney,10.0.2.0/24\n"
    new = "Perth,10.0.0.0/24\nSydney,Perth,10.0.1.0/24\nSydney,10.0.3.0/24\n"
    assert told(old, new) == [
        ("moved", "10.0.0.0/24"),
        ("overflow", "10.0.1.0/24"),
        ("removed", "10.0.2.0/24"),
        ("added", "10.0.3.0/24"),
    ]


def test_what_changes_no_answer_is_no_change() -> None:
    assert told("Sydney,10.0.0.0/24\nPerth,10.0.1.0/24\n", "Perth,10.0.1.0/24\nSydney,10.0.0.0/24\n") == []
    assert told("Sydney,10.0.0.0/23\n", "Sydney,10.0.0.0/24\nSydney,10.0.1.0/24\n") == []
    assert told("Sydney,10.0.0.0/23\n", "Sydney,10.0.0.0/23\nSydney,10.0.1.0/24\n") == []


def test_neighbours_with_the_same_change_are_one() -> None:
    old = "Sydney,10.0.0.0/24\nSydney,10.0.1.0/24\nSydney,10.0.3.0/24\n"
    assert told(old, old.replace("Sydney", "Perth")) == [("moved", "10.0.0.0/23"), ("moved", "10.0.3.0/24")]


def test_a_row_that_stays_is_a_hole_in_the_change() -> None:
    old = "Sydney,10.4.0.0/22\nHobart,10.4.1.0/24\n"
    assert told(old, old.replace("Sydney", "Perth")) == [("moved", "10.4.0.0/24 10.4.2.0/23")]


def test_a_change_names_the_rows_that_answer_now_or_did_before() -> None:
    old = map_of("Sydney,10.0.0.0/16\nPerth,10.0.1.0/24\nPerth,10.1.0.0/16\n")
    new = map_of("Sydney,10.0.0.0/16\n")
    assert [change.rows for change in differ(old, new)] == [(network("10.0.0.0/16"),), (network("10.1.0.0/16"),)]


def test_ipv6_comes_after_ipv4() -> None:
    assert told("Perth,10.0.0.0/8\n", "Sydney,::/0\n") == [("removed", "10.0.0.0/8"), ("added", "::/0")]


def test_rows_are_compared_wherever_they_stand() -> None:
    validator, one, other = Validator(), "A1,10.0.0.0/24\n", "B1,10.0.1.0/24\n"
    first = validator.load_map(files_of({"locations.csv": f"{one}{other}", "locations/a.csv": "C1,10.0.2.0/24\n"}))
    second = validator.load_map(files_of({"locations.csv": one, "locations/b.csv": f"{other}C2,10.0.2.0/24\n"}))
    changed = network("10.0.2.0/24")
    assert row_changes(first, second) == RowChanges({changed: ("C1",)}, {changed: ("C2",)})
    assert row_changes(first, first) == RowChanges({}, {})


def test_a_row_of_which_something_is_said_counts_too() -> None:
    policy = '[checks]\nhost-bits = "warning"\n'
    old, new = (map_of(f"{name},10.0.0.1/24\n", policy) for name in ("Sydney", "Perth"))
    assert [list(map(str, change.subnets())) for change in differ(old, new)] == [["10.0.0.0/24"]]


def test_the_size_of_a_change_is_that_of_its_ranges() -> None:
    (change,) = differ(map_of("Sydney,10.0.0.0/24\n"), map_of("Perth,10.0.0.0/24\n"))
    assert change.ranges == (Range(0x0A000000, 0x0A0000FF),)
    assert Address(bytes((10, 0, 0, 0))) == change.rows[0].first


def test_a_row_that_comes_or_goes_inside_one_that_names_others_parts_it_anew() -> None:
    old = "Sydney,10.0.0.0/24\nSydney,10.0.1.0/24\nSydney,10.0.1.0/25\nSydney,2001:db8::/32\n"
    new = "Perth,10.0.0.0/24\nSydney,10.0.0.128/25\nPerth,10.0.1.0/24\nPerth,2001:db8::/32\nSydney,2001:db8:1::/48\n"
    assert told(old, new) == [
        ("moved", "10.0.0.0/25"),
        ("moved", "10.0.1.0/24"),
        ("moved", " ".join(map(str, _without("2001:db8::/32", "2001:db8:1::/48")))),
    ]


def test_a_large_map_that_comes_takes_memory_for_its_changes_alone() -> None:
    come = {network(f"10.{n >> 8}.{n & 255}.0/24"): (f"Site {n % 3}",) for n in range(10_000)}
    space = AddressSpace({})
    tracemalloc.start()
    try:
        found = changes(space, RowChanges({}, come))
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found) == 10_000
    assert peak < 2 * kept


def _without(whole: str, part: str) -> list[IPv6Network]:
    return sorted(IPv6Network(whole).address_exclude(IPv6Network(part)))
