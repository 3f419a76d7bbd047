"""Wrong credentials, counted by who sent them: those answers are slowed, and no others.

Right credentials are never slowed, so that nobody can lock a node out, and none at all are no failure.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

from ..net.addresses import Network, parse_address

FREE = 3
"""Failures that cost nothing: people mistype."""
FIRST = 0.25
"""Seconds that the next one is held back; each further one twice as long."""
LONGEST = 3.0
"""Seconds that one is held back at most: a node waits for five."""
FORGOTTEN = 600.0
"""Seconds after which a failure no longer counts."""
REMEMBERED = 10_000
"""Addresses, and pairs of address and user, that are counted; the one that was quiet longest makes room."""
LONGEST_NAME = 100
"""Characters of a name that are told, and that tell it from others: Pexip Infinity has no longer ones."""

log = logging.getLogger(__name__)


class Failures:
    """Counts failures by address and user, and by address alone; for one thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: OrderedDict[tuple[str, str | None], tuple[int, float]] = OrderedDict()

    def of(self, address: str, user: str | None = None) -> int:
        """How often this user has failed from this address; without one, how often anybody has."""
        count, at = self._counts.get(_key(address, user), (0, 0.0))
        return count if self._clock() - at < FORGOTTEN else 0

    def add(self, address: str, user: str) -> float:
        """One more; the seconds that its answer is to be held back."""
        self._count(address, None)
        count = self._count(address, user)
        if count & (count - 1) == 0:  # 1, 2, 4, 8 …: a loop somewhere does not fill the disk
            name = user[:LONGEST_NAME]
            log.warning("wrong credentials user=%s address=%s failures=%d", name, address, count)
        return 0.0 if count <= FREE else min(LONGEST, FIRST * 2.0 ** min(count - FREE - 1, 10))

    def forgive(self, address: str, user: str) -> None:
        """It has succeeded."""
        self._counts.pop(_key(address, user), None)

    def _count(self, address: str, user: str | None) -> int:
        key, count = _key(address, user), self.of(address, user) + 1
        self._counts[key] = count, self._clock()
        self._counts.move_to_end(key)
        if len(self._counts) > REMEMBERED:
            self._counts.popitem(last=False)
        return count


def _key(address: str, user: str | None) -> tuple[str, str | None]:
    """One who has an IPv6 address has all 2^64 of its network."""
    with suppress(ValueError):
        parsed = parse_address(address)
        address = str(Network.holding(parsed, 64)) if len(parsed) == 16 else address
    return address, user and user[:LONGEST_NAME]
