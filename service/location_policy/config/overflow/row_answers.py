"""The rows of two maps whose answers differ: those that say something else, and those for which the table does."""

from __future__ import annotations

from ..location_map import LocationMap
from ..row_diff import RowChanges


def answer_changes(written: RowChanges, old: LocationMap, new: LocationMap) -> RowChanges:
    """The rows that differ as they are `written`, made into those that answer otherwise.

    Of other rows those with a location alone answer otherwise of which the table says something else: only where it
    differs are rows looked through.
    """
    before, after = old.rules, new.rules
    gone = {network: before.with_overflow(names) for network, names in written.gone.items()}
    come = {network: after.with_overflow(names) for network, names in written.come.items()}
    one, other = before.overflow_table, after.overflow_table
    differing = {location for location in (*one, *other) if one.get(location) != other.get(location)}
    alone = {(location,) for location in differing}
    for file in new.files if alone else ():
        if alone.isdisjoint(file.names):
            continue
        for _, row in file.rows():
            if row.names in alone and row.network not in come:
                gone[row.network] = before.with_overflow(row.names)
                come[row.network] = after.with_overflow(row.names)
    for network in gone.keys() & come.keys():
        if gone[network] == come[network]:
            del gone[network], come[network]
    return RowChanges(gone, come)
