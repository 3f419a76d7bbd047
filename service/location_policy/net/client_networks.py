"""The networks by which a client is counted, so that one who has many addresses does not count as many clients."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from .addresses import Network, parse_address

LENGTHS = (64, 48, 32)
"""Of IPv6: who has an address has all of its /64, a site 65,536 of those (RFC 6177), a provider as many sites."""


def networks(address: str) -> Sequence[str]:
    """By what an address is counted: itself, or the IPv6 networks that it is in, the narrowest first."""
    with suppress(ValueError):
        parsed = parse_address(address)
        if len(parsed) == 16:
            return [str(Network.holding(parsed, length)) for length in LENGTHS]
    return [address]
