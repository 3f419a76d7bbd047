"""`location-policy lookup`: the answers for an address or a subnet, or the rows that lead to a location; and where they
stand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ...config.validate import load_map
from ...errors import InvalidConfiguration, NoAddress
from ...history.commit_text import answer_text
from ...lookup import decision
from ...lookup.answers import Answer
from ...lookup.as_json import leading_fields, subnet_fields
from ...lookup.asked import EXAMPLE, is_host, parse_asked, require_name
from ...lookup.leading_rows import all_location_names, leading_rows
from ...lookup.passed_views import rowless_text, view_lines
from ...lookup.query_string import Pairs, clean
from ...lookup.snapshot import Snapshot, build_snapshot
from ...lookup.subnet_answers import SubnetAnswers
from ...net.addresses import Network, parse_address
from ...net.split import SplitPart, largest
from ...repository.git_dir import is_git_directory
from ...repository.repository import open_repository
from ...text import escape
from ..terminal.default_paths import asked_place
from ..terminal.exit_status import NO, NOT_ASKED, tell
from .check import CheckOptions, read
from .in_force import head_fields, load_served
from .parts_text import (
    location_lines,
    overflow_line,
    overflow_lines,
    part_line,
    placed_rows,
    rest_line,
    split_line,
    whole_lines,
)


class MapPlace(NamedTuple):
    """Where a map is: in a folder, or at a revision of a repository, with the state directory of its service."""

    folder: Path
    repository: Path | None = None
    state: Path | None = None
    revision: str | None = None


def lookup(text: str, where: MapPlace, parameters: Pairs, form: str) -> int:
    """Print the answers that calls with these parameters get from what is asked for; the exit status."""
    if not clean(text):
        parse_asked(text)
    try:
        snapshot, head = load_asked(where)
    except InvalidConfiguration as error:
        tell(error)
        return NOT_ASKED
    asked, protocol = _asked(text), parameters.first("protocol")
    if isinstance(asked, str) and not is_host(asked, protocol, all_location_names(snapshot)):
        return _location(snapshot, asked, form, head)
    answering = snapshot.answering(parameters)
    if isinstance(asked, Network):
        status = _subnet(answering, asked, protocol, form, head)
    else:
        fields = answering.rules.match.get(protocol.lower(), ("",))
        answer = decision.answer(snapshot, Pairs([*parameters, (fields[0], clean(text))]))
        if form == "text" and answer.outcome == "bad-address":
            raise NoAddress(str(answer.body["message"]), EXAMPLE)
        print(json.dumps(answer.body | head) if form == "json" else _words(answer, answering, text, protocol))
        status = 0 if answer.outcome in ("match", "default", "answer") else NO
        status = NOT_ASKED if answer.outcome == "bad-address" else status
    for line in view_lines(snapshot.rules.views, parameters) if form == "text" else ():
        print(line)
    return status


def load_asked(where: MapPlace) -> tuple[Snapshot, dict[str, Any]]:
    """What is asked; and the newest commit, as JSON, where that is refused and another is in force."""
    repository = where.repository or (where.folder if is_git_directory(where.folder) else None)
    if repository and not where.revision:
        place = asked_place(str(repository), where.state)
        with open_repository(place.repository) as opened:
            found = load_served(opened, place)
        return build_snapshot(found.location_map, found.commit), head_fields(found)
    files, commit = read(CheckOptions(where.folder, repository, where.revision))
    return build_snapshot(load_map(files), commit), {}


def _asked(text: str) -> Network | str | None:
    """A subnet, or the name of a location; None for an address, rightly written or not."""
    try:
        asked = parse_asked(text)
    except NoAddress:
        if "/" in text:
            raise
        return None
    return asked if isinstance(asked, (Network, str)) else None


def _words(answer: Answer, snapshot: Snapshot, address: str, protocol: str) -> str:
    match answer.outcome:
        case "no-opinion":
            is_host = protocol.lower() in snapshot.rules.match
            return f"no opinion: {escape(address)} is no address" if is_host else _no_opinion(snapshot, protocol)
        case "answer" | "default":
            return "\n".join(_rowless_lines(snapshot, address))
        case "no-match":
            return f"no answer: no row covers {address}"
    found = snapshot.match(parse_address(clean(address)))
    assert found is not None  # the answer is a match
    return "\n".join((answer_text(found.names), *placed_rows([found]), *overflow_lines([found])))


def _rowless_lines(snapshot: Snapshot, where: str) -> Iterator[str]:
    """What an address gets that no row covers, why, and from where its overflow locations are."""
    rules = snapshot.rules
    yield answer_text(rules.rowless)
    yield f"  {rowless_text(snapshot.view, where, is_answer=rules.answer is not None)}"
    if rules.rowless and rules.rowless_overflow_line:
        yield overflow_line(rules.rowless_overflow_line, rules.rowless[0])


def _no_opinion(snapshot: Snapshot, protocol: str) -> str:
    match = f"match of view {snapshot.view}" if snapshot.view else "[match]"
    return f"no opinion: {match} in policy.toml does not name {escape(protocol)}"


def _subnet(snapshot: Snapshot, network: Network, protocol: str, form: str, head: dict[str, Any]) -> int:
    has_opinion = protocol.lower() in snapshot.rules.match or snapshot.rules.answer is not None
    found = SubnetAnswers(snapshot, network)
    if form == "json":
        print(json.dumps(subnet_fields(snapshot, network, found if has_opinion else None) | head))
    elif not has_opinion:
        print(_no_opinion(snapshot, protocol))
    else:
        print("\n".join(_subnet_lines(found, network)))
    return 0 if has_opinion and any(part.names for part in found.parts) else NO


def _subnet_lines(found: SubnetAnswers, network: Network) -> Iterator[str]:
    if found.is_split:
        yield split_line(found, network)
        for part in largest(found.parts):
            yield f"  {part_line(part, len(network) - 1)}{_sources(found, part)}"
        yield from rest_line(len(found.parts), "part")
    elif found.parts[0].names and not found.parts[0].rows:
        yield from _rowless_lines(found.snapshot, str(network))
    else:
        yield from whole_lines(found, network)


def _sources(found: SubnetAnswers, part: SplitPart) -> str:
    if not part.rows:
        return ""
    first, more = found.match(part.rows[0]), len(part.rows) - 1
    place = f"{escape(first.path)}:{first.line}"
    return f"  ({place} and {more:,} more)" if more else f"  ({place})"


def _location(snapshot: Snapshot, name: str, form: str, head: dict[str, Any]) -> int:
    require_name(name, all_location_names(snapshot))
    found = [(one, leading_rows(one, name)) for one in snapshot.maps]
    told = [(one, rows) for one, rows in found[1:] if any(rows)]
    if form == "json":
        views = {one.view: leading_fields(one, name, rows) for one, rows in told}
        print(json.dumps(leading_fields(snapshot, name, found[0][1]) | ({"views": views} if views else {}) | head))
    else:
        print("\n".join(location_lines(snapshot, name, found[0][1])))
        for one, rows in told:
            print(f"in view {one.view}:")
            print("\n".join(f"  {line}" for line in location_lines(one, name, rows)))
    return 0 if any(any(rows) for _, rows in found) else NO
