"""Which calls each view takes: exactly, from the values that conditions name.

A parameter has the values that some view names, and any other, which stands for all of these. Of each value it is one
number which views it leaves possible, a bit for each in their order, and a last bit for the map at the top, which takes
what no view does. A call meets the views whose bit is in the numbers of all its values, and the first of them takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice, product
from typing import NamedTuple

from .view import PARAMETERS, View, folded


class Condition(NamedTuple):
    """A parameter that views ask for: which views each of its values leaves possible, by bit, and which any other."""

    parameter: str
    views: Mapping[str, int]
    others: int


class Calls(NamedTuple):
    """Calls by what they have in common: of each parameter the values that they have, as written, in order.

    A parameter that is not there may have a value that no view names. `is_rest`: nothing is common to them that the
    calls of other pairs have not.
    """

    values: Mapping[str, tuple[str, ...]]
    is_rest: bool = False


EXAMPLES = 1_000
"""Calls that are tried as an example."""
Pair = tuple[str | None, str | None]
"""The names of the view that takes a call before and of the one that takes it after; None: the map at the top."""


def conditions(views: Sequence[View]) -> tuple[Condition, ...]:
    """The parameters that these views ask for, in one order."""
    everything = (1 << len(views) + 1) - 1
    found = []
    for parameter in PARAMETERS:
        asked = [(1 << at, view.conditions[parameter]) for at, view in enumerate(views) if parameter in view.conditions]
        if asked:
            others = everything - sum(bit for bit, _ in asked)
            by_value: dict[str, int] = {}
            for bit, values in asked:
                for value in set(map(folded, values)):
                    by_value[value] = by_value.get(value, others) | bit
            found.append(Condition(parameter, by_value, others))
    return tuple(found)


def first_view(asked: Iterable[Condition], value_of: Callable[[str], str]) -> int:
    """The number of the view that takes a call, and after the last one that of the map at the top; `value_of` gives
    the value of a parameter as it is compared.
    """
    left = -1
    for parameter, views, others in asked:
        left &= views.get(value_of(parameter), others)
    return (left & -left).bit_length() - 1


def pairs(old: Sequence[View], new: Sequence[View]) -> dict[Pair, Calls]:
    """Every pair of views that some call can meet, with the calls that meet it; the map at the top with itself first.

    The parameters are gone through one after the other. So far as the first of them are known, calls that leave the
    same views possible are one: their number is that of the views, not of the values.
    """
    befores, afters = ([*(view.name for view in views), None] for views in (old, new))
    both = _both(conditions(old), conditions(new), len(befores))
    shift = len(befores)
    low, high = (1 << shift) - 1, (1 << len(afters)) - 1
    spelt = _spellings((*old, *new))
    states: dict[int, tuple[frozenset[str | None], ...]] = {low | high << shift: ()}
    for number, one in enumerate(both):
        asked_later = _asked(both[number + 1 :], low | high << shift)
        found: dict[int, list[set[str | None]]] = {}
        by_views: dict[int, set[str | None]] = {one.others: {None}}
        for value, views in one.views.items():
            by_views.setdefault(views, set()).add(value)
        for left, seen in states.items():
            for views, values in by_views.items():
                rest = left & views
                key = _possible(rest & low, asked_later) | _possible(rest >> shift, asked_later >> shift) << shift
                _add(found.setdefault(key, [set() for _ in range(number + 1)]), (*seen, values))
        states = {left: tuple(map(frozenset, sets)) for left, sets in found.items()}
    result: dict[tuple[int, int], list[set[str | None]]] = {}
    for left, seen in states.items():
        before, after = left & low, left >> shift
        at = (before & -before).bit_length() - 1, (after & -after).bit_length() - 1
        _add(result.setdefault(at, [set() for _ in both]), seen)
    names = [one.parameter for one in both]
    order = sorted(result, key=lambda at: (at != (len(old), len(new)), at))
    return {
        (befores[before], afters[after]): _calls(
            dict(zip(names, result[before, after], strict=True)), spelt, is_one=len(order) == 1
        )
        for before, after in order
    }


def taken(views: Sequence[View]) -> set[str]:
    """The names of the views that take some call."""
    return {before for before, _ in pairs(views, ()) if before is not None}


def example_call(views: Sequence[View], name: str) -> dict[str, str]:
    """What a call has that this view takes: one value of each parameter that it asks for, `mssip` where it takes any
    protocol; nothing where none is found.
    """
    number = next(at for at, view in enumerate(views) if view.name == name)
    asked, wanted = conditions(views), views[number].conditions
    for values in islice(product(*wanted.values()), EXAMPLES):
        call = {"protocol": "mssip", **dict(zip(wanted, values, strict=True))}
        if first_view(asked, lambda parameter: folded(call.get(parameter, ""))) == number:  # noqa: B023  asked at once
            return call
    return {}


def _add(sets: Sequence[set[str | None]], more: Iterable[Collection[str | None]]) -> None:
    """Put the values of each parameter into the set of that parameter."""
    for one, values in zip(sets, more, strict=True):
        one.update(values)


def _both(old: Iterable[Condition], new: Iterable[Condition], shift: int) -> tuple[Condition, ...]:
    """The conditions of two lists of views as of one, in which the views of the second stand above so many bits."""
    before, after = ({one.parameter: one for one in found} for found in (old, new))
    found = []
    for parameter in PARAMETERS:
        one, other = before.get(parameter), after.get(parameter)
        if one or other:
            low, high = one.others if one else (1 << shift) - 1, other.others if other else -1
            values = dict.fromkeys((*(one.views if one else ()), *(other.views if other else ())))
            views = {
                value: (one.views.get(value, low) if one else low)
                | (other.views.get(value, high) if other else high) << shift
                for value in values
            }
            found.append(Condition(parameter, views, low | high << shift))
    return tuple(found)


def _asked(later: Iterable[Condition], everything: int) -> int:
    """The views that ask for one of these parameters."""
    asked = 0
    for one in later:
        asked |= everything & ~one.others
    return asked


def _possible(left: int, asked_later: int) -> int:
    """The views of one list that may still be the first, up to the first that asks for nothing more."""
    certain = left & ~asked_later
    return left & ((certain & -certain) * 2 - 1)


def _spellings(views: Iterable[View]) -> dict[str, dict[str, str]]:
    """Of each parameter the values as they are written first, by what they are compared by, in order."""
    found: dict[str, dict[str, str]] = {parameter: {} for parameter in PARAMETERS}
    for view in views:
        for parameter, values in view.conditions.items():
            for value in values:
                found[parameter].setdefault(folded(value), value)
    return found


def _calls(values: Mapping[str, set[str | None]], spelt: Mapping[str, Mapping[str, str]], *, is_one: bool) -> Calls:
    told = {
        parameter: tuple(spelling for value, spelling in spelt[parameter].items() if value in found)
        for parameter, found in values.items()
        if None not in found
    }
    return Calls(told, is_rest=not told and not is_one)
