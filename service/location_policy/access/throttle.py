"""A throttle for wrong credentials, counted by sender: their answers are slowed, and further guesses of that address.

What was found right before is never slowed, so that no guesser can lock a node out, and none at all are no failure.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable

from ..net.client_networks import networks

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


class Throttle:
    """Counts failures by address and user, and by address alone; for one thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: OrderedDict[tuple[str, str | None], tuple[int, float]] = OrderedDict()
        self._turns: OrderedDict[str, float] = OrderedDict()

    def of(self, address: str, user: str | None = None) -> int:
        """How often this user has failed from this address; without one, how often any user has."""
        return self._of(_key(address, user))

    def around(self, address: str) -> tuple[int, ...]:
        """How often this address has failed, then those of each wider network that it is in."""
        return tuple(self._of((network, None)) for network in networks(address))

    def turn(self, address: str) -> float:
        """The seconds until a password from this address may be looked at; the turn is taken.

        Turns are of the address, over all connections and users: many connections guess no faster.
        """
        own, now = networks(address)[0], self._clock()
        at = max(now, self._turns.get(own, now))
        if at - now > LONGEST:
            return at - now  # that one is not waited for, and not taken
        self._turns[own] = at + _delay(self._of((own, None)))
        self._turns.move_to_end(own)
        if len(self._turns) > REMEMBERED:
            self._turns.popitem(last=False)
        return at - now

    def add(self, address: str, user: str) -> float:
        """One more; the seconds that its answer is to be held back."""
        for network in networks(address):
            self._count((network, None))
        count = self._count(_key(address, user))
        if count & (count - 1) == 0:  # 1, 2, 4, 8 …: a loop somewhere does not fill the disk
            name = user[:LONGEST_NAME]
            log.warning("wrong credentials user=%s address=%s failures=%d", name, address, count)
        return _delay(count)

    def forgive(self, address: str, user: str) -> None:
        """It has succeeded."""
        self._counts.pop(_key(address, user), None)

    def _of(self, key: tuple[str, str | None]) -> int:
        count, at = self._counts.get(key, (0, 0.0))
        return count if self._clock() - at < FORGOTTEN else 0

    def _count(self, key: tuple[str, str | None]) -> int:
        count = self._of(key) + 1
        self._counts[key] = count, self._clock()
        self._counts.move_to_end(key)
        if len(self._counts) > REMEMBERED:
            self._counts.popitem(last=False)
        return count


def _delay(count: int) -> float:
    return 0.0 if count <= FREE else min(LONGEST, FIRST * 2.0 ** min(count - FREE - 1, 10))


def _key(address: str, user: str | None) -> tuple[str, str | None]:
    return networks(address)[0], user and user[:LONGEST_NAME]
