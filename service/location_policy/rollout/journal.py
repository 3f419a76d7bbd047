"""What this service did with commits, and which pushes the hook refused: a line of JSON each, in the state directory.

The file is bounded: old lines go first, and those on pushes push out no others. A line that was torn by a crash is
passed over by who reads.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from io import FileIO
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from ..runtime.atomic_file import remove_abandoned, replace_file
from ..runtime.regular_file import MODE, open_regular, read_regular

FILE_NAME = "journal.jsonl"
KEPT = 10_000
"""Lines that are kept; a tenth more may stand there for a while."""
PUSHES = 1_000
"""Lines on pushes among them."""
WAITING = 1_000
"""Events that wait while nothing can be written."""
WAITING_PUSHES = 100
"""Pushes among them; those beyond are not noted."""

_MORE = ("author", "pusher", "branch", "reason", "by")
"""Fields of an event that may be empty, and are left out then."""
_OF_PUSH = b'"event": "push-refused"'

EventKind = Literal["active", "refused", "dropped", "push-refused", "pinned", "unpinned"]
_PINS: tuple[EventKind, ...] = ("pinned", "unpinned")


class Event(NamedTuple):
    """What became of one commit, and when; its author, and who has pushed it.

    `dropped`: by what was put in force in its place. For a push that the hook has
    refused also to which branch, and why. Of a pin by whom, and why; no user ends one whose time is over. What is not
    known is empty.
    """

    at: datetime
    commit: str
    kind: EventKind
    author: str = ""
    pusher: str = ""
    branch: str = ""
    reason: str = ""
    by: str = ""


class Journal:
    """Writes events; for one thread."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME
        self._known: dict[EventKind, str] | None = None
        self._pin: Event | None = None
        """The last that was pinned or unpinned."""
        self.waiting: deque[Event] = deque(maxlen=WAITING)

    def add(self, event: Event) -> None:
        """Let it wait to be written, unless it only repeats after a restart what is there already."""
        if self._known is None:
            before = _readable(self._path.parent)
            self._known = {known.kind: known.commit for known in before}
            self._pin = next((known for known in reversed(before) if known.kind in _PINS), None)
        if event.kind == "push-refused":
            if sum(one.kind == event.kind for one in self.waiting) < WAITING_PUSHES:
                self.waiting.append(event)
            return
        if self._is_repeated(event):
            return
        if event.kind in _PINS:
            self._pin = event
        if event.kind == "active":
            self._known = {}  # from here on nothing is a repetition
        self.waiting.append(event)

    def _is_repeated(self, event: Event) -> bool:
        if event.kind not in _PINS:
            return self._known is not None and self._known.get(event.kind) == event.commit
        if event.kind == "unpinned":  # at a start after which nothing is pinned, it may be over for long
            return self._pin is None or self._pin.kind == "unpinned"
        return self._pin is not None and self._pin._replace(at=event.at) == event

    def write(self) -> None:
        """Write what waits; raises OSError, and then it waits on."""
        if self.waiting:
            _append(self._path, b"".join(map(_line, self.waiting)))
            self.waiting.clear()
            _shorten(self._path)


def read(directory: Path) -> list[Event]:
    """What was written down, oldest first; raises OSError where there is no journal, or none that may be read."""
    return list(_events(read_regular(directory / FILE_NAME)))


def put_in_force(directory: Path) -> list[str]:
    """The commits that were put in force, oldest first; none where there is no journal that can be read."""
    return [event.commit for event in _readable(directory) if event.kind == "active"]


def only_refused(events: Iterable[Event]) -> set[str]:
    """The commits that were refused, and never put in force."""
    events = list(events)
    in_force = {event.commit for event in events if event.kind == "active"}
    return {event.commit for event in events if event.kind == "refused"} - in_force


def refused(directory: Path) -> set[str]:
    """The same; none where there is no journal that can be read."""
    return only_refused(_readable(directory))


def last_push(directory: Path) -> datetime | None:
    """When the last push that is written down was refused; None where none is."""
    return max((event.at for event in _readable(directory) if event.kind == "push-refused"), default=None)


def by_commit(events: Iterable[Event]) -> dict[str, list[Event]]:
    """The events of each commit."""
    found = defaultdict(list)
    for event in events:
        found[event.commit].append(event)
    return found


def _readable(directory: Path) -> list[Event]:
    try:
        return read(directory)
    except OSError:
        return []


def _events(text: bytes) -> Iterator[Event]:
    for line in text.split(b"\n"):
        with suppress(ValueError, KeyError, TypeError):  # torn, or of a version to come
            fields = json.loads(line)
            if fields["event"] in get_args(EventKind):
                more = (str(fields.get(name, "")) for name in _MORE)
                yield Event(datetime.fromisoformat(fields["at"]), str(fields["commit"]), fields["event"], *more)


def _line(event: Event) -> bytes:
    fields = {"at": event.at.isoformat(), "event": event.kind, "commit": event.commit}
    more = zip(_MORE, event[3:], strict=True)
    return json.dumps(fields | {name: known for name, known in more if known}).encode() + b"\n"


def _append(path: Path, lines: bytes) -> None:
    """All of it or nothing, as far as the disk lets us: half a line is taken back."""
    path.parent.mkdir(mode=0o750, exist_ok=True)  # no parents: a repository that was moved away must not come back
    with FileIO(open_regular(path, os.O_RDWR | os.O_APPEND | os.O_CREAT), "ab+") as file:
        _close(file)
        end = file.seek(0, os.SEEK_END)
        if end and os.pread(file.fileno(), 1, end - 1) != b"\n":
            lines = b"\n" + lines
        try:
            _write_whole(file, lines)
        except OSError:
            with suppress(OSError):
                file.truncate(end)
            raise


def _write_whole(file: FileIO, lines: bytes) -> None:
    if file.write(lines) != len(lines):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(file.fileno())


def _close(file: FileIO) -> None:
    """Let it be no wider than `MODE`, also one that an earlier version has made."""
    mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    if mode & ~MODE:
        os.fchmod(file.fileno(), mode & MODE)


def _shorten(path: Path) -> None:
    """Drop the oldest lines once there are too many."""
    lines = read_regular(path).splitlines(keepends=True)
    pushes = [at for at, line in enumerate(lines) if _OF_PUSH in line]
    if len(lines) <= KEPT + KEPT // 10 and len(pushes) <= PUSHES + PUSHES // 10:
        return
    old = set(pushes[:-PUSHES])
    kept = [line for at, line in enumerate(lines) if at not in old]
    remove_abandoned(path)
    replace_file(path, b"".join(kept[-KEPT:]))
