"""How much of a map its expectations cover."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy.config.expectation_coverage import Coverage, Covered, coverage
from location_policy.config.validate import Validator
from location_policy.net.addresses import Network
from location_policy.net.ranges import Names, Range
from tests.net.test_ranges import MAPS, SMALL, slow_row
from tests.support.maps import files_of
from tests.support.program import run_program
from tests.support.repositories import GOOD, Clone, Files, init


def covered(files: Files) -> Coverage:
    """What is covered, kept or broken."""
    return coverage(Validator().load_map(files_of(files), was_served=True))


@given(MAPS.filter(bool), st.sets(SMALL, max_size=4))
def test_what_is_counted_is_what_a_look_at_each_address_finds(
    names: dict[Network, Names], places: set[Network]
) -> None:
    rows = "".join(f"{','.join(each)},{row}\n" for row, each in names.items())
    expected = "".join(f"{place},Hobart\n" for place in places)
    found = covered({"locations.csv": rows, "expectations.csv": expected})
    answered = {a: row for a in range(0x0A000000, 0x0A000100) if (row := slow_row(names, a))}
    seen = {a: row for a, row in answered.items() if any(Range.of(p).first <= a <= Range.of(p).last for p in places)}
    assert found.addresses == (len(seen), len(answered))
    assert found.rows == (len(set(seen.values())), len(names))


def test_ipv6_is_counted_in_networks_of_64_of_which_each_counts_once() -> None:
    rows = "Sydney,2001:db8::/56\nPerth,2001:db8::7/128\nPerth,2001:db8:1::1/128\n"
    expected = "2001:db8::7,Perth\n2001:db8::8,Sydney\n2001:db8:0:2::/63,Sydney\n2001:db9::/32,\n"
    found = covered({"locations.csv": rows, "expectations.csv": expected})
    assert (found.slash64s, found.rows, found.addresses) == ((3, 257), (2, 3), (0, 0))


@pytest.mark.parametrize(
    ("covered", "words"),
    [
        (Covered(9_999_999, 10_000_000), "9,999,999 of 10,000,000 rows (over 99.99%)"),
        (Covered(1, 1), "1 of 1 row (100%)"),
        (Covered(1, 3), "1 of 3 rows (33.34%)"),
        (Covered(1, 8), "1 of 8 rows (12.5%)"),
        (Covered(0, 2), "0 of 2 rows (0%)"),
    ],
)
def test_only_the_whole_is_a_hundred_percent(covered: Covered, words: str) -> None:
    assert covered.of("row") == words


def test_the_sample_comes_with_expectations_that_cover_most_of_it(tmp_path: Path) -> None:
    repository = init(tmp_path / "locations.git")
    done = run_program("check", "--repo", repository, "--coverage")
    assert done.stdout == (
        "3 expectations cover\n  2 of 3 subnets (66.67%)\n  4,352 of 4,608 IPv4 addresses (94.45%)\n"
    )
    assert (done.stderr, done.returncode) == ("3 subnets in 1 file: no problem\n", 0)


def test_a_family_without_rows_is_not_spoken_of(tmp_path: Path) -> None:
    Clone(tmp_path).write({"locations.csv": "Sydney,2001:db8::/48\n", "expectations.csv": "2001:db8::1,Sydney\n"})
    done = run_program("check", tmp_path, "--coverage")
    assert done.stdout == "1 expectation covers\n  1 of 1 subnet (100%)\n  1 of 65,536 IPv6 /64s (0.01%)\n"


def test_without_expectations_nothing_is_covered() -> None:
    assert list(covered(GOOD).lines()) == [
        "0 expectations cover",
        "  0 of 2 subnets (0%)",
        "  0 of 512 IPv4 addresses (0%)",
    ]


def test_of_a_map_that_is_not_valid_only_the_problems_are_told(tmp_path: Path) -> None:
    Clone(tmp_path).write({**GOOD, "expectations.csv": "10.61.2.0,Perth\n"})
    done = run_program("check", tmp_path, "--coverage")
    assert done.stdout == run_program("check", tmp_path).stdout
    assert done.returncode == 1
