"""A ref moved: refresh.

The watch is only a hint, and a tick makes up for what it misses: refs are replaced by rename, a file system may report
nothing, a folder that is moved away goes silent. Whatever wakes the follower, git says what is true.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from watchfiles import watch

TICK = 1.0
"""Seconds between two looks at the source when nothing is reported."""
STEP = 20
DEBOUNCE = 200
"""Milliseconds without a further event after which a change is reported, and the longest wait for that."""

log = logging.getLogger(__name__)


class Follower:
    """Calls `refresh`, which never raises, in a thread of its own: at once, then on every hint and every tick."""

    def __init__(self, directory: Path, refresh: Callable[[], None], tick: float = TICK) -> None:
        self._refresh = refresh
        self._tick = tick
        self._hint = threading.Event()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._follow, name="follower", daemon=True)]
        for folder, recursive in ((directory, False), (directory / "refs", True), (directory / "reftable", False)):
            arguments = (folder, recursive)
            self._threads.append(threading.Thread(target=self._watch, args=arguments, name="watch", daemon=True))

    def start(self) -> None:
        """Begin to follow."""
        for thread in self._threads:
            thread.start()

    def hurry(self) -> None:
        """Look at the source now."""
        self._hint.set()

    def stop(self, timeout: float = 1.0) -> None:
        """Stop following; waits `timeout` seconds at the most for a load that has begun."""
        self._stop.set()
        self._hint.set()
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _follow(self) -> None:
        while not self._stop.is_set():
            self._hint.clear()
            self._refresh()
            self._hint.wait(self._tick)

    def _watch(self, folder: Path, recursive: bool) -> None:
        """Watch one folder; when it goes or is replaced, watch what stands in its place."""
        is_reported = False
        while not self._stop.is_set():
            try:
                self._watch_once(folder, recursive)
            except FileNotFoundError:
                pass  # it may come, or come back
            except (OSError, RuntimeError) as error:  # RuntimeError: watchfiles' own, with which it gives up
                if not is_reported:
                    log.warning("not watched folder=%s, looked at every %.0f s: %s", folder, self._tick, error)
                is_reported = True
            self._stop.wait(self._tick)

    def _watch_once(self, folder: Path, recursive: bool) -> None:
        identity = _identity(folder)
        for changes in watch(
            folder,
            watch_filter=None,
            debounce=DEBOUNCE,
            step=STEP,
            stop_event=self._stop,
            rust_timeout=int(self._tick * 1000),
            yield_on_timeout=True,
            recursive=recursive,
            raise_interrupt=False,
        ):
            if changes:
                self._hint.set()
            if _identity(folder) != identity:
                return


def watch_problem(folder: Path) -> str | None:
    """Why the system does not report what changes in a folder; None: it does."""
    stop = threading.Event()
    stop.set()
    try:
        next(iter(watch(folder, stop_event=stop, rust_timeout=1, recursive=False, raise_interrupt=False)), None)
    except (OSError, RuntimeError) as error:  # RuntimeError: as above
        return str(error)
    return None


def _identity(folder: Path) -> tuple[int, int]:
    found = folder.stat()
    return found.st_dev, found.st_ino
