"""A view: by which conditions a call is its own, and what its folder does not say of how it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PARAMETERS = ("location", "proxy_node_location", "call_direction", "protocol")
"""The request parameters that a view can ask for; a view can ask for no other."""
NODES = ("location", "proxy_node_location")
"""Those that have the name of a location: of the node that asks, and of the one in front of it."""
DIRECTIONS = ("dial_in", "dial_out", "non_dial")
"""What `call_direction` can be (external policy of Pexip Infinity)."""

VIEWS_LIMIT = 100
"""Views that one configuration may have."""
VALUES_LIMIT = 1_000
"""Values that the conditions of all views may have together."""
NAME_LENGTH = 64
"""Characters that the name of a view may have."""


@dataclass(frozen=True, slots=True)
class View:
    """A view as `policy.toml` has it, the `number`-th from 0; of several the first whose conditions all hold answers.

    `conditions` have the values that a parameter may have, as they are written; a parameter that is not there may have
    any. `answer` is a location and its overflow locations for every call; without it rows answer. A `match` that is
    None is that of the map at the top, and a `default` that is None is none.
    """

    name: str
    number: int
    conditions: Mapping[str, tuple[str, ...]]
    answer: tuple[str, ...] | None = None
    default: str | None = None
    match: Mapping[str, tuple[str, ...]] | None = None


def folded(value: str) -> str:
    """A value of a condition or of a request as the two are compared."""
    return value.casefold()
