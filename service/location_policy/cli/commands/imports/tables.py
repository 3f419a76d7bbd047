"""`location-policy import`: the tables of another program, brought into a configuration folder, and the move proved."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Container, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

from ....config.files import FILE_LIMIT, ROWS_FOLDER, ROWS_PATH, RULES_PATH, File, holds_rows, in_view, view_of
from ....config.formatting import rows_text
from ....config.known_names import names_in, with_known
from ....config.policy_toml import read_rules
from ....config.row_file import LineCache, RowFile, read_rows
from ....edits.first_map import new_rules
from ....edits.map_of_rows import home_of
from ....errors import LocationPolicyError
from ....gate.hooks import shipped
from ....integrations.imports.first_match import differences
from ....integrations.imports.foreign_tables import Content, Tables, read_tables
from ....integrations.imports.site_file import sites_text, with_sites
from ....net.addresses import Network
from ....plan.change_text import name_text
from ....plan.plan import make_plan
from ....problems import SHOWN, Problem, errors_in
from ....repository.working_copy import read_folder
from ....runtime.atomic_file import replace_file
from ....spelling import near_misses
from ....text import count, escape
from ...terminal.exit_status import NO, NOT_ASKED
from ...terminal.progress import Progress
from .differences_text import default_of, tell_differences, tell_refusal, tell_size
from .kept_file import judged, map_before, sync
from .output import MISSING, ImportOutput
from .overflow import in_table

STANDARD_INPUT = Path("-")
_MORE = ": --write-sites FILE makes a file with every site"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What `import` was asked for."""

    files: Sequence[Path]
    into: Path
    sites: Path | None = None
    write_sites: Path | None = None
    columns: Mapping[str, str] | None = None
    """Headings by what their columns hold: subnet, site, mask or status."""
    sync: str | None = None
    """The one file of rows that is kept as the tables say."""
    accept_differences: bool = False
    keep_answers: bool = False
    overwrite: bool = False
    takes_all: bool = False
    form: str = "text"
    view: str = ""
    """The view whose rows they are; empty: the map at the top."""
    overflow_table: bool = True
    """Is overflow that all rows of a location have said in the table of the rules?"""


def bring(asked: ImportOptions) -> int:
    """Read, compare, print what differs, and write when nothing does or all is accepted; the exit status.

    A name that is nearly another is not made known: whether it is a slip is for its user to say. Raises
    LocationPolicyError and OSError: then no row is written.
    """
    with Progress() as progress:
        progress.say("reading")
        files = [_content(path) for path in dict.fromkeys(asked.files)]
        sites = _content(asked.sites) if asked.sites else None
        there = read_folder(asked.into) if asked.into.exists() else []
        asked = replace(asked, view=home_of(asked.view, asked.sync or "", _rules_text(there)))
        tables = _read(asked, files, sites, there)
    output = ImportOutput(asked.form)
    status = _bring(asked, tables, there, output)
    output.end(tables)
    return status


def _bring(asked: ImportOptions, tables: Tables, there: Sequence[File], output: ImportOutput) -> int:
    _tell_taken(tables)
    output.tell(tables.problems if asked.write_sites is None else _without_missing(tables.problems), _MORE)
    if asked.write_sites and not _write_sites(asked, asked.write_sites, tables, output):
        return NO
    if not any(tables.rows.values()):
        names = ", ".join(map(escape, tables.rows))
        print(f"location-policy: nothing is written: no row of {names} can be used", file=sys.stderr)
        return NOT_ASKED if tables.unknown else NO
    if asked.sync:
        return sync(
            asked.into,
            asked.sync,
            tables,
            there,
            output,
            accepts=asked.accept_differences,
            overwrites=asked.overwrite,
            takes_table=asked.overflow_table,
        )
    return _compare(asked, tables, there, output)


def _compare(asked: ImportOptions, tables: Tables, there: Sequence[File], output: ImportOutput) -> int:
    with Progress() as progress:
        progress.say("comparing")
        rows = _rows(asked, tables, there)
        unsettled = _unsettled(tables, there)
        names = _used(there, rows).union(tables.names())
        planned = rows | _rules(names, there, asked.overwrite)
        written = rows | _rules(names.difference(unsettled), there, asked.overwrite)
        judged_map = judged(planned, there, tables, output, asked.view)
        if judged_map is None:
            return NO
        location_map = next(one for one in judged_map.maps if (one.name or "") == asked.view)
        found = [] if tables.answering is None else list(differences(tables.answering, location_map))
    if asked.form == "json":
        output.plan(make_plan(map_before(there), judged_map))
        output.differences = None if tables.answering is None else len(found)
    tell_differences(found, tables, location_map, output)
    refused = errors_in(tables.problems)
    tell_size(tables, found, len(refused), has_default=default_of(tables, location_map) is not None)
    is_other = any(not (one.is_form and asked.keep_answers) for one in found)
    if (refused or is_other or default_of(tables, location_map)) and not asked.accept_differences:
        tell_refusal(tables, found, len(refused))
        return NO
    if asked.overflow_table:
        written = in_table(judged_map, planned, written, there, overwrites=asked.overwrite)
    _write(asked.into, written, output)
    if unsettled and RULES_PATH in written:
        _tell_unsettled(unsettled)
        return NO
    return 0


def _content(path: Path) -> Content:
    """The path and the content of a file, or what comes on standard input."""
    if path == STANDARD_INPUT:
        name, content = "stdin", sys.stdin.buffer.read(FILE_LIMIT + 1)
    else:
        with path.open("rb") as file:
            name, content = str(path), file.read(FILE_LIMIT + 1)
    if len(content) > FILE_LIMIT:
        hint = "import a part of it at a time: --sync keeps a file of rows for each"
        raise LocationPolicyError(f"{name} has more than the {FILE_LIMIT >> 20} MiB that are read of a file", hint)
    return name, content


def _read(asked: ImportOptions, files: Sequence[Content], sites: Content | None, there: Sequence[File]) -> Tables:
    own = [asked.sync] if asked.sync else [_target(path, len(files), asked.view) for path, _ in files]
    others = _others(there, own)
    beside = [file for file in others if view_of(file.path) == asked.view]
    known = set(_known(there))
    knows = bool(known) or sites is not None or asked.write_sites is not None
    return read_tables(
        files,
        sites,
        only_answering=asked.keep_answers,
        columns=asked.columns,
        takes_all=asked.takes_all,
        locations=known | _named(others) if knows else None,
        elsewhere=frozenset[Network]().union(*(file.networks for file in beside)),
        writes_sites=asked.write_sites is not None,
    )


def _others(there: Sequence[File], own: Container[str]) -> list[RowFile]:
    """The files of rows that stay as they are."""
    memory = LineCache()
    files = [file for file in there if holds_rows(file.path) and file.path not in own and file.content is not None]
    return [read_rows(file.path, file.content or b"", memory) for file in files]


def _used(there: Sequence[File], own: Container[str]) -> set[str]:
    """The names of all locations that stay: in the rows of every map, and in the rules."""
    rules = next((file.content for file in there if file.path == RULES_PATH), None)
    return _named(_others(there, own)) | names_in(read_rules(rules or b"")[0])


def _named(files: Sequence[RowFile]) -> set[str]:
    """The names of all locations in these."""
    return {name for file in files for names in file.names for name in names}


def _target(path: str, files: int, view: str) -> str:
    """The file of rows that a table is brought into, of so many."""
    return in_view(view, ROWS_PATH if files == 1 else f"{ROWS_FOLDER}{Path(path).stem}.csv")


def _tell_taken(tables: Tables) -> None:
    """What each file is taken for, and what of it is passed over."""
    for path, one in tables.taken.items():
        place = f"{escape(path)}: " if len(tables.rows) > 1 else ""
        print(f"{place}taken as: {escape(one.words)}; {count(one.rows, 'row')}", file=sys.stderr)
    if tables.are_sites_locations:
        print("no --sites: each site is taken for the location of its name", file=sys.stderr)
    if tables.passed:
        reasons = ", ".join(f"{number:,} {escape(reason)}" for reason, number in Counter(tables.passed).most_common())
        number = count(sum(tables.passed.values()), "row")
        print(f"passed over as not in use: {number} ({reasons}); --all reads them", file=sys.stderr)


def _without_missing(problems: Sequence[Problem]) -> list[Problem]:
    """The problems but for sites without a location, for which a file is written."""
    return [one for one in problems if (one.severity, one.code) != MISSING]


def _write_sites(asked: ImportOptions, path: Path, tables: Tables, output: ImportOutput) -> bool:
    """Write the file of sites; is every location said? Raises LocationPolicyError where it may not be written."""
    is_read = asked.sites is not None and path.resolve() == asked.sites.resolve()
    if path.exists() and not is_read and not asked.overwrite:
        hint = f"name it with --sites {path} too, so that its lines stay, or add --overwrite"
        raise LocationPolicyError(f"{path} is there already", hint)
    new = {site: names for site, names in tables.sites.items() if site.casefold() not in tables.listed}
    noun = "country" if tables.are_countries else "site"
    before = (str(asked.sites), asked.sites.read_bytes()) if asked.sites else None
    replace_file(path, with_sites(*before, new) if before else sites_text(new, noun))
    left_open = sum(names is None for names in tables.sites.values())
    said = f": {count(left_open, noun)} left open" if left_open else ""
    output.tell_written(path, said)
    if left_open:
        print(f"location-policy: no row is written: the location of each {noun} is asked for", file=sys.stderr)
        left_out = "; a country that stays open is left out" * tables.are_countries
        hint = f"write it behind the comma, and import with --sites {escape(str(path))}{left_out}"
        print(f"  hint: {hint}", file=sys.stderr)
    return not left_open


def _rows(asked: ImportOptions, tables: Tables, there: Sequence[File]) -> dict[str, bytes]:
    """The files of rows to be written; raises LocationPolicyError where one is there that may not be overwritten."""
    written: dict[str, bytes] = {}
    for path, rows in tables.rows.items():
        target = _target(path, len(tables.rows), asked.view)
        if target in written:
            raise LocationPolicyError(
                f"two files would be written as {target}", "rename one of them, or import it alone"
            )
        if rows:
            written[target] = rows_text(rows)
    taken = [file.path for file in there if file.path in written]
    if taken and not asked.overwrite:
        hint = "add --overwrite to replace it, or name another folder with --into"
        raise LocationPolicyError(f"{taken[0]} is there already", hint)
    return written


def _rules(names: Set[str], there: Sequence[File], overwrite: bool) -> dict[str, bytes]:
    """The rules with these names known; those that are there are changed only when asked to."""
    file = next((file for file in there if file.path == RULES_PATH), None)
    if file is None:
        template = (shipped("config-repo") / RULES_PATH).read_bytes()
        return {RULES_PATH: new_rules(template, sorted(names))} if names else {}
    known = _known(there)
    if not overwrite or names <= set(known):
        return {}
    try:
        return {RULES_PATH: with_known(file.content or b"", sorted({*known, *names}))}
    except ValueError as error:
        hint = "write the names into known by hand, or move the file away"
        raise LocationPolicyError(f"{RULES_PATH} cannot be changed: {error}", hint) from None


def _known(there: Sequence[File]) -> Sequence[str]:
    return read_rules(_rules_text(there))[0].known


def _rules_text(there: Sequence[File]) -> bytes:
    """The rules of a folder; empty where it has none."""
    return next((file.content or b"" for file in there if file.path == RULES_PATH), b"")


def _unsettled(tables: Tables, there: Sequence[File]) -> list[str]:
    """The names that are nearly another, and not known yet: each is a slip, or a location of its own."""
    known = _known(there)
    settled = [name for name in tables.names() if name not in known and name not in tables.near]
    near = {*tables.near, *(name for name, _ in near_misses([*known, *settled]))}
    return sorted(near.difference(known))


def _tell_unsettled(names: Sequence[str]) -> None:
    listed = ", ".join(map(name_text, names[:SHOWN])) + f" and {len(names) - SHOWN:,} more" * (len(names) > SHOWN)
    print(f"location-policy: not written into known: {listed}", file=sys.stderr)
    print(
        "  hint: correct the rows that name it, or add it to known; location-policy check says where", file=sys.stderr
    )


def _write(folder: Path, written: Mapping[str, bytes], output: ImportOutput) -> None:
    for path, content in written.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        replace_file(folder / path, content)
        output.tell_written(folder / path)
