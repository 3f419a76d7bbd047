"""Reload files that have changed: looked at every second, and at once at SIGHUP."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import Protocol

INTERVAL = 1.0
"""Seconds between two looks."""


log = logging.getLogger(__name__)


class ReloadCheck(Protocol):
    """Reads again what has changed, and never raises; `asked`: by the administrator, who wants to know."""

    def __call__(self, *, asked: bool) -> None: ...


class Reloader:
    """Calls each look, in order, in a thread of its own."""

    def __init__(self, looks: Sequence[ReloadCheck], interval: float = INTERVAL) -> None:
        self._looks = looks
        self._interval = interval
        self._wake: SimpleQueue[bool] = SimpleQueue()  # its put may be called by a signal handler, Event.set may not
        self._thread = threading.Thread(target=self._run, name="reloader", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def hurry(self) -> None:
        """Look now; may be called by a signal handler."""
        self._wake.put(True)

    def stop(self) -> None:
        """Look no more."""
        self._wake.put(False)
        self._thread.join()

    def _run(self) -> None:
        is_going, asked = True, False
        while is_going:
            for look in self._looks:
                look(asked=asked)
            if asked:
                log.info("SIGHUP: users, roles and certificates were read again, and the source is looked at")
            try:
                is_going = asked = self._wake.get(timeout=self._interval)
            except Empty:
                asked = False
