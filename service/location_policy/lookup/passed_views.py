"""Why a call was not taken by the views that stand before the one that takes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..config.policy_toml import parameter_name
from ..config.views.view import View, folded
from .query_string import Parameters


class PassedView(NamedTuple):
    """A view that does not take a call: the first parameter that it asks for and that has another value, or none."""

    view: str
    parameter: str
    asked: str
    wanted: tuple[str, ...]


def passed_views(views: Iterable[View], parameters: Parameters) -> Iterator[PassedView]:
    """The views up to the one that takes the call, or all where the map at the top does."""
    for view in views:
        passed = _passed(view, parameters)
        if passed is None:
            return
        yield passed


def _passed(view: View, parameters: Parameters) -> PassedView | None:
    for parameter, wanted in view.conditions.items():
        asked = parameters.first(parameter_name(parameter))
        if folded(asked) not in map(folded, wanted):
            return PassedView(view.name, parameter, asked, wanted)
    return None
