"""A colour for each location."""

from __future__ import annotations

from location_policy.web.pages.colours import COLOURS, LOOKS, look_of, looks_of

NAMES = frozenset(("Sydney", "Melbourne", "Singapore", "Oslo", "London"))


def test_locations_have_different_colours_as_long_as_there_are_enough() -> None:
    looks = looks_of(frozenset(f"L{at}" for at in range(COLOURS))).values()
    assert set(looks) == set(range(COLOURS))


def test_locations_that_share_a_colour_have_different_patterns() -> None:
    looks = looks_of(frozenset(f"L{at}" for at in range(LOOKS)))
    assert set(looks.values()) == set(range(LOOKS))


def test_more_locations_than_looks_share_them() -> None:
    looks = looks_of(frozenset(f"L{at}" for at in range(3 * LOOKS)))
    assert set(looks.values()) == set(range(LOOKS))


def test_a_pattern_is_a_class_beside_that_of_the_colour() -> None:
    names = [f"L{at}" for at in range(LOOKS)]
    looks = looks_of(frozenset(names))
    assert {look_of(name, looks) for name in names} >= {"c0", "c0 p1", "c0 p2", "c8", "c8 p1", "c8 p2"}


def test_a_name_that_the_map_has_not_has_a_look_too() -> None:
    assert look_of("Nowhere", looks_of(NAMES)) in {f"c{number}" for number in range(COLOURS)}


def test_most_locations_keep_their_look_when_another_comes() -> None:
    before, after = looks_of(NAMES), looks_of(NAMES | {"Perth"})
    assert sum(before[name] != after[name] for name in NAMES) <= 1
