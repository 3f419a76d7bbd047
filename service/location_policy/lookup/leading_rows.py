"""The rows that lead to a location: those that name it first, and those that name it as overflow."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import NamedTuple

from .snapshot import Snapshot


class LeadingRows(NamedTuple):
    """Positions of rows, in order; `is_default`: the location is also that of every address without a row, as in a view
    that has one answer for all.
    """

    as_location: Sequence[int]
    as_overflow: Sequence[int]
    is_default: bool


def leading_rows(snapshot: Snapshot, name: str) -> LeadingRows:
    """The rows that lead to the location of this name, which is whole and exact."""
    first = bytes(names[0] == name for names in snapshot.names)
    later = bytes(name in names[1:] for names in snapshot.names)
    numbers = [snapshot.names_of[row] for row in snapshot.by_address()]
    location, overflow = (
        [*compress(range(snapshot.size), map(flags.__getitem__, numbers))] for flags in (first, later)
    )
    return LeadingRows(location, overflow, (snapshot.rules.rowless or ("",))[0] == name)


def location_names(snapshot: Snapshot) -> set[str]:
    """Every name that the map has: in rows, in `known`, and what an address without a row gets."""
    return {*snapshot.rules.known, *(snapshot.rules.rowless or ())}.union(*snapshot.names)


def all_location_names(snapshot: Snapshot) -> set[str]:
    """The same of the map and of its views together."""
    return set[str]().union(*map(location_names, snapshot.maps))
