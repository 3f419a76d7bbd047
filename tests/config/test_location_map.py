"""A valid configuration, as it is held."""

from __future__ import annotations

from location_policy.config.validate import load_map
from location_policy.net.addresses import parse_address
from tests.support.maps import files_of
from tests.support.repositories import MELBOURNE, SYDNEY


def test_the_rows_come_in_the_order_of_their_places() -> None:
    files = {"locations/b.csv": MELBOURNE, "locations.csv": f"\n{SYDNEY}", "locations/a.csv": "Perth,10.0.0.0/8"}
    rows = [(path, line, row.names[0]) for path, line, row in load_map(files_of(files)).rows()]
    assert rows == [
        ("locations.csv", 2, "Sydney"),
        ("locations/a.csv", 1, "Perth"),
        ("locations/b.csv", 1, "Melbourne"),
    ]


def test_the_row_that_answers_comes_before_those_that_it_beats() -> None:
    files = {
        "locations.csv": f"Perth,10.0.0.0/8\n{SYDNEY}",
        "locations/a.csv": "Darwin,10.61.0.0/16\nOslo,10.62.0.0/16\n",
    }
    rows = load_map(files_of(files)).rows_at(parse_address("10.61.2.7"))
    assert [(path, line, row.names[0]) for path, line, row in rows] == [
        ("locations.csv", 2, "Sydney"),
        ("locations/a.csv", 1, "Darwin"),
        ("locations.csv", 1, "Perth"),
    ]


def test_the_bytes_of_its_files_can_be_left_out_and_put_back() -> None:
    found = load_map(files_of({"locations.csv": SYDNEY, "locations/b.csv": MELBOURNE}))
    bare = found.without_contents()
    assert [file.content for file in bare.files] == [b"", b""]
    assert bare.with_contents({"locations.csv": SYDNEY.encode(), "locations/b.csv": MELBOURNE.encode()}) == found
