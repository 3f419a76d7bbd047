"""Which view takes a call, and why those before it do not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..config.policy_toml import parameter_name
from ..config.views.view import View, folded
from ..net.split import LISTED
from ..text import any_of, count, quote
from .query_string import Parameters


class PassedView(NamedTuple):
    """A view that does not take a call: the first parameter that it asks for and that has another value, or none."""

    view: str
    parameter: str
    asked: str
    wanted: tuple[str, ...]

    @property
    def text(self) -> str:
        """The same in words."""
        asked = quote(self.asked) if self.asked else "not given"
        return f"not view {self.view}: {self.parameter} is {asked}, not {any_of(self.wanted)}"


def passed_views(views: Iterable[View], parameters: Parameters) -> Iterator[PassedView]:
    """The views up to the one that takes the call, or all where the map at the top does."""
    for view in views:
        passed = _passed(view, parameters)
        if passed is None:
            return
        yield passed


def taken_text(view: str | None) -> str:
    """Which view takes a call, in words; None: the map at the top does."""
    return f"{f'view {view}' if view else 'the map at the top'} takes the call"


def view_lines(views: Sequence[View], parameters: Parameters) -> Iterator[str]:
    """Which of the views takes a call, and why those before it do not; nothing where there are none."""
    if not views:
        return
    passed = list(passed_views(views, parameters))
    yield taken_text(views[len(passed)].name if len(passed) < len(views) else None)
    yield from (f"  {one.text}" for one in passed[:LISTED])
    if len(passed) > LISTED:
        yield f"  … and {count(len(passed) - LISTED, 'more view')}"


def rowless_text(view: str | None, where: str, *, is_answer: bool) -> str:
    """Why what no row covers is answered all the same, by a view or by the map at the top."""
    return f"the answer of view {view}, whatever the address" if is_answer else f"the default: no row covers {where}"


def _passed(view: View, parameters: Parameters) -> PassedView | None:
    for parameter, wanted in view.conditions.items():
        asked = parameters.first(parameter_name(parameter))
        if folded(asked) not in map(folded, wanted):
            return PassedView(view.name, parameter, asked, wanted)
    return None
