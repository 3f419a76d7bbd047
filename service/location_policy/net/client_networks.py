"""The networks by which a client is counted, so that one who has many addresses does not count as many clients."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from .addresses import Network, parse_address

LENGTHS = {4: (32, 24, 16), 16: (64, 48, 32)}
"""By the bytes of an address. Who has one of IPv6 has its /64, a site 65,536 of those (RFC 6177), a provider more."""


def networks(address: str) -> Sequence[str]:
    """By what an address is counted: itself, or its IPv6 network, and then the wider ones that it is in."""
    with suppress(ValueError):
        parsed = parse_address(address)
        own, *wider = (str(Network.holding(parsed, length)) for length in LENGTHS[len(parsed)])
        return [address if len(parsed) == 4 else own, *wider]
    return [address]


def own_networks(address: str) -> Sequence[str]:
    """Those that one client may have for itself: many nodes may ask from an IPv4 network at once, each for itself."""
    around = networks(address)
    return around if ":" in around[0] else around[:1]
