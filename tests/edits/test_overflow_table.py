"""Overflow locations lifted out of rows: which, what of the files stays, and that no answer changes."""

from __future__ import annotations

import random

import pytest

from location_policy.config.validate import load_map
from location_policy.edits.overflow_table import lift_overflow
from location_policy.errors import InvalidConfiguration, LocationPolicyError
from location_policy.plan.plan import make_plan
from tests.support.maps import files_of
from tests.support.repositories import Files
from tests.web.test_views import draw

ROWS = (
    "# Sydney\r\nSydney , Melbourne,Singapore, 10.61.2.0/24\r\n\r\nPerth,Sydney,10.61.3.0/24\nPerth,10.61.4.0/24\n"
    'Sydney,Melbourne,Singapore,10.61.0.0/24\n"St. Leonards",Sydney,10.62.0.0/16'
)


def lifted(files: Files) -> Files:
    return {**files, **lift_overflow(files_of(files)).contents}


def test_what_all_rows_of_a_location_say_is_said_in_the_table_and_lines_stay_where_they_are() -> None:
    found = lift_overflow(files_of({"locations.csv": ROWS, "policy.toml": "# ours\n"}))
    assert (found.rows, found.locations) == (3, 2)
    assert {path: content.decode() for path, content in found.contents.items()} == {
        "policy.toml": '# ours\n\n[overflow]\n"St. Leonards" = ["Sydney"]\nSydney = ["Melbourne", "Singapore"]\n',
        "locations.csv": "# Sydney\r\nSydney,10.61.2.0/24\r\n\r\nPerth,Sydney,10.61.3.0/24\nPerth,10.61.4.0/24\n"
        "Sydney,10.61.0.0/24\nSt. Leonards,10.62.0.0/16",
    }
    assert [*found.contents] == ["policy.toml", "locations.csv"]  # who is stopped in between has changed no answer


def test_what_is_in_the_table_already_only_goes_from_the_rows() -> None:
    rules = '[overflow]\nSydney = ["Melbourne"]\nPerth = "Oslo"\n'
    rows = "Sydney,10.1.0.0/16\nSydney,Melbourne,10.2.0.0/16\nPerth,Sydney,10.3.0.0/16\n"
    assert lift_overflow(files_of({"locations.csv": rows, "policy.toml": rules})).contents == {
        "locations.csv": b"Sydney,10.1.0.0/16\nSydney,10.2.0.0/16\nPerth,Sydney,10.3.0.0/16\n"
    }


@pytest.mark.parametrize(
    "rules",
    [
        '[answer]\ndefault = "Sydney"\n',
        '[[view]]\nname = "edge"\nlocation = "DMZ"\nanswer = "Sydney"\n',
        '[[view]]\nname = "edge"\nlocation = "DMZ"\n',
    ],
)
def test_what_answers_without_overflow_elsewhere_keeps_a_location_out_of_the_table(rules: str) -> None:
    files: Files = {"locations.csv": "Sydney,Melbourne,10.1.0.0/16\n", "policy.toml": rules}
    if "[[view]]" in rules and "answer" not in rules:
        files = {**files, "views/edge/locations.csv": "Sydney,10.2.0.0/16\n"}
    assert lift_overflow(files_of(files)).contents == {}


def test_a_subnet_stays_as_it_is_written() -> None:
    files: Files = {
        "locations.csv": "\ufeffSydney,Oslo,10.1.2.3/16\nSydney,Oslo,2001:DB8::/32\n",
        "policy.toml": '[checks]\nhost-bits = "warning"\n',
    }
    assert lifted(files)["locations.csv"] == "\ufeffSydney,10.1.2.3/16\nSydney,2001:DB8::/32\n".encode()


def test_what_is_not_valid_or_has_the_table_in_one_line_is_left_alone() -> None:
    with pytest.raises(InvalidConfiguration):
        lift_overflow(files_of({"locations.csv": "Sydney,Oslo,10.1.2.3/16\n"}))
    with pytest.raises(LocationPolicyError, match="is not found in it"):
        lift_overflow(files_of({"locations.csv": "Sydney,Oslo,10.1.0.0/16\n", "policy.toml": "overflow.Oslo='A'\n"}))


def test_no_answer_of_random_configurations_changes_and_a_second_time_there_is_nothing_to_do() -> None:
    changed = 0
    for number in range(100):
        files = draw(random.Random(number)).files()
        after = lifted(files)
        plan = make_plan(load_map(files_of(files)), load_map(files_of(after)))
        assert not plan.effect
        assert lift_overflow(files_of(after)).contents == {}
        changed += after != files
    assert changed > 20
