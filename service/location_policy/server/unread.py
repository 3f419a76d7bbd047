"""The memory that answers take which their clients have not read, bounded for all connections together.

An answer is in memory until its last byte has gone, and a client may take long for it. Where all together take too
much, the one with the most of it loses the connection that has waited longest. So a client that asks for much and reads
little cuts itself, and no other.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any, Protocol

MOST = 256 * 1024 * 1024
"""Bytes of all answers that wait to be read, but for one that is larger by itself."""
QUIET = 60.0
"""Seconds between two lines in the log that say so."""
ASKER = "location_policy.asker"
"""The key of a scope under which the application says who asks: a user, or an address (of IPv6 its network)."""

log = logging.getLogger(__name__)


class Connection(Protocol):
    """What is cut: a connection whose client does not read."""

    loop: Any
    transport: Any


class Unread:
    """Counts what waits to be read; for one event loop."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._waiting: dict[Connection, tuple[str, int]] = {}  # the one that has waited longest is the first
        self._totals: Counter[str] = Counter()
        self._quiet_until = 0.0

    def add(self, connection: Connection, asker: str, size: int) -> None:
        """So much waits on this connection; others are cut until there is room for it."""
        self.remove(connection)
        self._waiting[connection] = asker, size
        self._totals[asker] += size
        while self._totals.total() > self._most and (slow := self._one_to_cut(connection)):
            self._tell(connection.loop.time())
            self.remove(slow)
            slow.transport.abort()

    def remove(self, connection: Connection) -> None:
        """Nothing waits on it any more."""
        asker, size = self._waiting.pop(connection, ("", 0))
        self._totals[asker] -= size
        if self._totals[asker] <= 0:
            del self._totals[asker]

    def _one_to_cut(self, newest: Connection) -> Connection | None:
        """The first of the asker for whom most waits, but for the one that has just begun to."""
        for most, _ in self._totals.most_common():
            for connection, (asker, _) in self._waiting.items():
                if asker == most and connection is not newest:
                    return connection
        return None

    def _tell(self, now: float) -> None:
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET
            log.warning("answers of %d bytes in all are not read: connections are cut", self._totals.total())
