"""Which calls each view takes, held against every call that there is."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from location_policy.config.views.calls import conditions, example_call, first_view, pairs, taken
from location_policy.config.views.view import DIRECTIONS, PARAMETERS, VALUES_LIMIT, VIEWS_LIMIT, View

VALUES = {
    "location": ("DMZ", "Oslo", "dmz", "Straße"),
    "proxy_node_location": ("DMZ", "Oslo"),
    "call_direction": DIRECTIONS,
    "protocol": ("webrtc", "api", "SIP"),
}
CALLS = [
    dict(zip(PARAMETERS, values, strict=True))
    for values in product(*(("", "elsewhere", *(one.casefold() for one in VALUES[key])) for key in PARAMETERS))
]

conditions_of_a_view = st.fixed_dictionaries(
    {},
    optional={
        key: st.lists(st.sampled_from(values), max_size=3, unique=True).map(tuple) for key, values in VALUES.items()
    },
)


@st.composite
def views(draw: st.DrawFn) -> list[View]:
    asked = draw(st.lists(conditions_of_a_view, max_size=4))
    return [View(f"v{number}", number, one) for number, one in enumerate(asked)]


def takes(view: View, call: Mapping[str, str]) -> bool:
    return all(call[key] in [one.casefold() for one in values] for key, values in view.conditions.items())


def oracle(asked: Sequence[View], call: Mapping[str, str]) -> str | None:
    return next((view.name for view in asked if takes(view, call)), None)


@given(views())
def test_a_call_is_taken_by_the_first_view_whose_conditions_all_hold(asked: list[View]) -> None:
    order = conditions(asked)
    names = [*(view.name for view in asked), None]
    for call in CALLS:
        if order:
            assert names[first_view(order, call.__getitem__)] == oracle(asked, call)
    assert taken(asked) == {oracle(asked, call) for call in CALLS} - {None}


@given(views(), views())
def test_the_pairs_are_those_that_some_call_meets_with_the_values_of_those_calls(
    old: list[View], new: list[View]
) -> None:
    met: dict[tuple[str | None, str | None], list[Mapping[str, str]]] = {}
    for call in CALLS:
        met.setdefault((oracle(old, call), oracle(new, call)), []).append(call)
    found = pairs(old, new)
    assert found.keys() == met.keys()
    for pair, calls in found.items():
        for key in PARAMETERS:
            values = {call[key] for call in met[pair]}
            if key in calls.values:
                assert {one.casefold() for one in calls.values[key]} == values
            else:
                assert {"", "elsewhere"} <= values


def test_the_most_that_views_may_ask_is_found_out_in_time() -> None:
    def many(turn: int) -> list[View]:
        each = VALUES_LIMIT // VIEWS_LIMIT // 3
        return [
            View(
                f"v{at}",
                at,
                {
                    key: tuple(f"{(at * step + one * 7 + turn) % 83}" for one in range(each))
                    for key, step in zip(PARAMETERS[::2] + PARAMETERS[1:2], (1, 3, 5), strict=False)
                    if (at + step) % 3
                },
            )
            for at in range(VIEWS_LIMIT)
        ]

    began = time.process_time()
    assert pairs(many(0), many(1))
    assert time.process_time() - began < 10


@given(views())
def test_an_example_of_what_a_view_takes_is_taken_by_it(found: list[View]) -> None:
    for view in found:
        if example := example_call(found, view.name):
            call = {key: example.get(key, "").casefold() for key in PARAMETERS}
            assert oracle(found, call) == view.name


def test_a_view_that_takes_no_call_has_no_example() -> None:
    first = View("one", 0, {"location": ("DMZ",)})
    second = View("two", 1, {"location": ("dmz",), "protocol": ("rtmp",)})
    assert example_call([first, second], "one") == {"protocol": "mssip", "location": "DMZ"}
    assert example_call([first, second], "two") == {}
    assert example_call([second, first], "two") == {"protocol": "rtmp", "location": "dmz"}
