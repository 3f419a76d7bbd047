"""Rows by what a reader types."""

from __future__ import annotations

from typing import Literal
from unicodedata import normalize

import pytest

from location_policy.lookup.row_search import WORDS, Search, find_rows, ordered
from tests.support.maps import snapshot_of

FILES = {
    "locations.csv": "Perth,10.0.0.0/8\nNew York,Oslo,192.0.2.0/24\n",
    "locations/apac.csv": "Sydney,Melbourne,10.61.2.0/24\nMelbourne,10.61.0.0/16\n",
    "locations/v6.csv": "Oslo,2001:db8::/32\nSydney,2001:db8:61::/48\n",
}
SNAPSHOT = snapshot_of(FILES)


def found(search: Search | str) -> list[str]:
    """The subnets that are found, in order."""
    search = Search(search) if isinstance(search, str) else search
    return [str(SNAPSHOT.match_at(position).network) for position in find_rows(SNAPSHOT, search)]


def test_nothing_finds_every_row_in_the_order_of_addresses() -> None:
    everything = ["10.0.0.0/8", "10.61.0.0/16", "10.61.2.0/24", "192.0.2.0/24", "2001:db8::/32", "2001:db8:61::/48"]
    assert found("") == everything


def test_an_address_finds_the_rows_that_hold_it_the_one_that_answers_first() -> None:
    assert found("10.61.2.7") == ["10.61.2.0/24", "10.61.0.0/16", "10.0.0.0/8"]
    assert found("2001:db8:61::1") == ["2001:db8:61::/48", "2001:db8::/32"]
    assert found("::ffff:10.61.2.7") == found("10.61.2.7")
    assert found("203.0.113.1") == []


def test_an_order_that_is_asked_for_holds_for_an_address_too() -> None:
    assert found(Search("10.61.2.7", order="subnet")) == ["10.0.0.0/8", "10.61.0.0/16", "10.61.2.0/24"]


@pytest.mark.parametrize(
    ("text", "subnets"),
    [
        ("10.61.0.0/16", ["10.61.0.0/16", "10.61.2.0/24", "10.0.0.0/8"]),
        ("10.61.", ["10.61.0.0/16", "10.61.2.0/24", "10.0.0.0/8"]),
        ("10.61", ["10.61.0.0/16", "10.61.2.0/24", "10.0.0.0/8"]),
        ("10.62.", ["10.0.0.0/8"]),
        ("192.", ["192.0.2.0/24"]),
        ("2001:db8:", ["2001:db8::/32", "2001:db8:61::/48"]),
        ("2001:DB8:61", ["2001:db8:61::/48", "2001:db8::/32"]),
        ("10.61.2.9/23", ["10.61.2.0/24", "10.61.0.0/16", "10.0.0.0/8"]),
    ],
)
def test_a_subnet_finds_its_row_first_then_what_is_inside_then_what_holds_it(text: str, subnets: list[str]) -> None:
    assert found(text) == subnets


def test_a_length_finds_the_rows_of_that_length() -> None:
    assert found("/24") == ["10.61.2.0/24", "192.0.2.0/24"]
    assert found("/999") == []


@pytest.mark.parametrize(
    ("text", "subnets"),
    [
        ("SYD", ["10.61.2.0/24", "2001:db8:61::/48"]),
        ("oslo", ["192.0.2.0/24", "2001:db8::/32"]),
        ("new york", ["192.0.2.0/24"]),
        ("apac", ["10.61.0.0/16", "10.61.2.0/24"]),
        ("sydney v6", ["2001:db8:61::/48"]),
        ("sydney 10.61.", ["10.61.2.0/24"]),
        ("sydney /24", ["10.61.2.0/24"]),
        ("999.1.1.1", []),
        ("9.999", []),
        ("10.61. 192.0.2.1", []),
    ],
)
def test_every_word_must_be_met(text: str, subnets: list[str]) -> None:
    assert found(text) == subnets


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("word", ["S\u00c3O", "Sa\u0303o", "zu\u0308rich"])
def test_a_letter_with_its_accent_is_found_however_it_is_written(form: Literal["NFC", "NFD"], word: str) -> None:
    content, path = normalize(form, "S\u00e3o Paulo,10.0.0.0/8\n"), normalize(form, "locations/Z\u00fcrich.csv")
    assert len(find_rows(snapshot_of({path: content}), Search(word))) == 1


def test_words_over_the_limit_do_not_count() -> None:
    assert found(" ".join(["sydney"] * WORDS + ["nowhere"])) == found("sydney")


def test_a_location_and_a_file_are_exact() -> None:
    assert found(Search(location="Oslo")) == ["2001:db8::/32"]
    assert found(Search(location="oslo")) == []
    assert found(Search(path="locations.csv")) == ["10.0.0.0/8", "192.0.2.0/24"]


def test_rows_are_sorted_by_location_by_place_and_by_length() -> None:
    assert found(Search(order="location"))[:2] == ["10.61.0.0/16", "192.0.2.0/24"]
    assert found(Search(order="source"))[:3] == ["10.0.0.0/8", "192.0.2.0/24", "10.61.2.0/24"]
    assert found(Search(order="length"))[:2] == ["10.0.0.0/8", "10.61.0.0/16"]
    assert found(Search(order="length", is_descending=True))[0] == "2001:db8:61::/48"


def test_a_map_without_rows_has_none() -> None:
    empty = snapshot_of({"locations.csv": "Sydney,10.0.0.0/8\n"})
    assert find_rows(empty, Search("nowhere")) == []


def test_every_order_has_every_row_once_and_equal_ones_by_address() -> None:
    assert list(ordered(SNAPSHOT, "subnet")) == list(range(SNAPSHOT.size))
    rows = SNAPSHOT.by_address()
    lengths = [(SNAPSHOT.lengths[rows[at]], at) for at in range(SNAPSHOT.size)]
    assert list(ordered(SNAPSHOT, "length")) == [at for _, at in sorted(lengths)]
    assert sorted(ordered(SNAPSHOT, "location")) == list(range(SNAPSHOT.size))
