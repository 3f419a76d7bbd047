"""Expectations held against a map: to a look at each address, and from one map to the next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy.config import expectation_checks, expectations
from location_policy.config.expectations import Expectation, ExpectationCache, read_expectations
from location_policy.config.files import File
from location_policy.config.location_map import LocationMap
from location_policy.config.validate import Validator, load_map
from location_policy.errors import InvalidConfiguration
from location_policy.net.addresses import Address, Network
from location_policy.net.ranges import Names, Range
from location_policy.problems import Problem, errors_in
from tests.net.test_ranges import MAPS, SMALL, slow_row
from tests.support.maps import files_of, network
from tests.support.repositories import GOOD, Files

Rows = dict[Network, Names]
DEFAULTS = st.sampled_from([None, "Sydney", "Perth"])
EXPECTED = st.dictionaries(SMALL, st.sampled_from(["Sydney", "Perth", None]), max_size=6)


def files(names: Rows, expected: dict[Network, str | None], default: str | None = None) -> Files:
    rows = "".join(f"{','.join(each)},{row}\n" for row, each in names.items())
    return {
        "locations.csv": f"Hobart,192.0.2.0/24\n{rows}",
        "expectations.csv": "".join(f"{place},{location or ''}\n" for place, location in expected.items()),
        "policy.toml": f'[answer]\ndefault = "{default}"\n' if default else "",
    }


def judged(validator: Validator, files: Files, *, was_served: bool = False) -> tuple[Problem, ...]:
    try:
        return validator.load_map(files_of(files), was_served=was_served).warnings
    except InvalidConfiguration as error:
        return error.problems


def broken(validator: Validator, files: Files) -> list[tuple[int, str]]:
    """The line of each broken expectation, and the address that breaks it."""
    found = [problem for problem in judged(validator, files) if problem.code == "broken-expectation"]
    return [(problem.line, problem.message.partition(" ")[0]) for problem in found]


def slowly(names: Rows, expected: dict[Network, str | None], default: str | None) -> list[tuple[int, str]]:
    """The same, by a look at each address."""
    found = []
    for line, (place, location) in enumerate(expected.items(), 1):
        first, last = Range.of(place)
        for address in range(first, last + 1):
            row = slow_row(names, address)
            if (names[row][0] if row else default) != location:
                found.append((line, ".".join(map(str, address.to_bytes(4)))))
                break
    return found


@given(MAPS, EXPECTED, DEFAULTS)
def test_the_first_address_that_gets_something_else_is_found(
    names: Rows, expected: dict[Network, str | None], default: str | None
) -> None:
    assert broken(Validator(), files(names, expected, default)) == slowly(names, expected, default)


@given(st.lists(st.tuples(MAPS, EXPECTED, DEFAULTS), min_size=2, max_size=4))
def test_one_map_after_the_other_is_judged_like_each_by_itself(
    series: list[tuple[Rows, dict[Network, str | None], str | None]],
) -> None:
    validator = Validator()
    for names, expected, default in series:
        assert broken(validator, files(names, expected, default)) == slowly(names, expected, default)


@given(MAPS, MAPS, EXPECTED)
def test_expectations_that_stay_follow_the_rows_that_change(
    old: Rows, new: Rows, expected: dict[Network, str | None]
) -> None:
    validator = Validator()
    for names in (old, new, old):
        assert broken(validator, files(names, expected)) == slowly(names, expected, None)


def test_ipv6_is_held_to_its_addresses_too() -> None:
    rows = "Sydney,2001:db8::/32\nPerth,2001:db8::8000:0:0:0/65\n"
    expected = "2001:db8::/64,Sydney\n2001:db8::1,Sydney\n2001:db9::,\n::/0,\n"
    assert broken(Validator(), {"locations.csv": rows, "expectations.csv": expected}) == [
        (1, "2001:db8:0:0:8000::"),
        (4, "2001:db8::"),
    ]


def test_a_blob_that_was_judged_last_need_not_be_read_again() -> None:
    def configuration(rows: str, content: str | None) -> list[File]:
        return [
            File("locations.csv", "file", 1, "", rows.encode()),
            File("expectations.csv", "file", 0, "e" * 40, None if content is None else content.encode()),
        ]

    validator = Validator()
    assert not validator.knows("expectations.csv", "e" * 40)
    validator.load_map(configuration("Sydney,10.61.2.0/24\n", "10.61.2.0/24,Sydney\n"))
    assert validator.knows("expectations.csv", "e" * 40)
    with pytest.raises(InvalidConfiguration, match="1 error"):
        validator.load_map(configuration("Perth,10.61.2.0/24\n", None))
    validator.load_map(files_of(GOOD))
    assert not validator.knows("expectations.csv", "e" * 40)


def test_an_expectation_that_goes_and_comes_back_is_judged_by_the_map_of_then() -> None:
    validator, expected = Validator(), "10.61.2.0/24,Sydney\n"
    sydney, perth = "Sydney,10.61.2.0/24\n", "Perth,10.61.2.0/24\n"
    assert broken(validator, {"locations.csv": sydney, "expectations.csv": expected}) == []
    assert broken(validator, {"locations.csv": perth}) == []
    assert broken(validator, {"locations.csv": perth, "expectations.csv": expected}) == [(1, "10.61.2.0")]


def test_without_expectations_nothing_is_made_of_a_map() -> None:
    validator = Validator()
    validator.load_map(files_of({**GOOD, "expectations.csv": "# none yet\n"}))
    assert validator._checkers[""]._space is None


def test_a_map_with_errors_is_not_judged() -> None:
    wrong = {"locations.csv": "Sydney,10.61.2.0/24\nPerth,nowhere\n", "expectations.csv": "10.61.2.0/24,Perth\n"}
    assert [problem.code for problem in judged(Validator(), wrong)] == ["not-a-subnet"]


def test_a_bad_line_hides_no_broken_expectation() -> None:
    expected = "10.61.2.0/24,Perth\nnowhere,Perth\n"
    found = judged(Validator(), {**GOOD, "expectations.csv": expected})
    assert [(problem.line, problem.code) for problem in found] == [(1, "broken-expectation"), (2, "not-a-subnet")]


def test_a_bad_line_hides_no_warning_about_the_map() -> None:
    rows = "Sydney,10.0.0.0/8\nSydney,10.1.0.0/16\n"
    found = judged(Validator(), {"locations.csv": rows, "expectations.csv": "nowhere,Perth\n"})
    assert [problem.code for problem in found] == ["not-a-subnet", "redundant-subnet"]


UNREADABLE = [
    File("expectations.csv", "symlink", 0),
    File("expectations.csv", "submodule", 0),
    File("expectations.csv", "file", 2**30),
    File("expectations.csv", "file", 1, "", b"10.61.2.0/24,Perth\n"),
    File("expectations.csv", "file", 1, "", b"10.61.2.0/24,Perth\n10.61.2.0/24,Sydney\n"),
    File("expectations.csv", "file", 1, "", b"version https://git-lfs.github.com/spec/v1\n"),
    File("expectations.csv", "file", 1, "", b"\xff\xfe1\0"),
    File("expectations.csv", "file", 1, "", b"Sydney\n\xff\n\0\n=======\n"),
]


@pytest.mark.parametrize("file", UNREADABLE)
def test_what_was_served_is_served_on_whatever_is_expected(file: File) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        load_map([*files_of(GOOD), file])
    location_map = Validator().load_map([*files_of(GOOD), file], was_served=True)
    assert {problem.severity for problem in location_map.warnings} == {"warning"}
    assert len(location_map.warnings) == len(errors_in(caught.value.problems))


def test_a_map_without_rows_is_none_whatever_is_wrong_with_its_expectations() -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        Validator().load_map([File("expectations.csv", "symlink", 0)], was_served=True)
    assert [(problem.code, problem.severity) for problem in caught.value.problems] == [
        ("no-rows", "error"),
        ("symlink", "warning"),
    ]


def test_the_expectations_travel_with_the_map() -> None:
    location_map: LocationMap = load_map(
        files_of({**GOOD, "expectations.csv": "10.61.2.7,Sydney,the hall, of course\n"})
    )
    place = Network.holding(Address(bytes((10, 61, 2, 7))), 32)
    assert location_map.expected == {Expectation(place, "Sydney", "the hall, of course")}


def test_there_may_be_as_many_as_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expectations, "EXPECTATIONS_LIMIT", 2)
    assert judged(Validator(), {**GOOD, "expectations.csv": "10.0.0.1,\n10.0.0.2,\n"}) == ()
    (problem,) = judged(Validator(), {**GOOD, "expectations.csv": "10.0.0.1,\n10.0.0.2,\n10.61.2.0,\n"})
    assert (problem.code, problem.line, problem.column) == ("too-large", 1, 1)


def test_those_of_all_views_are_held_to_the_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expectation_checks, "EXPECTATIONS_LIMIT", 2)
    views = "".join(f'[[view]]\nname = "{name}"\nlocation = "{name}"\n' for name in "abc")
    files = {**GOOD, "expectations.csv": "10.0.0.1,\n", "policy.toml": views}
    files |= {f"views/{name}/locations.csv": "Sydney,10.61.2.0/24\n" for name in "abc"}
    files["views/a/expectations.csv"] = "10.0.0.1,\n"
    assert judged(Validator(), files) == ()
    files["views/b/expectations.csv"] = files["views/c/expectations.csv"] = "10.61.2.1,Melbourne\nno,\n"
    (problem,) = judged(Validator(), files)
    assert str(problem).startswith("views/b/expectations.csv:1:1: error: all views together have more than 2 ")


def test_lines_without_an_expectation_are_counted_in_all_views_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expectation_checks, "LINES_LIMIT", 5)
    views = '[[view]]\nname = "a"\nlocation = "A"\n'
    files = {**GOOD, "expectations.csv": "#\n#", "policy.toml": views, "views/a/locations.csv": "Sydney,10.0.0.0/8\n"}
    assert judged(Validator(), files | {"views/a/expectations.csv": "#\n#\n#"}) == ()
    (problem,) = judged(Validator(), files | {"views/a/expectations.csv": "#\n#\n#\n#"})
    assert "views together have more than 100,000 expectations, or 5 lines of them" in str(problem)


def test_one_address_is_written_as_it_is_typed() -> None:
    assert str(Expectation(network("10.61.2.7/32"), None)) == "10.61.2.7"
    assert str(Expectation(network("2001:db8::/64"), None)) == "2001:db8::/64"


@given(st.lists(st.binary(max_size=30)).map(b"\n".join))
def test_no_bytes_raise_anything(content: bytes) -> None:
    file = read_expectations(content, ExpectationCache())
    assert {number for number, _ in file.expectations()} <= set(range(1, content.count(b"\n") + 2))
