"""The name that was probably meant."""

from __future__ import annotations

import time
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy import spelling
from location_policy.spelling import near_misses, nearest

KNOWN = ("Sydney", "Melbourne", "Melbourne North", "Singapore")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("sydney", "Sydney"),
        ("Sydney ", "Sydney"),
        ("Sydney\u00a0", "Sydney"),
        ("melbourne  NORTH", "Melbourne North"),
        ("Sydny", "Sydney"),
        ("Sidney", "Sydney"),
        ("Syndey", "Sydney"),
        ("Singapur", "Singapore"),
        ("melborne nort", "Melbourne North"),
    ],
)
def test_case_space_and_a_letter_or_two_are_seen_through(name: str, meant: str) -> None:
    assert nearest(name, KNOWN) == meant


@pytest.mark.parametrize("name", ["Oslo", "", "S", "x" * 100_000])
def test_another_name_is_not_taken_for_one(name: str) -> None:
    assert nearest(name, KNOWN) is None


def test_of_two_that_are_near_the_nearer_is_meant() -> None:
    assert nearest("Melbourn", ("Melbourne North", "Melbourne")) == "Melbourne"


def test_case_counts_less_than_a_letter() -> None:
    assert nearest("perth 1", ("Perth 2", "PERTH 1")) == "PERTH 1"


def test_nothing_is_near_to_nothing() -> None:
    assert nearest("Sydney", ()) is None


def is_near(one: str, other: str) -> bool:
    """Do two names differ by case, space or one letter? Slow and plain."""
    first, second = (normalize("NFKC", name).casefold() for name in (one, other))
    if "".join(first.split()) == "".join(second.split()):
        return True
    first, second = sorted((" ".join(name.split()) for name in (first, second)), key=len)
    return any(first in _with_one_other(second, at, is_shorter=len(first) < len(second)) for at in range(len(second)))


def _with_one_other(name: str, at: int, *, is_shorter: bool) -> list[str]:
    start, end = at, at + 1
    while start and name[start - 1].isalpha():
        start -= 1
    while end < len(name) and name[end].isalpha():
        end += 1
    if not name[at].isalpha() or end - start < 4:
        return []
    return [name[:at] + letter + name[at + 1 :] for letter in ([""] if is_shorter else "abxyzü")]


@pytest.mark.parametrize(
    "name",
    [
        "sydney",
        "SYDNEY",
        "Sydney\u00a0",
        "Syd ney",
        "Syd\u200bney",
        "Sidney",
        "sidney",
        "Sydny",
        "Syydney",
        "\uff33ydney",
    ],
)
def test_case_space_or_one_letter_is_a_near_miss(name: str) -> None:
    assert list(near_misses(["Sydney", "Oslo", name])) == [(name, "Sydney")]


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("L'Aquila", "L’Aquila"),
        ("L'Aquila", "L´Aquila"),
        ("DC-1", "DC\u20131"),
        ("DC-1", "DC\u20111"),
        ("Rome", "“Rome”"),
        ("SIN", "'SIN'"),
        ("SIN", "`SIN`"),
    ],
)
def test_the_signs_that_programs_write_for_those_of_a_keyboard_are_a_near_miss(name: str, other: str) -> None:
    assert list(near_misses([name, other])) == [(other, name)]
    assert list(near_misses([other, name])) == [(name, other)]
    assert nearest(other, [name, "Oslo"]) == name


def test_two_spellings_of_one_letter_in_unicode_are_a_near_miss() -> None:
    assert list(near_misses(["Z\u00fcrich", "Zu\u0308rich"])) == [("Zu\u0308rich", "Z\u00fcrich")]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Sydney", "Sidny"),
        ("Rack 1", "Rack 2"),
        ("Rack 1", "Rack 11"),
        ("Rack A", "Rack B"),
        ("Rack1A", "Rack1B"),
        ("SIN", "SYN"),
        ("UK-London", "US-London"),
        ("Sydney", "Sydney 1"),
        ("New-York", "New York"),
    ],
)
def test_what_tells_two_places_apart_is_no_near_miss(first: str, second: str) -> None:
    assert list(near_misses([first, second])) == []
    assert list(near_misses([second, first])) == []


def test_a_name_is_told_once_with_the_first_that_is_near() -> None:
    names = ["Sydney", "Sidney", "sydney", "Sydnei"]
    assert list(near_misses(names)) == [("Sidney", "Sydney"), ("sydney", "Sydney"), ("Sydnei", "Sydney")]


def test_letters_of_very_many_names_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spelling, "LETTERS_COMPARED", 11)
    assert list(near_misses(["Sydney", "Sidney"])) == []
    assert list(near_misses(["Sydney", "sydney"])) == [("sydney", "Sydney")]


@given(st.lists(st.text(st.sampled_from("abxyABü1 "), min_size=1, max_size=7), unique=True, max_size=12))
def test_near_misses_agree_with_a_slow_comparison(names: list[str]) -> None:
    expected = []
    for at, name in enumerate(names):
        near = [other for other in names[:at] if is_near(name, other)]
        expected += [(name, other) for other in near[:1]]
    assert list(near_misses(names)) == expected


def test_long_names_are_not_compared_letter_by_letter_with_many_others() -> None:
    known = [f"{'ab' * 100}{number}" for number in range(500)]
    started = time.process_time()
    assert nearest("ba" * 100, known) is None
    assert nearest(f"{'AB' * 100}7", known) == known[7]
    assert time.process_time() - started < 0.5


def test_what_looks_the_same_is_found_in_no_time_that_grows_with_the_square() -> None:
    marks = "\u0301" * 10_000 + "\u0316" * 10_000
    started = time.process_time()
    assert nearest(f"Sydney{marks}", ("Sydney",)) is None
    assert nearest("\u0405ydney", ("Sydney", f"Sydney{marks}")) == "Sydney"
    assert time.process_time() - started < 0.5
