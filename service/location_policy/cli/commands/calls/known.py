"""Calls that are named to a command: decision logs, files of calls, or a service that remembers some."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from ....calls.aggregate import FORMAT, LARGEST, Aggregate, read_aggregate
from ....calls.history_file import Remembered
from ....calls.log_reader import LoggedCalls
from ....calls.moved import ListedCalls
from ....calls.recent import summed, today
from ....errors import NoAnswer, UnusableCalls
from ....integrations.http_client import Question, ask, trust
from ....text import count
from ...terminal.progress import Progress
from ...terminal.service_access import ServiceAccess

PATH = "/api/v1/calls"
SECONDS = 30.0
"""How long an answer may take."""
_HEAD = 4096
"""Bytes at the beginning of a file by which it is known what it is."""
_REPORT = re.compile(rb'"by_answer"\s*:')
"""What an answer of the API has before its table of calls, which may come later than these bytes."""
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def known_calls(sources: Sequence[str], access: ServiceAccess, progress: Progress) -> ListedCalls:
    """The calls of all that is named; raises UnusableCalls and NoAnswer."""
    logged, logs, told = LoggedCalls(_EVER), list[str](), list[Aggregate]()
    for source in sources:
        progress.say(f"reading calls from {source}")
        if source.startswith(("http://", "https://")):
            told.append(_asked(source, access))
        elif _is_aggregate(Path(source)):
            told.append(read_aggregate(_content(Path(source)), source))
        else:
            logs.append(source)
            logged.read(Path(source))
    logged.check(", ".join(logs))
    if logged.passed_over:
        progress.note(f"location-policy: {passed_over_text(logged)}")
    of_logs = logged.remembered()
    found = summed([*of_logs, *(one for part in told for one in part.found)])
    since = min([*(part.since for part in told), *_days(of_logs)], default=today())
    return ListedCalls(found, since, (today() - since).days + 1, sum(part.left_out for part in told))


def passed_over_text(logged: LoggedCalls) -> str:
    """How many lines told nothing."""
    return f"{count(logged.passed_over, 'line')} of {logged.lines:,} are none of a decision log"


def _days(found: Iterable[Remembered]) -> Iterator[date]:
    return (date.fromordinal(last) for _, _, last in found)


def _asked(url: str, access: ServiceAccess) -> Aggregate:
    origin = access.origin(url.partition(PATH)[0], "--calls")
    question = Question(f"{PATH}?situations=yes", access.login(), most=LARGEST)
    reply = ask(origin, question, trust(access.ca), SECONDS)
    if reply.status in (401, 403):
        raise NoAnswer(f"{origin} shows calls to viewers only: status {reply.status}", "name one: --user NAME")
    if reply.status != 200:
        raise NoAnswer(f"{origin} does not tell calls: status {reply.status}", "is it a service of this version?")
    return read_aggregate(reply.body, str(origin))


def _is_aggregate(path: Path) -> bool:
    """Is it a file of calls? A pipe is a log, and is read once."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False  # who reads it as a log says why it cannot be
    is_table = f'"{FORMAT}"'.encode() in head or _REPORT.search(head) is not None
    return is_table or (head.startswith(b"{") and b'"outcome"' not in head)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise UnusableCalls(f"{path} cannot be read: {error.strerror}") from None
