"""Watch a repository for refs that move, and look at the source when one does.

The watch is only a hint, and a tick makes up for what it misses: refs are replaced by rename, a file system may report
nothing, a folder that is moved away goes silent. On every wake-up, the look finds out what is true.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from watchfiles import watch

TICK = 1.0
"""Seconds between two looks at the source when nothing is reported."""
STEP = 30
DEBOUNCE = 0
"""Milliseconds that watchfiles sleeps between two looks at what was reported, and that it waits for more of it.

It cannot wait without waking: it sees a report at the end of a step, and tells it at the end of the next. Measured, for
one thread: 20 ms cost 0.23 % of a core and tell after 32 ms, 30 cost 0.16 % and tell after 45, 50 cost 0.10 % and tell
after 83. To wait for more would only be slower, since a look that finds nothing costs next to nothing.
"""
_LOCK = ".lock"
"""How the name ends of a file that git writes before it takes the place of another, which is reported as well."""

Identity = tuple[int, int]

log = logging.getLogger(__name__)


class Watcher:
    """Calls `look`, which never raises, in a thread of its own: at once, then on every hint and every tick.

    `folders` are those that are watched, by themselves and not what is below them; they may be others as time goes by.
    """

    def __init__(
        self,
        directory: Path,
        look: Callable[[], None],
        folders: Callable[[], Iterable[Path]],
        tick: float = TICK,
    ) -> None:
        self._directory = directory
        self._look = look
        self._folders = folders
        self._tick = tick
        self._hint = threading.Event()
        self._has_looked = threading.Event()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._follow, name="watcher", daemon=True),
            threading.Thread(target=self._watch, name="watch", daemon=True),
        ]

    def start(self) -> None:
        """Begin to follow."""
        for thread in self._threads:
            thread.start()

    def wait_for_look(self, seconds: float) -> None:
        """Wait for the end of the first look, at most so many seconds."""
        self._has_looked.wait(seconds)

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
            self._look()
            self._has_looked.set()
            self._hint.wait(self._tick)

    def _watch(self) -> None:
        """Watch the folders; when one goes or is replaced, or others count, watch what counts then."""
        is_reported = False
        while not self._stop.is_set():
            try:
                self._watch_once(_identified(self._folders()))
            except FileNotFoundError:
                pass  # it went just now, and may come back
            except (OSError, RuntimeError) as error:  # RuntimeError: watchfiles' own, with which it gives up
                if not is_reported:
                    log.warning("not watched folder=%s, looked at every %.0f s: %s", self._directory, self._tick, error)
                is_reported = True
                self._stop.wait(self._tick)

    def _watch_once(self, folders: Mapping[Path, Identity]) -> None:
        if not folders:
            self._stop.wait(self._tick)
            return
        for changes in watch(
            *folders,
            watch_filter=None,
            debounce=DEBOUNCE,
            step=STEP,
            stop_event=self._stop,
            rust_timeout=int(self._tick * 1000),
            yield_on_timeout=True,
            recursive=False,
            raise_interrupt=False,
        ):
            if not all(path.endswith(_LOCK) for _, path in changes):  # else a look that cannot write wakes itself
                self._hint.set()
            if _identified(self._folders()) != folders:
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


def _identified(folders: Iterable[Path]) -> dict[Path, Identity]:
    """Those of the folders that are there, and which they are."""
    found = {}
    for folder in folders:
        with suppress(OSError):
            status = folder.stat()
            found[folder] = (status.st_dev, status.st_ino)
    return found
