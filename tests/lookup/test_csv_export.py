"""The whole map as one CSV file."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from location_policy.config.location_map import LocationMap
from location_policy.lookup.csv_export import csv_parts
from location_policy.lookup.snapshot import build_snapshot
from tests.support.maps import ANY_NAME, many_rows, map_of, snapshot_of

FILES = {
    "locations.csv": "# head\nPerth,10.0.0.0/8\n\n",
    "locations/apac.csv": "Sydney,Melbourne,Singapore,10.61.2.0/24\nOslo,Perth,2001:db8::/32\n",
}


def written(location_map: LocationMap) -> str:
    return b"".join(csv_parts(build_snapshot(location_map, None))).decode()


def test_every_row_has_the_classic_columns_in_the_order_of_files_and_lines() -> None:
    assert b"".join(csv_parts(snapshot_of(FILES))).decode() == (
        "Perth,,,10.0.0.0/8\nSydney,Melbourne,Singapore,10.61.2.0/24\nOslo,Perth,,2001:db8::/32\n"
    )


def test_more_than_two_overflow_locations_take_a_column_each_and_no_row_has_blanks() -> None:
    policy = '[answer]\noverflow = "list"\n'
    assert written(map_of("A,B,C,D,10.0.0.0/8\nA,192.0.2.0/24\n", policy)) == "A,B,C,D,10.0.0.0/8\nA,192.0.2.0/24\n"


def test_names_that_would_be_taken_for_something_else_stand_between_marks() -> None:
    rows = '"Oslo, Norway","a ""b""",10.0.0.0/8\n"#1",192.0.2.0/24\n'
    assert written(map_of(rows)) == '"Oslo, Norway","a ""b""",,10.0.0.0/8\n"#1",,,192.0.2.0/24\n'


def test_a_long_map_comes_in_parts() -> None:
    parts = list(csv_parts(snapshot_of({"locations.csv": many_rows(25_000)})))
    assert [part.count(b"\n") for part in parts] == [10_000, 10_000, 5_000]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1).map(str.strip), max_size=9))
def test_read_again_it_is_the_same_map(names: list[str]) -> None:
    quoted = [f'"{name.replace(chr(34), chr(34) * 2)}"' for name in ["x", *names] if name]
    location_map = map_of("".join(f"{name},10.0.{at}.0/24\n" for at, name in enumerate(quoted)), ANY_NAME)
    again = map_of(written(location_map), ANY_NAME)
    assert [row for *_, row in again.rows()] == [row for *_, row in location_map.rows()]


def test_rows_have_the_overflow_of_the_table_that_they_answer_with() -> None:
    policy = '[overflow]\nPerth = ["Sydney"]\n'
    assert written(map_of("Perth,10.0.0.0/8\nOslo,Perth,10.1.0.0/16\n", policy)) == (
        "Perth,Sydney,,10.0.0.0/8\nOslo,Perth,,10.1.0.0/16\n"
    )
