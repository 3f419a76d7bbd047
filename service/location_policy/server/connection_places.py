"""A limit on open connections, of which no address takes more than it leaves to others.

An address has as many connections as there are free places, at most: one has half of all, a hundred together leave a
hundredth. So a client that needs few finds one, unless a flood comes from nearly as many addresses as there are places;
and an open connection is not taken from who has it. (The same rule shares the memory of switches: A. K. Choudhury and
E. L. Hahne, "Dynamic queue length thresholds for shared-memory packet switches", 1998.)

An IPv6 address is counted by its networks as well. A wider one may have twice as much as the next narrower, so that who
fills that leaves something to its neighbours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address

from ..net.addresses import parse_address
from ..net.client_networks import own_networks


def is_loopback(address: str) -> bool:
    """Is it of this machine, where a proxy or a tunnel may stand?"""
    with suppress(ValueError):  # a link-local one may have its zone with it
        return ip_address(parse_address(address)).is_loopback
    return False


class ConnectionPlaces:
    """The places of `limit` connections; for one thread.

    The rule does not hold for an address that `stands_for_many`: the clients of a proxy have its address.
    """

    def __init__(self, limit: int, stands_for_many: Callable[[str], bool] = is_loopback) -> None:
        self.limit = limit
        self.taken = 0
        self.held: Counter[str] = Counter()
        self._stands_for_many = stands_for_many

    def take(self, address: str | None) -> bool:
        """A place for a connection from this address (None: of a Unix socket), if there is one for it."""
        free, counted = self.limit - self.taken, self._counted(address)
        if free <= 0 or any(self.held[one] >= free << wider for wider, one in enumerate(counted)):
            return False
        self.taken += 1
        self.held.update(counted)
        return True

    def leave(self, address: str | None) -> None:
        """A place that was taken is free."""
        self.taken -= 1
        for one in self._counted(address):
            self.held[one] -= 1
            if not self.held[one]:
                del self.held[one]

    def _counted(self, address: str | None) -> tuple[str, ...]:
        if address is None or self._stands_for_many(address):
            return ()
        return tuple(own_networks(address))
