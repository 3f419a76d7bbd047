"""Overflow locations of imported rows, said in the table of `policy.toml` where all rows of a location say the same."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from ....config.files import RULES_PATH, File
from ....config.location_map import LocationMap
from ....config.overflow.table_text import with_entries
from ....config.policy_toml import read_rules
from ....config.row import Row
from ....edits.overflow_table import lift_rows
from ....text import count


def in_table(
    location_map: LocationMap,
    planned: Mapping[str, bytes],
    written: Mapping[str, bytes],
    there: Sequence[File],
    *,
    overwrites: bool,
) -> dict[str, bytes]:
    """The files to be written, with overflow in the table as far as it can be there.

    `planned` are the same with every name known, of which with the files that are `there` the map was made. Entries
    come only to rules that are written anyway, or may be.
    """
    files = [*(file for file in there if file.path not in planned), *as_files(planned)]
    rules = written.get(RULES_PATH) or next((file.content or b"" for file in there if file.path == RULES_PATH), b"")
    may_change = {RULES_PATH} if RULES_PATH in written or overwrites else set()
    lift = lift_rows(location_map, files, planned.keys() - {RULES_PATH} | may_change)
    if not lift.contents:
        return dict(written)
    table = {RULES_PATH: with_entries(rules, lift.entries)} if lift.entries else {}
    where = f"{count(lift.rows, 'row')} of {count(lift.locations, 'location')}"
    print(f"{where} {'takes' if lift.rows == 1 else 'take'} overflow from [overflow] in {RULES_PATH}", file=sys.stderr)
    files_of_rows = {path: content for path, content in {**written, **lift.contents}.items() if path not in table}
    return {**table, **files_of_rows}  # whoever is stopped in between has rows that say more, not less


def without_table(rows: Sequence[Row], there: Sequence[File]) -> list[Row]:
    """The rows, of which those have the location alone that say what the table says already."""
    rules = next((file.content for file in there if file.path == RULES_PATH), None)
    table = read_rules(rules or b"")[0].overflow_table
    return [row._replace(names=row.names[:1]) if table.get(row.names[0]) == row.names[1:] else row for row in rows]


def as_files(contents: Mapping[str, bytes]) -> list[File]:
    """Contents as a folder would have them."""
    return [File(path, "file", len(content), path, content) for path, content in contents.items()]
