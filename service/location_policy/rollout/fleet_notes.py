"""Keep what hooks and commands beside the service are told of its followers: in a thread, so that no answer waits."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ..fleet.fleet import Fleet
from ..fleet.followers import Follower
from ..gate.fleet_note import REFRESH, FleetNote, remove_note, write_note
from .state import ActiveState

PAUSE = 0.05
"""Seconds between two files: a thousand followers that come at once are twenty."""
ENDING = 1.0
"""Seconds that the last file may take to go."""

log = logging.getLogger(__name__)


class FleetNotes:
    """Writes a note for the repository in this directory whenever `tell` has been called, and now and then."""

    def __init__(self, directory: Path, fleet: Fleet, active: ActiveState) -> None:
        self.tell_upstream: Callable[[], None] = lambda: None
        """Lets the service that this one follows know of those behind: a thousand that come at once are told at most
        twenty times a second, and no answer waits for it."""
        self._directory = directory
        self._fleet = fleet
        self._active = active
        self._hint, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="fleet notes", daemon=True)
        self._last: FleetNote | None = None
        self._last_at = 0.0
        self._is_reported = False

    def start(self) -> None:
        """Begin; what a service of this id has left is taken away."""
        self._thread.start()

    def tell(self) -> None:
        """There is news; for any thread."""
        self._hint.set()

    def stop(self) -> None:
        """Nothing is told any more; a disk that does not answer is not waited for."""
        self._stop.set()
        self._hint.set()
        self._thread.join(ENDING)

    def _run(self) -> None:
        remove_note(self._directory, self._fleet.id)
        while not self._stop.is_set():
            self._hint.wait(REFRESH)
            self._hint.clear()
            try:
                self._write()
            except OSError as error:
                if not self._is_reported:
                    log.warning("a push is not told of followers: %s: %s", self._directory, error.strerror)
                self._is_reported = True
            self.tell_upstream()
            self._stop.wait(PAUSE)
        remove_note(self._directory, self._fleet.id)

    def _write(self) -> None:
        note = self._note()
        is_due = time.monotonic() - self._last_at >= REFRESH / 2
        if note is None and self._last:
            remove_note(self._directory, self._fleet.id)
        elif note and (note != self._last or is_due):
            write_note(self._directory, self._fleet.id, note)
            self._last_at = time.monotonic()
        self._last = note

    def _note(self) -> FleetNote | None:
        """What there is to say; None: there is no follower."""
        commit = self._active.commit or ""
        at, total, refused = self._fleet.followers.standing(commit)
        if not total:
            return None
        late, _ = self._fleet.followers.late(commit)
        pin = self._active.state.pin
        note = FleetNote(commit, pin.told() if pin else "", at, refused, total, 0.0, tuple(_lines(late, commit)))
        if not note.is_known:
            return note
        before = self._last
        is_same = before is not None and before.is_known and before[:5] == note[:5]
        return note._replace(since=before.since if before and is_same else time.time())


def _lines(late: list[Follower], commit: str) -> Iterator[str]:
    for one in late:
        name, refusal = one.report.name, one.report.refusal
        at = one.report.commit[:10] if one.report.commit else "nothing"
        if refusal and refusal.commit == commit:
            yield f"{name} rejects it: {refusal.problem}"
        elif one.report.commit == commit:
            named = ", ".join(f"{behind.name} ({behind.state})" for behind in one.late(commit))
            yield f"{name} has it, {one.missing(commit):,} behind it not{': ' if named else ''}{named}"
        else:
            yield f"{name} answers from {at} ({one.state})"
