"""`location-policy pexip`: a working copy and a Management Node, held against each other."""

from __future__ import annotations

import gzip
import json
import os
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path
from typing import NamedTuple

from ...config.files import RULES_PATH, File
from ...config.known_names import with_known
from ...config.location_names import is_name
from ...config.policy_toml import Rules, read_rules
from ...errors import InvalidConfiguration, LocationPolicyError, NoAnswer
from ...gate.messages import tell_commit
from ...integrations.http_client import Login, trust
from ...integrations.pexip.call_check import RESULTS, CallCheck, Report
from ...integrations.pexip.logged_subnets import LoggedSubnets
from ...integrations.pexip.manager_api import Manager, SystemLocation
from ...integrations.pexip.name_check import Mismatch, name_mismatches, twins
from ...integrations.pexip.node_check import node_mismatches
from ...integrations.pexip.platform import ask_platform
from ...integrations.pexip.profile_check import profile_mismatches
from ...integrations.server_url import MANAGER, parse_origin
from ...plan.as_json import Fields
from ...problems import Problems, errors_in
from ...repository.working_copy import read_folder
from ...runtime.atomic_file import replace_file
from ...text import count, escape, moment_text, quote
from ..environment import MANAGER_PASSWORD
from ..terminal.default_paths import said_state
from ..terminal.exit_status import NO, NOT_ASKED, tell
from ..terminal.progress import Progress
from .lookup import MapPlace, load_asked

CALLS_TOLD = 500
"""Calls after which a terminal is told how many there are."""


class ManagerOptions(NamedTuple):
    """Which Management Node is asked, and by whom."""

    manager: str
    user: str
    password_file: Path | None
    ca: Path | None
    seconds: float
    allow_http: bool
    as_json: bool = False


def locations(asked: ManagerOptions, folder: Path | None, *, writes: bool) -> int:
    """Print the names of all locations, or with a folder what differs there, or write them there; the exit status."""
    files = None if folder is None else read_folder(folder)
    with Progress() as progress:
        there = _names(_connect(asked, progress).locations())
    if folder is None or files is None:
        print(json.dumps({"locations": there}) if asked.as_json else "\n".join(map(escape, there)))
        return 0
    rules = _rules(files)
    written: Fields = {}
    if writes:
        files, written = _write(folder, files, rules, there, as_json=asked.as_json)
        rules = _rules(files)
    elif not rules.known:
        _warn(f"{RULES_PATH} says nothing of known, so any name passes the hook", "--into FOLDER writes it")
    found = list(name_mismatches(files, rules, there))
    return _tell(asked, found, {"locations": there, **written}, count(len(there), "location"))


def preflight(asked: ManagerOptions, folder: Path, locations: Sequence[str], profile: str | None) -> int:
    """Print what is wrong with names, nodes and profiles; the exit status."""
    files = read_folder(folder)
    rules = _rules(files)
    with Progress() as progress:
        platform = ask_platform(_connect(asked, progress))
    there, profiles = platform.locations, platform.profiles
    found = [
        *name_mismatches(files, rules, _names(there)),
        *node_mismatches(files, rules, platform),
        *profile_mismatches(there, profiles, locations, profile),
    ]
    facts: Fields = {"locations": [one.name for one in there], "profiles": [one.name for one in profiles]}
    return _tell(asked, found, facts, f"{count(len(there), 'location')}, {count(len(profiles), 'policy profile')}")


def calls(
    asked: ManagerOptions,
    folder: Path,
    repository: Path | None,
    revision: str | None,
    since: datetime,
    logs: Sequence[Path],
) -> int:
    """Print whether the answers for calls that ended since then were obeyed; the exit status."""
    try:
        snapshot, head = load_asked(MapPlace(folder, repository, said_state(), revision))
    except InvalidConfiguration as error:
        tell(error)
        return NOT_ASKED
    logged = LoggedSubnets(_lines(logs), since)
    if logged.passed_over:
        _warn(f"{count(logged.passed_over, 'line')} of --log are not of a decision log", "name what serve writes")
    until = datetime.now(UTC)
    with Progress() as progress:
        manager = _connect(asked, progress)
        check = CallCheck(snapshot, ask_platform(manager), logged)
        for number, call in enumerate(manager.calls(since, until), 1):
            check.take(call)
            if number % CALLS_TOLD == 0:
                progress.say(f"{count(number, 'call')} read")
    report, commit = check.report, snapshot.commit
    if asked.as_json:
        times = {"since": moment_text(since), "until": moment_text(until)}
        print(json.dumps({"commit": commit and commit.id, **times, **report.fields(), **head}))
    else:
        compared = tell_commit(commit) if commit else f"the files in {escape(str(folder))}"
        print(f"{compared}, and {count(report.total, 'call')} that ended since {moment_text(since)}:")
        print(*_report_lines(report), sep="\n")
    return NO if report.ignored else 0


def _report_lines(report: Report) -> Iterator[str]:
    numbers = [(calls, result, meaning) for result, meaning in RESULTS.items() if (calls := report.counts[result])]
    width = len(f"{report.total:,}")
    for calls, result, meaning in numbers:
        if meaning:
            yield f"  {calls:{width},}  {result}: {meaning}"
        for reason, unknown in report.unknown.most_common() if not meaning else ():
            yield f"  {unknown:{width},}  {result}: {reason}"
    yield from map(str, report.mismatches())


def _lines(logs: Sequence[Path]) -> Iterator[bytes]:
    """The lines of decision logs, as written or compressed by gzip; a file that is neither has lines that are none."""
    for path in logs:
        with path.open("rb") as file:
            is_packed = file.peek(2)[:2] == b"\x1f\x8b"
            try:
                with gzip.open(file) if is_packed else nullcontext(file) as lines:
                    yield from lines
            except (EOFError, zlib.error, gzip.BadGzipFile):
                raise NoAnswer(f"{path} is cut, or damaged", "leave it out, or pack it anew") from None


def _connect(asked: ManagerOptions, progress: Progress) -> Manager:
    origin = parse_origin(asked.manager, MANAGER, allow_http=asked.allow_http)
    context = trust(asked.ca)
    login = Login(_user(asked.user), _password(asked))
    progress.say(f"asking {origin}")
    return Manager(origin, login, context, time.monotonic() + asked.seconds, progress.say)


def _user(user: str) -> str:
    if ":" in user or not user.isprintable():
        raise NoAnswer(f"{quote(user)} cannot be a user: it has a colon or a control character")
    return user


def _password(asked: ManagerOptions) -> str:
    """From the file, else from the environment, else asked for on a terminal; never empty."""
    if asked.password_file:
        password, place = _first_line(asked.password_file), str(asked.password_file)
    elif MANAGER_PASSWORD in os.environ:
        password, place = os.environ.pop(MANAGER_PASSWORD), MANAGER_PASSWORD
    elif sys.stdin.isatty():
        password, place = _ask(asked), "what was typed"
    else:
        raise NoAnswer("no password is given", f"--password-file FILE, or {MANAGER_PASSWORD} in the environment")
    if not password:
        raise NoAnswer(f"the password is empty: {place}")
    return password


def _first_line(path: Path) -> str:
    try:
        return path.read_bytes().partition(b"\n")[0].removesuffix(b"\r").decode()
    except ValueError:
        raise NoAnswer(f"{path} is not a password in UTF-8") from None


def _ask(asked: ManagerOptions) -> str:
    try:
        return getpass(f"password of {escape(asked.user)} at {escape(asked.manager)}: ")
    except (EOFError, KeyboardInterrupt):
        print(file=sys.stderr)
        raise NoAnswer("nothing was asked") from None


def _rules(files: Sequence[File]) -> Rules:
    """Raises InvalidConfiguration where they cannot be used."""
    rules, problems = read_rules(_rules_text(files))
    if errors_in(problems):
        raise InvalidConfiguration(Problems(problems))
    return rules


def _rules_text(files: Sequence[File]) -> bytes:
    return next((file.content for file in files if file.path == RULES_PATH and file.content is not None), b"")


def _names(locations: Sequence[SystemLocation]) -> list[str]:
    """The names that a map can have; a warning for each other one, and for those that are easily mistaken."""
    names = sorted(location.name for location in locations)
    for name in names:
        if not is_name(name):
            _warn(f"no row can name the location {name!r}", "rename it in Platform > Locations")
    for first, second in twins(names):
        _warn(f"{quote(first)} and {quote(second)} differ only in case", "rename one in Platform > Locations")
    return [name for name in names if is_name(name)]


def _write(
    folder: Path, files: Sequence[File], rules: Rules, there: Sequence[str], *, as_json: bool
) -> tuple[list[File], Fields]:
    """Put the names into known, and say which came and went; the files as they are then, and what was done."""
    path, old = folder / RULES_PATH, _rules_text(files)
    try:
        new = with_known(old, there)
    except ValueError as error:
        raise LocationPolicyError(f"{path} cannot be changed: {error}", "write known on a line of its own") from None
    differ = sorted(set(there) ^ set(rules.known)) if new != old else []
    added, removed = [name for name in differ if name in there], [name for name in differ if name not in there]
    if new != old:
        replace_file(path, new)
    if not as_json:
        for name in differ:
            print(f"{'added' if name in there else 'removed'} {escape(quote(name))}")
        print(f"{escape(str(path))} knows them all" if new == old else f"wrote {escape(str(path))}")
    others = [file for file in files if file.path != RULES_PATH]
    return (
        [*others, File(RULES_PATH, "file", len(new), RULES_PATH, new)],
        {"written": new != old, "added": added, "removed": removed},
    )


def _tell(asked: ManagerOptions, found: Sequence[Mismatch], facts: Fields, summary: str) -> int:
    errors = sum(mismatch.severity == "error" for mismatch in found)
    if asked.as_json:
        print(json.dumps({**facts, "problems": [mismatch.fields() for mismatch in found]}))
    else:
        for mismatch in found:
            print(mismatch)
        print(f"{summary}: {count(errors, 'error') if errors else 'no problem'}", file=sys.stderr)
    return NO if errors else 0


def _warn(message: str, hint: str) -> None:
    print(f"location-policy: warning: {escape(message)}\n  hint: {escape(hint)}", file=sys.stderr)
