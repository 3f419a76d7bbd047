"""A colour for each location."""

from __future__ import annotations

from location_policy.web.pages.colours import COLOURS, KEPT, LOOKS, Looks

NAMES = ("Sydney", "Melbourne", "Singapore", "Oslo", "London")


def given(*names: str) -> Looks:
    looks = Looks()
    looks.add(names)
    return looks


def many(number: int) -> list[str]:
    return [f"L{at}" for at in range(number)]


def test_locations_have_different_colours_as_long_as_there_are_enough() -> None:
    looks = given(*many(COLOURS))
    assert {looks.number_of(name) for name in many(COLOURS)} == set(range(COLOURS))


def test_locations_that_share_a_colour_have_different_patterns() -> None:
    looks = given(*many(LOOKS))
    assert {looks.number_of(name) for name in many(LOOKS)} == set(range(LOOKS))
    assert {looks.classes(name) for name in many(LOOKS)} >= {"c0", "c0 p1", "c0 p2", "c8", "c8 p1", "c8 p2"}


def test_more_locations_than_looks_share_them_and_not_all_are_kept() -> None:
    looks = given(*many(KEPT + 5))
    assert {looks.number_of(name) for name in many(KEPT + 5)} == set(range(LOOKS))


def test_once_no_more_are_kept_the_names_of_a_page_are_not_looked_at() -> None:
    looks, names = given(*many(KEPT + 5)), iter(many(KEPT + 5))
    looks.add(names)
    assert next(names) == "L0"


def test_a_location_keeps_its_look_whatever_comes_and_goes() -> None:
    looks = given(*NAMES)
    before = [looks.classes(name) for name in NAMES]
    new = looks.classes("Perth")  # a preview has it first
    looks.add(("Perth", "Lima", "Cairns", "Hobart", *NAMES[2:]))
    assert [looks.classes(name) for name in NAMES] == before
    assert looks.classes("Perth") == new
    assert new not in before


def test_the_same_map_has_the_same_looks_after_a_restart() -> None:
    assert [given(*NAMES).classes(name) for name in NAMES] == [given(*NAMES[::-1]).classes(name) for name in NAMES]
