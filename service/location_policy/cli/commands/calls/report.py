"""`location-policy calls`: the report on calls, from decision logs or from what a service remembers."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from ....calls.history_file import Remembered, UnusableHistory, read_history
from ....calls.log_reader import LoggedCalls
from ....calls.recent import first_day, history_files, summed
from ....calls.remembered import history_directory
from ....calls.report import make_report
from ....calls.report_text import report_csv, report_fields, report_lines
from ....config.validate import load_map
from ....errors import InvalidConfiguration, NotARepository, UnusableCalls
from ....gate.messages import tell_commit
from ....lookup.snapshot import Snapshot, build_snapshot
from ....repository.remote.url import is_url
from ....repository.repository import open_repository
from ....text import count, moment_text
from ...terminal.default_paths import asked_place, asked_state
from ...terminal.exit_status import NOT_ASKED, tell
from ..in_force import load_served
from .known import passed_over_text

CallsForm = Literal["text", "json", "csv"]


_Found = tuple[date, list[Remembered], Mapping[tuple[str, str], int] | None]
"""From which day on calls are known, these, and the bad addresses by node, where these are known."""


class CallsOptions(NamedTuple):
    """What is asked: decision logs, or none for what the service of a repository remembers."""

    logs: Sequence[Path]
    repo: str | None
    revision: str | None
    state_dir: Path | None
    since: datetime
    at_least: int
    form: CallsForm
    tells_all: bool


def report_calls(asked: CallsOptions) -> int:
    """Print the report; the exit status."""
    try:
        snapshot = _snapshot(asked)
    except InvalidConfiguration as error:
        tell(error)
        return NOT_ASKED
    since, found, bad_by_node = _logged(asked) if asked.logs else _remembered(asked)
    report = make_report(found, since, snapshot, asked.at_least, bad_by_node)
    if asked.form == "json":
        commit = snapshot.commit.id if snapshot and snapshot.commit else None
        print(json.dumps({"commit": commit, **report_fields(report, *_all(asked))}))
    elif asked.form == "csv":
        print(*report_csv(report, *_all(asked)), sep="\n")
    else:
        print(*report_lines(report, *_all(asked)), sep="\n")
        if snapshot and snapshot.commit:
            _note(f"held against {tell_commit(snapshot.commit)}")
    return 0


def _all(asked: CallsOptions) -> tuple[None, ...]:
    """The number of which so many are told, where it is not the usual one."""
    return (None,) if asked.tells_all else ()


def _snapshot(asked: CallsOptions) -> Snapshot | None:
    """The map of what is named, or of what is served; None where logs are read and there is none."""
    try:
        place = asked_place(asked.repo, asked.state_dir)
    except NotARepository:
        if asked.repo or asked.revision or not asked.logs:
            raise
        _note("no map is known here, so neither rows nor views are told: name one by --repo")
        return None
    with open_repository(place.repository) as repository:
        if asked.revision:
            commit = repository.find_commit(asked.revision)
            return build_snapshot(load_map(repository.files_of(commit)), commit)
        found = load_served(repository, place)
        return build_snapshot(found.location_map, found.commit)


def _logged(asked: CallsOptions) -> _Found:
    logged = LoggedCalls(asked.since)
    for path in asked.logs:
        logged.read(path)
    logged.check(", ".join(map(str, asked.logs)))
    if logged.passed_over:
        _note(passed_over_text(logged))
    if logged.earlier:
        _note(f"{count(logged.earlier, 'line')} of {logged.lines:,} are from before {moment_text(asked.since)}")
    return logged.first_day, logged.remembered(), logged.bad_by_node


def _remembered(asked: CallsOptions) -> _Found:
    """What services remember from the first day on, which is told whole; raises UnusableCalls where none does."""
    state = _state(asked)
    paths = history_files(state)
    if not paths:
        raise UnusableCalls(f"no calls are remembered in {state}", "name decision logs, or let serve run on")
    found, since = list[Remembered](), asked.since.date()
    for path in paths:
        try:
            found += read_history(path, since.toordinal())
        except UnusableHistory as error:
            raise UnusableCalls(f"{path} cannot be read: {error}") from None
    first = first_day(state)
    return max(since, date.fromordinal(first)) if first else since, summed(found), None


def _state(asked: CallsOptions) -> Path:
    """Where the service of what is named keeps its state: as asked for, or as the repository says."""
    state = asked_state(asked.repo, asked.state_dir)
    if asked.state_dir or not asked.repo or is_url(asked.repo):
        return state
    with open_repository(asked_place(asked.repo).repository) as repository:
        return history_directory(repository.directory, repository.settings())


def _note(text: str) -> None:
    print(f"location-policy: {text}", file=sys.stderr)
