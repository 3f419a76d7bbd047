"""`location-policy blame`: who wrote the rows that answer an address or a subnet, or that lead to a location."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from ...config.commit import Commit
from ...config.files import RULES_PATH
from ...config.location_map import LocationMap
from ...config.validate import Validator
from ...config.views.view import View
from ...errors import InvalidConfiguration
from ...history.blame import (
    Blame,
    LocationBlame,
    SubnetBlame,
    Writer,
    WrittenAt,
    blame_fields,
    blame_location,
    blame_subnet,
    location_blame_fields,
    subnet_blame_fields,
)
from ...history.blame import blame as blame_address
from ...history.commit_text import answer_text, commit_text, signer_lines
from ...lookup.asked import Asked, parse_asked, require_location
from ...lookup.passed_views import rowless_text, view_lines
from ...lookup.query_string import Pairs, value_in
from ...net.addresses import Network, format_address
from ...net.split import largest
from ...repository.maps import load_map_at
from ...repository.repository import Repository, open_repository
from ...rollout.startup_preview import Loaded
from ...text import count, escape
from ..terminal.default_paths import Place
from ..terminal.exit_status import NO, NOT_ASKED, tell
from .in_force import head_fields, load_served
from .parts_text import (
    After,
    location_lines,
    overflow_line,
    overflow_lines,
    part_line,
    placed_rows,
    rest_line,
    split_line,
    whole_lines,
)
from .signers import signers_of

AnyBlame = Blame | SubnetBlame | LocationBlame


def blame(text: str, place: Place, revision: str | None, parameters: Pairs, form: str) -> int:
    """Print who is to be asked about what calls with these parameters get; the exit status."""
    asked = parse_asked(text)
    try:
        with open_repository(place.repository) as opened:
            loaded = _load(opened, place, revision)
            signers_of(opened)  # says so where they are not known
            answering = loaded.location_map.answering(value_in(parameters))
            if isinstance(asked, str):
                require_location(asked, answering, loaded.location_map)
            found = _blame(opened, loaded.commit, answering, asked)
    except InvalidConfiguration as error:
        tell(error)
        return NOT_ASKED
    lines = [*_lines(found), *view_lines(loaded.location_map.rules.views, parameters)]
    print(json.dumps(_fields(found) | head_fields(loaded)) if form == "json" else "\n".join(lines))
    return 0 if _has_rows(found) else NO


def _load(repository: Repository, place: Place, revision: str | None) -> Loaded:
    if not revision:
        return load_served(repository, place)
    commit = repository.find_commit(revision)
    return Loaded(commit, load_map_at(repository, Validator(), commit, errors_only=True))


def _blame(repository: Repository, commit: Commit, location_map: LocationMap, asked: Asked) -> AnyBlame:
    if isinstance(asked, Network):
        return blame_subnet(repository, commit, location_map, asked)
    if isinstance(asked, str):
        return blame_location(repository, commit, location_map, asked)
    return blame_address(repository, commit, location_map, asked)


def _has_rows(found: AnyBlame) -> bool:
    match found:
        case Blame():
            return bool(found.rows)
        case SubnetBlame():
            return any(part.rows for part in found.answers.parts)
    return bool(found.rows.as_location or found.rows.as_overflow)


def _fields(found: AnyBlame) -> dict[str, object]:
    match found:
        case Blame():
            return blame_fields(found)
        case SubnetBlame():
            return subnet_blame_fields(found)
    return location_blame_fields(found)


def _lines(found: AnyBlame) -> Iterator[str]:
    match found:
        case Blame():
            return _address_lines(found)
        case SubnetBlame():
            return _subnet_lines(found)
    return location_lines(found.snapshot, found.name, found.rows, _after(found.writers))


def _after(writers: Mapping[WrittenAt, Writer]) -> After:
    """Who wrote a row, below it."""
    return lambda path, line: _writer_lines(writers[path, line], "    ")


def _address_lines(found: Blame) -> Iterator[str]:
    address = format_address(found.address)
    if found.place is None or found.written is None:
        yield f"no answer: no row covers {address}"
        return
    place = f"{escape(found.place[0])}:{found.place[1]}"
    what = found.rows[0][2].network if found.rows else _rowless(found.view, address)
    yield answer_text(found.names)
    yield f"  {place}: {what}"
    yield from _writer_lines(Writer(found.written, found.is_cut))
    if found.overflow:
        line, written = found.overflow
        yield overflow_line(line, found.names[0] if found.names else "")
        yield from _writer_lines(written)
    if found.rows[1:]:
        yield "less specific"
    yield from (
        f"  {escape(path)}:{line}: {row.network} {answer_text(row.names)}" for path, line, row in found.rows[1:]
    )


def _rowless(view: View | None, where: str) -> str:
    return rowless_text(view.name if view else None, where, is_answer=bool(view and view.answer))


def _subnet_lines(found: SubnetBlame) -> Iterator[str]:
    answers, network, after = found.answers, found.network, _after(found.writers)
    if answers.is_split:
        yield split_line(answers, network)
    elif answers.parts[0].rows or not answers.parts[0].names:
        yield from whole_lines(answers, network, after)
        return
    for part in largest(answers.parts):
        yield part_line(part, len(network) - 1) if answers.is_split else answer_text(part.names)
        if part.names and not part.rows:
            path, line = found.default
            where = str(network) if not answers.is_split else "this part"
            yield f"  {path}:{line}: {_rowless(found.view, where)}"
            yield from after(path, line)
            if at := answers.snapshot.rules.rowless_overflow_line:
                yield overflow_line(at, part.names[0])
                yield from after(RULES_PATH, at)
        first = [answers.match(row) for row in part.rows[:1]]
        yield from placed_rows(first, after)
        yield from overflow_lines(first, after)
        if part.rows[1:]:
            yield f"  … and {count(len(part.rows) - 1, 'more row')}"
    yield from rest_line(len(answers.parts), "part")


def _writer_lines(written: Writer, indent: str = "  ") -> Iterator[str]:
    yield f"{indent}{commit_text(written.commit)}"
    yield from (f"{indent}{line}" for line in signer_lines(written.commit))
    if written.is_cut:
        yield f"{indent}or an earlier commit: the repository is a shallow clone, whose history ends here"
