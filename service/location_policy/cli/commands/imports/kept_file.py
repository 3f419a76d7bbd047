"""`location-policy import --sync FILE`: one file of rows kept as another program's tables say, again and again.

The file is owned: its first line says of what it is made, and no other file is touched. What stays, stays as it is
written and in its place, comments too, so that a commit shows what has changed and nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from ....config.files import File, holds_rows, in_view, may_hold_rows, view_of
from ....config.formatting import rows_text
from ....config.location_map import LocationMap
from ....config.row import Row
from ....config.row_file import LineCache, read_rows
from ....config.validate import Validator, load_map
from ....edits.replace_rows import replace_rows
from ....errors import InvalidConfiguration, LocationPolicyError
from ....integrations.imports.at_source import at_source
from ....integrations.imports.foreign_tables import Tables
from ....plan.as_text import all_totals, plan_lines, total_line
from ....plan.plan import Plan, make_plan
from ....problems import Problem
from ....runtime.atomic_file import replace_file
from ....text import bom_of, count, escape, without_bom
from ...terminal.exit_status import NO, tell
from .output import ImportOutput
from .overflow import as_files, without_table

_MARK = "# kept by location-policy import --sync, from "
"""How the first line of a file begins that is owned."""
_TOLD = 6
"""Changes that are told one by one; more are only summed up."""


def sync(
    folder: Path,
    path: str,
    tables: Tables,
    there: Sequence[File],
    output: ImportOutput,
    *,
    accepts: bool,
    overwrites: bool,
    takes_table: bool,
) -> int:
    """Write the file at this path of the folder where it differs, and print what that does; the exit status.

    Refused lines keep it as it is, unless what is refused is accepted, and so does a path that is not its own, or a map
    that would not be valid, as for a subnet that another file has.
    """
    old = next((file.content or b"" for file in there if file.path == path), None)
    names = _names(tables)
    if not _may_write(path, old, tables, accepts=accepts, overwrites=overwrites):
        return NO
    rows = [row for found in tables.rows.values() for row in found]
    new = _content(path, old or b"", tables, without_table(rows, there) if takes_table else rows)
    after = judged({path: new}, there, tables, output, view_of(path))
    if after is None:
        return NO
    if new == old:
        output.say("nothing changed")
        output.effect = {}
        return 0
    plan = make_plan(map_before(there, path), after)
    output.plan(plan)
    output.say(*_effect_lines(plan, names, old or b""))
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    replace_file(target, new)
    output.tell_written(target)
    return 0


def _may_write(path: str, old: bytes | None, tables: Tables, *, accepts: bool, overwrites: bool) -> bool:
    """May the file be written? What keeps it from that is told."""
    if error := _not_owned(path, old, _names(tables), overwrites=overwrites):
        tell(error)
        return False
    if (refused := _refused(tables)) and not accepts:
        print(f"location-policy: {escape(path)} stays as it is: {count(len(refused), 'problem')}", file=sys.stderr)
        print("  hint: correct what is rejected, or leave it out with --accept-differences", file=sys.stderr)
        return False
    return True


def _effect_lines(plan: Plan, names: str, old: bytes) -> Sequence[str]:
    changes = sum(size.ranges for size in all_totals(plan).values())
    if not changes and not _is_kept_from(names, _first_line(old)):
        return [f"no effect but for the first line, which names {names} now"]
    return [total_line(plan)] if changes > _TOLD else plan_lines(plan)


def _refused(tables: Tables) -> list[Problem]:
    """What is refused; a table without rows, or with fewer than it says, too, of which the rows would go."""
    return [one for one in tables.problems if one.severity == "error" or one.code == "no-rows"]


def judged(
    written: Mapping[str, bytes], there: Sequence[File], tables: Tables, output: ImportOutput, view: str
) -> LocationMap | None:
    """The map with these files, whose rows are of a view or with an empty one of the map at the top; None where it
    would not be valid, which is then told.
    """
    try:
        return load_map([*(file for file in there if file.path not in written), *as_files(written)], sys.maxsize)
    except InvalidConfiguration as error:
        beside = (file for file in there if holds_rows(file.path) and view_of(file.path) == view)
        rows = {file.path: file.content or b"" for file in beside}
        new = {path: content for path, content in written.items() if holds_rows(path)}
        output.tell(at_source(error.problems, new, rows, tables))
        print("location-policy: nothing is written: the map would not be valid", file=sys.stderr)
        return None


def _not_owned(path: str, old: bytes | None, names: str, *, overwrites: bool) -> LocationPolicyError | None:
    """Why the file at this path is not to be written."""
    if not may_hold_rows(path) or str(PurePath(path)) != path:
        home = in_view(view_of(path), "")
        rows = f"{home}locations.csv and {home}locations/….csv"
        hint = f"rows are in {rows}: name one of these, as it stands in the folder of --into"
        return LocationPolicyError(f"{path} is no file of rows in the folder", hint)
    if not old or overwrites:
        return None
    before = _first_line(old)
    if before is None:
        hint = "name another, or add --overwrite to make it one"
        return LocationPolicyError(f"{path} is no file that is kept by --sync", hint)
    if _is_kept_from(names, before):
        return None
    hint = "name a file for each source, or add --overwrite once to keep this one from there"
    return LocationPolicyError(f"{path} is kept from {before.partition(': ')[0]}, not from {names}", hint)


def _first_line(old: bytes) -> str | None:
    """Of what a file is kept, and as what that was read; None where it is no such file."""
    first = without_bom(old).partition(b"\n")[0].decode(errors="replace")
    return first.removeprefix(_MARK).rstrip() if first.startswith(_MARK) else None


def _is_kept_from(names: str, first_line: str | None) -> bool:
    return first_line is not None and first_line.startswith(f"{names}: ")


def _names(tables: Tables) -> str:
    """The names of the tables, as the first line of a file has them."""
    return " and ".join(sorted(escape(PurePath(path).name) for path in tables.rows))


def _content(path: str, old: bytes, tables: Tables, rows: Sequence[Row]) -> bytes:
    """The file with just these rows; what stays is written as it was, all of it where the rows and their source do."""
    text = without_bom(old)
    was_kept = _first_line(old)
    body = text if was_kept is None else text.partition(b"\n")[2]
    changed = _changed(path, body, rows)
    if changed is None and _is_kept_from(_names(tables), was_kept):
        return old
    kinds = "; ".join(dict.fromkeys(escape(one.words) for one in tables.taken.values()))
    new = f"{_MARK}{_names(tables)}: {kinds}\n".encode() + (body if changed is None else changed)
    has_crlf = 2 * text.count(b"\r\n") > text.count(b"\n")
    return bom_of(old) + (new.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") if has_crlf else new)


def _changed(path: str, body: bytes, rows: Sequence[Row]) -> bytes | None:
    """What is below the first line with just these rows; None where it has them already."""
    if not body:
        return rows_text(rows) or None
    memory = LineCache()
    wanted = read_rows(path, rows_text(rows), memory)
    contents = replace_rows({path: body}, wanted, path, memory, takes_text=False, mends=True).contents
    return (contents[path] or b"") if path in contents else None


def map_before(there: Sequence[File], path: str = "") -> LocationMap | None:
    """The map as it was, without a file that cannot be read; None where there was none."""
    for files in (there, [file for file in there if file.path != path]):
        try:
            return Validator().load_map(files, was_served=True)
        except InvalidConfiguration:
            continue
    return None
