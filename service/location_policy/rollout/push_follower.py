"""Follow the log of pushes: count them, and tell of those that were not taken, in the log and in the journal.

Hooks write it, and it says what there was while no service ran. A pusher who is refused without end fills neither log
nor journal: of each a few are told in a minute, and how many more there were.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ..gate.push_log import Push, read_log, stamp
from .state import ActiveState

TOLD, TOLD_OF_ONE = 20, 5
"""Pushes that are told in a minute, of all pushers and of one."""
MINUTE = 60.0

log = logging.getLogger(__name__)


class PushFollower:
    """Reads what hooks write; for one thread."""

    def __init__(
        self, active: ActiveState, note: Callable[[Push], None], noted_until: Callable[[], datetime | None]
    ) -> None:
        """`note` puts a push into the journal, which has those until `noted_until`; it is read once, when one comes."""
        self._active = active
        self._note = note
        self._noted_until = noted_until
        self._known_until: datetime | None = None
        self._seen: object = None
        self._told = Counter[str]()
        self._untold = 0
        self._minute = -MINUTE

    def look(self, directory: Path) -> None:
        """Take up what was written to the log of this repository since the last look."""
        self._begin_minute()
        found = stamp(directory)
        if found == self._seen:
            return
        self._seen = found
        pushes = read_log(directory)
        self._active.pushes = dict(pushes.totals)
        if not pushes.pushes:
            return
        known_until = self._known_until or self._noted_until() or datetime.min.replace(tzinfo=UTC)
        for push in pushes.pushes:
            if push.at > known_until:
                self._tell(push)
        self._known_until = max(known_until, pushes.pushes[-1].at)

    def _begin_minute(self) -> None:
        if time.monotonic() < self._minute + MINUTE:
            return
        if self._untold:
            log.warning("refused pushes more=%d", self._untold)
        self._minute, self._untold = time.monotonic(), 0
        self._told.clear()

    def _tell(self, push: Push) -> None:
        if self._told.total() >= TOLD or self._told[push.by] >= TOLD_OF_ONE:
            self._untold += 1
            return
        self._told[push.by] += 1
        more = f" (and {len(push.reasons) - 1} more)" if len(push.reasons) > 1 else ""
        told = "refused push by=%s branch=%s commit=%s author=%s times=%d: %s"
        why = (push.reasons[0] if push.reasons else "") + more
        log.warning(told, push.by, push.branch, push.commit, push.author, push.times, why)
        self._note(push)
