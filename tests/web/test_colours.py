"""A colour for each location."""

from __future__ import annotations

from location_policy.web.colours import COLOURS, colour_of, colours_of

NAMES = frozenset(("Sydney", "Melbourne", "Singapore", "Oslo", "London"))


def test_locations_have_different_colours_as_long_as_there_are_enough() -> None:
    assert len(set(colours_of(frozenset(f"L{at}" for at in range(COLOURS))).values())) == COLOURS


def test_more_locations_than_colours_share_them() -> None:
    found = colours_of(frozenset(f"L{at}" for at in range(40)))
    assert set(found.values()) == set(range(COLOURS))


def test_a_name_that_the_map_has_not_has_one_too() -> None:
    assert 0 <= colour_of("Nowhere", NAMES) < COLOURS
    assert colour_of("Sydney", NAMES) == colours_of(NAMES)["Sydney"]


def test_most_locations_keep_their_colour_when_another_comes() -> None:
    before, after = colours_of(NAMES), colours_of(NAMES | {"Perth"})
    assert sum(before[name] != after[name] for name in NAMES) <= 1
