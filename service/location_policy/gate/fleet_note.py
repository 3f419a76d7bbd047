"""How far a commit has come among the services that follow, for those beside the service who wait for it: hook, `pin`.

A service that is followed writes a file for itself into the folder of the push log, anew as followers come to a commit
and every few seconds, and takes it away when it has none or ends. So one that is older is of a service that was killed,
and is passed over. Without a file nothing is waited for, and nothing said.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ..text import escape, shorten
from .push_log import FOLDER, read_shared, write_shared

PREFIX = "followers-"
"""What the name of a file begins with; the id of its service follows."""
REFRESH = 20.0
"""Seconds after which it is written anew, whether there is news or not."""
OLD = 90.0
"""Seconds after which it is passed over."""
PATIENCE = 5.0
"""Seconds for which a push, or a command, waits until all have a commit."""
STEP = 0.05
MOST = 8
"""Files that are read: more services do not serve one repository."""
LARGEST = 4096
"""Characters of a file that is taken."""
MOST_LINES = 5
"""Followers of which it says why they are late."""
LONGEST = 400
"""Characters of a line that says of a follower why it is late."""


class FleetNote(NamedTuple):
    """Which commit is in force at a service, and how many of those that follow it have it or refuse it.

    `held` says why the newest commit waits, if it does; `since` is when all had it or had refused it (Unix time), 0:
    not yet; `late` has a line for each of the first of those that have it not.
    """

    commit: str
    held: str
    at: int
    refused: int
    total: int
    since: float
    late: Sequence[str]

    @property
    def is_known(self) -> bool:
        """Is nothing more to be waited for?"""
        return self.at + self.refused >= self.total


def write_note(directory: Path, service: str, note: FleetNote) -> None:
    """Write it for the repository in this directory; raises OSError."""
    commit, held, at, refused, total, since, late = note
    words = (commit, held, str(at), str(refused), str(total), f"{since:.3f}", *(shorten(one, LONGEST) for one in late))
    write_shared(directory, f"{PREFIX}{service}", "\t".join(words).encode())


def remove_note(directory: Path, service: str) -> None:
    """Take it away, and with it those of services that were killed long ago."""
    for path in (directory / FOLDER).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if path.name == f"{PREFIX}{service}" or not _is_new(path):
                path.unlink()


def read_notes(directory: Path) -> list[FleetNote]:
    """Those of the services that run, and are followed."""
    found = []
    for path in sorted((directory / FOLDER).glob(f"{PREFIX}*"))[:MOST]:
        with suppress(OSError, ValueError):
            if _is_new(path):
                found.append(_parse(read_shared(path).decode()))
    return found


def wait_for_followers(directory: Path, commit: str, began: float, *, heeds_pin: bool = False) -> Iterator[str]:
    """Wait until those that follow have a commit, for `PATIENCE` at most; what to say of it, line by line.

    `began` is when it was to be put in force (Unix time). With `heeds_pin` nothing is waited for while another commit
    is pinned; who has just pinned or unpinned does not ask for that.
    """
    until = time.monotonic() + PATIENCE
    while notes := read_notes(directory):
        here = [note for note in notes if note.commit == commit]
        held = next((note.held for note in notes if note.held and note not in here), "") if heeds_pin else ""
        is_over = time.monotonic() >= until
        if held or is_over or all(note.commit == commit and note.is_known for note in notes):
            return _words(notes, here, held, began)
        time.sleep(STEP)
    return iter(())


def _words(notes: Sequence[FleetNote], here: Sequence[FleetNote], held: str, began: float) -> Iterator[str]:
    if held:
        yield f"not active yet: {held}"
        return
    took = time.time() - began
    if not here:
        yield f"not active after {took:.1f} s: {notes[0].commit[:10] or 'no commit'} is"
        return
    if all(note.is_known for note in notes):
        took = max(0.0, max(note.since for note in here) - began)
    total = sum(note.total for note in notes)
    replicas = "replica" if total == 1 else "replicas"
    yield f"active at {sum(note.at for note in here):,} of {total:,} {replicas} after {took:.1f} s"
    for note in here:
        yield from (f"  {line}" for line in note.late)


def _is_new(path: Path) -> bool:
    return abs(time.time() - path.stat(follow_symlinks=False).st_mtime) < OLD


def _parse(text: str) -> FleetNote:
    """What is written there; raises ValueError. Others may write there too, so it is shown escaped and no longer."""
    if len(text) > LARGEST:
        raise ValueError("it is too large")
    commit, held, at, refused, total, since, *late = map(escape, text.split("\t"))
    return FleetNote(commit, held, int(at), int(refused), int(total), float(since), tuple(late[:MOST_LINES]))
