"""Who wrote the rows that answer: those of an address with the rows that they beat, those of a subnet, and those that
lead to a location.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, cast

from ..config.commit import Commit
from ..config.files import RULES_PATH
from ..config.location_map import LocationMap
from ..config.row import Row
from ..config.toml_positions import key_place
from ..config.views.view import View
from ..gate.push_notes import with_pushers
from ..lookup.answers import Match
from ..lookup.as_json import leading_fields, subnet_fields
from ..lookup.leading_rows import LeadingRows, leading_rows
from ..lookup.snapshot import Snapshot, build_snapshot, shown_path
from ..lookup.subnet_answers import SubnetAnswers
from ..net.addresses import Address, Network, format_address
from ..net.ranges import Names
from ..net.split import LISTED, largest
from ..plan.as_json import Fields, answer_fields
from ..repository.repository import Repository
from ..repository.signing_policy import signature_rule
from .commit_text import commit_fields

Found = tuple[str, int, Row]
"""A row, with its path and its line."""
WrittenAt = tuple[str, int]
"""A path and a line."""


class Writer(NamedTuple):
    """The commit that wrote a line; an earlier one perhaps, where `is_cut`: a shallow history begins with it."""

    commit: Commit
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Blame:
    """The answer for an address, where it stands, and who wrote that; all absent where there is no answer."""

    address: Address
    asked: Commit
    rows: list[Found]
    """Those that hold the address, the one that answers first."""
    names: Names | None
    place: WrittenAt | None
    written: Commit | None
    """By an earlier one perhaps, where `is_cut`: a shallow history begins with it."""
    is_cut: bool
    view: View | None = None
    """What takes the call; None: the map at the top."""
    overflow: tuple[int, Writer] | None = None
    """The line of the rules that has the overflow locations, where they are those of the table, and who wrote it."""


@dataclass(frozen=True, slots=True)
class SubnetBlame:
    """The answers of a subnet, and who wrote the rows of the largest parts: of a split subnet the first of each."""

    network: Network
    asked: Commit
    answers: SubnetAnswers
    writers: Mapping[WrittenAt, Writer]
    view: View | None
    default: WrittenAt
    """Where the default stands, or the answer of a view, if there is one."""


@dataclass(frozen=True, slots=True)
class LocationBlame:
    """The rows that lead to a location, and who wrote the first of them."""

    name: str
    asked: Commit
    snapshot: Snapshot
    rows: LeadingRows
    writers: Mapping[WrittenAt, Writer]


def blame(repository: Repository, commit: Commit, location_map: LocationMap, address: Address) -> Blame:
    """Who is to be asked about the answer for an address, by the map of a commit, or of a view of it."""
    rules, view = location_map.rules, location_map.view
    found = location_map.rows_at(address)
    rows = [(path, line, row._replace(names=rules.with_overflow(row.names))) for path, line, row in found]
    if rows:
        path, line, row = rows[0]
        names, at = row.names, rules.overflow_line(found[0][2].names)
    elif rules.rowless:
        (path, line), names = _rowless_place(repository, commit, view), rules.rowless
        at = rules.rowless_overflow_line
    else:
        return Blame(address, commit, rows, None, None, None, is_cut=False, view=view)
    written, is_cut = writer(repository, commit, path, line)
    overflow = (at, writer(repository, commit, RULES_PATH, at)) if at else None
    return Blame(address, commit, rows, names, (path, line), written, is_cut, view, overflow)


def blame_subnet(repository: Repository, commit: Commit, location_map: LocationMap, network: Network) -> SubnetBlame:
    """Who is to be asked about the answers of a subnet, by the map of a commit."""
    answers = SubnetAnswers(build_snapshot(location_map, commit), network)
    rows = [row for part in largest(answers.parts) for row in part.rows[: 1 if answers.is_split else LISTED]]
    default = _rowless_place(repository, commit, location_map.view) if location_map.rules.rowless else (RULES_PATH, 1)
    has_default = any(part.names and not part.rows for part in answers.parts)
    matches = [answers.match(row) for row in rows]
    places = [*_places(location_map, matches), *[(RULES_PATH, default)] * has_default, *_table_places(matches)]
    if has_default and (at := location_map.rules.rowless_overflow_line):
        places.append((RULES_PATH, (RULES_PATH, at)))
    return SubnetBlame(network, commit, answers, writers(repository, commit, places), location_map.view, default)


def blame_location(repository: Repository, commit: Commit, location_map: LocationMap, name: str) -> LocationBlame:
    """Who wrote the rows that lead to a location, by the map of a commit."""
    snapshot = build_snapshot(location_map, commit)
    rows = leading_rows(snapshot, name)
    matches = [snapshot.match_at(at) for at in (*rows.as_location[:LISTED], *rows.as_overflow[:LISTED])]
    found = writers(repository, commit, [*_places(location_map, matches), *_table_places(matches)])
    return LocationBlame(name, commit, snapshot, rows, found)


def writer(repository: Repository, commit: Commit, path: str, line: int) -> Writer:
    """The commit that wrote a line as it is in `commit`, and whether a shallow history begins with it."""
    (found,) = writers(repository, commit, [(path, (path, line))]).values()
    return found


def writers(repository: Repository, commit: Commit, places: Iterable[tuple[str, WrittenAt]]) -> dict[WrittenAt, Writer]:
    """The same of many lines; each place comes with the path as the repository has it."""
    by_path = defaultdict[str, dict[int, WrittenAt]](dict)
    for path, place in places:
        by_path[path][place[1]] = place
    found = {
        by_path[path][line]: written
        for path, lines in by_path.items()
        for line, written in repository.blame(commit, path, lines).items()
    }
    rule = signature_rule(repository.settings(), repository.directory)
    ids = list(dict.fromkeys(written.commit_id for written in found.values()))
    commits = dict(
        zip(ids, with_pushers(repository, rule.with_signers(repository, map(repository.commit, ids))), strict=True)
    )
    is_shallow = any(written.is_boundary for written in found.values()) and repository.is_shallow()
    return {
        place: Writer(commits[written.commit_id], written.is_boundary and is_shallow)
        for place, written in found.items()
    }


def blame_fields(found: Blame) -> Fields:
    """The same as JSON."""
    return {
        "address": format_address(found.address),
        "commit": found.asked.id,
        "answer": answer_fields(found.names),
        "subnet": str(found.rows[0][2].network) if found.rows else None,
        "source": f"{found.place[0]}:{found.place[1]}" if found.place else None,
        "written": commit_fields(found.written) if found.written else None,
        "is_cut": found.is_cut,
        **(_overflow_fields(*found.overflow) if found.overflow else {}),
        **({"view": found.view.name} if found.view else {}),
        "beaten": [_beaten(one) for one in found.rows[1:]],
    }


def _overflow_fields(line: int, written: Writer) -> Fields:
    """Where the overflow locations stand that are those of the table, and who wrote them."""
    where = {"source": f"{RULES_PATH}:{line}", "written": commit_fields(written.commit), "is_cut": written.is_cut}
    return {"overflow": where}


def subnet_blame_fields(found: SubnetBlame) -> Fields:
    """The parts of a subnet as `lookup` has them, with who wrote their rows."""
    fields = subnet_fields(found.answers.snapshot, found.network, found.answers)
    for part in fields["parts"]:
        _add_writers(part["rows"], found.writers)
    return fields


def location_blame_fields(found: LocationBlame) -> Fields:
    """The rows that lead to a location as `lookup` has them, with who wrote them."""
    fields = leading_fields(found.snapshot, found.name, found.rows)
    for rows in (fields["as_location"], fields["as_overflow"]):
        _add_writers(rows, found.writers)
    return fields


def _add_writers(rows: list[Fields], writers: Mapping[WrittenAt, Writer]) -> None:
    for row in rows:
        written = writers.get((cast("str", row["path"]), cast("int", row["line"])))
        row["written"] = commit_fields(written.commit) if written else None
        row["is_cut"] = bool(written and written.is_cut)
        if table := row.get("overflow_source"):
            at = int(cast("str", table).rpartition(":")[2])
            row["overflow_written"] = commit_fields(writers[RULES_PATH, at].commit)


def _places(location_map: LocationMap, rows: Iterable[Match]) -> Iterable[tuple[str, WrittenAt]]:
    paths = {shown_path(file.path): file.path for file in location_map.files}
    return [(paths[row.path], (row.path, row.line)) for row in rows]


def _table_places(rows: Iterable[Match]) -> Iterable[tuple[str, WrittenAt]]:
    """The lines of the table of overflow locations that rows take."""
    lines = dict.fromkeys(row.overflow_line for row in rows if row.overflow_line)
    return [(RULES_PATH, (RULES_PATH, line)) for line in lines]


def _rowless_place(repository: Repository, commit: Commit, view: View | None) -> WrittenAt:
    """Where the rules say what an address gets that no row covers."""
    text = repository.content_at(commit.tree, RULES_PATH)
    keys = ("view", str(view.number), "answer" if view.answer else "default") if view else ("answer", "default")
    return RULES_PATH, key_place(text, *keys)[0]


def _beaten(found: Found) -> Fields:
    path, line, row = found
    return {"subnet": str(row.network), "source": f"{path}:{line}", "answer": answer_fields(row.names)}
