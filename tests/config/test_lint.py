"""What a map that can be served could do better; how each is told is in tests/config/configs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy.config.files import RULES_PATH, File
from location_policy.config.lint import HOME_NETWORKS, all_warnings
from location_policy.config.location_map import LocationMap
from location_policy.config.validate import Validator, load_map
from location_policy.errors import InvalidConfiguration
from location_policy.net.addresses import parse_address
from location_policy.problems import CODES, Problem
from location_policy.repository.working_copy import read_folder
from tests.config.test_configs import FOLDERS
from tests.support.maps import files_of, snapshot_of
from tests.support.repositories import Files

HYGIENE = ("redundant-subnet", "shadowed-subnet", "unused-location", "name-near-miss", "catch-all", "home-network")

ROWS = """\
Sydney,10.0.0.0/24
sydney,0.0.0.0/0
Perth,10.1.0.0/24
Darwin,10.1.0.0/25
Darwin,10.1.0.128/25
A,::/0
A,2001:db8::/48
"""


def problems(files: Files, *, errors_only: bool = False) -> tuple[Problem, ...]:
    try:
        return Validator().load_map(files_of(files), errors_only=errors_only).warnings
    except InvalidConfiguration as error:
        return error.problems


def told(rows: str, rules: str = "", *, errors_only: bool = False) -> list[tuple[int, str]]:
    """Line and code of each problem."""
    found = problems({"locations.csv": rows, "policy.toml": rules}, errors_only=errors_only)
    return [(problem.line, problem.code) for problem in found]


EVERY_ROW = [
    (1, "home-network"),
    (2, "name-near-miss"),
    (2, "catch-all"),
    (3, "shadowed-subnet"),
    (6, "catch-all"),
    (7, "redundant-subnet"),
]


def test_it_is_told_at_its_place() -> None:
    assert told(ROWS) == EVERY_ROW


def warnings_in_two_steps(files: Sequence[File]) -> tuple[LocationMap, tuple[Problem, ...]]:
    """The map as the hook loads it, and all its warnings, looked for afterwards."""
    found = Validator().load_map(files, errors_only=True)
    rules_text = next((file.content or b"" for file in files if file.path == RULES_PATH), b"")
    return found, all_warnings([one.files for one in found.maps], found.rules, rules_text, found.warnings)


VALID = [one for one in FOLDERS if (one / "config").is_dir() and ": error: " not in (one / "expected.txt").read_text()]


@pytest.mark.parametrize("example", VALID, ids=lambda example: f"{example.parent.name}/{example.name}")
def test_what_is_looked_for_once_the_map_is_there_is_all_that_is_told_at_once(example: Path) -> None:
    files = list(read_folder(example / "config"))
    assert warnings_in_two_steps(files)[1] == load_map(files).warnings


def test_warnings_of_every_kind_are_found_once_the_map_is_there() -> None:
    rules = (
        'answer.default = "Pert"\nchecks.host-bits = "warning"\nchecks.catch-all = "off"\nanswer.overflow = "pair"\n'
    )
    files = files_of({"locations.csv": f"{ROWS}Perth,10.2.0.1/24\n", "policy.toml": rules, "sites.csv": ""})
    found, warnings = warnings_in_two_steps(files)
    assert {problem.code for problem in found.warnings} == {"host-bits", "stray-csv"}
    assert warnings == load_map(files).warnings
    codes = {"home-network", "name-near-miss", "shadowed-subnet", "redundant-subnet", "host-bits", "stray-csv"}
    assert {problem.code for problem in warnings} == codes


@pytest.mark.parametrize("code", HYGIENE)
def test_each_is_a_warning_that_can_be_adjusted(code: str) -> None:
    assert (CODES[code].severity, CODES[code].adjustable) == ("warning", True)


def test_what_is_only_a_warning_is_not_looked_for_where_nobody_is_told() -> None:
    assert told(ROWS, errors_only=True) == []


@pytest.mark.parametrize("code", sorted({code for _, code in EVERY_ROW}))
def test_what_is_an_error_is_always_looked_for(code: str) -> None:
    expected = [(line, other) for line, other in EVERY_ROW if other == code]
    assert told(ROWS, f'checks.{code} = "error"', errors_only=True) == expected


@pytest.mark.parametrize("code", sorted({code for _, code in EVERY_ROW}))
def test_what_is_off_is_not_told_and_the_others_are(code: str) -> None:
    expected = [(line, other) for line, other in EVERY_ROW if other != code]
    assert told(ROWS, f'checks.{code} = "off"') == expected


def test_an_unused_location_can_be_an_error() -> None:
    rules = '[locations]\nknown = ["A",\n"B"]\n[checks]\nunused-location = "error"\n'
    assert told("A,10.61.2.0/24\n", rules, errors_only=True) == [(3, "unused-location")]


@pytest.mark.parametrize("rules", ["", 'checks.catch-all = "error"\n', 'checks.home-network = "error"\n'])
def test_an_error_among_these_hides_none_of_them(rules: str) -> None:
    assert sorted(told(ROWS, rules)) == sorted(EVERY_ROW)


@pytest.mark.parametrize("line", ["Perth,nowhere", "Perth,10.2.1.0/16", "Perth,10.1.0.0/24"])
def test_beside_an_error_only_what_single_rows_say_is_told(line: str) -> None:
    codes = [code for _, code in told(f"{ROWS}{line}\n")]
    assert codes[1:] == ["home-network", "catch-all", "catch-all"]


def test_host_bits_as_a_warning_count_as_the_network_that_holds_them() -> None:
    rows = "Sydney,10.61.0.7/16\nSydney,10.61.2.7/24\nPerth,192.168.1.1/24\n"
    codes = [(1, "host-bits"), (2, "host-bits"), (2, "redundant-subnet"), (3, "host-bits"), (3, "home-network")]
    assert told(rows, 'checks.host-bits = "warning"') == codes


@pytest.mark.parametrize("home", HOME_NETWORKS)
@pytest.mark.parametrize("length", [8, 16, 23, 24, 26, 32])
def test_a_row_takes_callers_at_home_when_it_begins_there_and_is_no_shorter(home: str, length: int) -> None:
    codes = [code for _, code in told(f"Sydney,{home}/{length}\n", 'checks.host-bits = "off"')]
    assert ("home-network" in codes) == (length >= 24)


@pytest.mark.parametrize("subnet", ["192.168.1.128/25", "192.168.2.0/24", "10.0.1.0/24", "10.0.0.1/32", "::a00:0/120"])
def test_a_row_beside_a_home_network_is_no_home_network(subnet: str) -> None:
    assert told(f"Sydney,{subnet}\n") == []


def test_a_location_that_is_only_an_overflow_or_the_default_is_used() -> None:
    rules = '[locations]\nknown = ["A", "B", "C", "D"]\n[answer]\ndefault = "C"\n'
    assert [problem.message for problem in problems({"locations.csv": "A,B,10.61.2.0/24\n", "policy.toml": rules})] == [
        "D is in known, but no row and no default uses it"
    ]


def test_a_known_name_is_no_near_miss() -> None:
    rules = '[locations]\nknown = ["Sydney", "sydney"]\n'
    assert told("Sydney,sydney,10.61.2.0/24\n", rules) == []


def test_the_rarer_of_two_names_is_told_wherever_it_stands() -> None:
    rows = "Sidney,10.61.2.0/24\nPerth,Sydney,10.61.3.0/24\nSydney,10.61.4.0/24\n"
    (problem,) = problems({"locations.csv": rows})
    assert (problem.line, problem.message) == (1, "Sidney is nearly Sydney, first in locations.csv:2")


def test_of_two_names_as_common_the_later_is_told_at_its_first_row() -> None:
    files = {"locations/b.csv": "sydney,10.61.2.0/24\n", "locations/a.csv": "\nSydney,10.61.3.0/24\n"}
    (problem,) = problems(files)
    assert (problem.path, problem.line, problem.column) == ("locations/b.csv", 1, 1)
    assert problem.message == "sydney is nearly Sydney, first in locations/a.csv:2"


def test_a_default_that_no_row_uses_is_told_where_it_stands() -> None:
    (problem,) = problems({"locations.csv": "Sydney,10.61.2.0/24\n", "policy.toml": '\n[answer]\ndefault = "Sidney"'})
    assert (problem.path, problem.line, problem.column, problem.code) == ("policy.toml", 3, 1, "name-near-miss")


def test_a_default_that_is_used_in_a_row_is_told_there() -> None:
    assert told("Sydney,10.61.2.0/24\nsydney,10.61.3.0/24\n", 'answer.default = "sydney"') == [(2, "name-near-miss")]


networks = st.integers(28, 32).flatmap(
    lambda length: st.integers(0, 15).map(lambda last: f"10.61.2.{last >> 32 - length << 32 - length}/{length}")
)
lines = st.tuples(st.sampled_from(["A", "B", "A,B"]), networks | st.just("0.0.0.0/0")).map(",".join)
small_maps = st.lists(lines, min_size=1, max_size=12, unique_by=lambda line: line.rpartition(",")[2])


def answers(rows: list[str]) -> list[object]:
    snapshot = snapshot_of({"locations.csv": "\n".join(rows)})
    addresses = [parse_address(f"10.61.2.{last}") for last in range(17)]
    return [match and match.names for match in map(snapshot.match, addresses)]


@given(small_maps)
def test_deleting_what_a_hint_says_to_delete_changes_no_answer(rows: list[str]) -> None:
    idle = {line - 1 for line, code in told("\n".join(rows)) if code in ("redundant-subnet", "shadowed-subnet")}
    for gone in [idle, *({line} for line in idle)]:
        assert answers([row for at, row in enumerate(rows) if at not in gone]) == answers(rows)


@pytest.mark.parametrize(
    ("flawed", "plain", "by_what"),
    [
        ("Syd\u00adney", "Sydney", r"; it has \xad (soft hyphen)"),
        ("Sydney\u00a0", "Sydney", r"; it has \xa0 (no-break space)"),
        ("Zu\u0308rich", "Z\u00fcrich", r"; it has \u0308 (combining diaeresis)"),
        ("S\u0443dney", "Sydney", r"; it has \u0443 (cyrillic small letter u)"),
        ("\u0421\u041e\u0421\u041e\u0410", "COCOA", r"; it has \u0421 (cyrillic capital letter es)"),
    ],
)
@pytest.mark.parametrize("often", [1, 3])
@pytest.mark.parametrize("is_first", [True, False])
def test_of_two_names_that_look_the_same_the_plain_one_is_recommended(
    flawed: str, plain: str, by_what: str, often: int, is_first: bool
) -> None:
    names = [flawed] * often + [plain] if is_first else [plain] + [flawed] * often
    rows = "".join(f"{name},10.{at}.0.0/16\n" for at, name in enumerate(names, 1)).encode()
    rules = b'[checks]\ninvisible-character = "warning"\n'
    files = [File("locations.csv", "file", 1, "r", rows), File("policy.toml", "file", 1, "p", rules)]
    near = [problem for problem in load_map(files).warnings if problem.code == "name-near-miss"]
    assert len(near) == 1
    assert near[0].hint
    assert near[0].hint.startswith(f"write {plain};")
    assert near[0].message.endswith(by_what)
    assert near[0].message.isprintable()
    assert flawed not in near[0].message


@pytest.mark.parametrize("is_first", [True, False])
def test_of_two_names_that_differ_by_a_second_space_the_one_with_single_spaces_is_recommended(is_first: bool) -> None:
    flawed, plain = "Sydney  East,10.1.0.0/16\n", "Sydney East,10.2.0.0/16\n"
    (near,) = problems({"locations.csv": flawed + plain if is_first else plain + flawed})
    assert near.message.endswith("; it has several spaces together")
    assert near.hint
    assert near.hint.startswith("write Sydney East;")


@pytest.mark.parametrize("flawed", ["“Rome”", "«Rome»", "`Rome´", "'Rome'"])
@pytest.mark.parametrize("is_first", [True, False])
def test_of_two_names_the_one_without_quotation_marks_around_it_is_recommended(flawed: str, is_first: bool) -> None:
    rows = [f"{flawed},10.1.0.0/16\n", "Rome,10.2.0.0/16\n"]
    (near,) = problems({"locations.csv": "".join(rows if is_first else reversed(rows))})
    assert near.hint
    assert near.hint.startswith("write Rome;")


def test_of_two_names_that_are_not_ascii_the_one_of_one_script_is_recommended() -> None:
    (near,) = problems({"locations.csv": "\u041c\u043ec\u043a\u0432\u0430,10.1.0.0/16\nМосква,10.2.0.0/16\n"})
    assert near.hint
    assert near.hint.startswith("write Москва;")
