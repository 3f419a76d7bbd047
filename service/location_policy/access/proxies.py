"""Where a request comes from, when it comes through a proxy: the word of a trusted one is taken, no other's."""

from __future__ import annotations

from collections.abc import Iterable

from ..net.addresses import Address, Network, format_address, parse_address, parse_interface


class Proxies:
    """The addresses whose `X-Forwarded-For` is believed; none at first."""

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        self._networks = frozenset(networks)
        self._lengths = {(len(network) - 1, network.length) for network in self._networks}

    def client(self, peer: str | None, forwarded: Iterable[bytes]) -> str:
        """The address that asks, from that of the connection (None: a Unix socket) and the headers in order.

        Of the chain that proxies have written, the last address that is no proxy of ours counts: what stands before
        it was written by the client.
        """
        client = peer or "local"
        if peer is not None and not self.believes(peer):
            return client
        for text in reversed(b",".join(forwarded).decode("latin-1").split(",")):
            try:
                client = format_address(parse_address(text.strip()))
            except ValueError:
                break
            if not self.believes(client):
                break
        return client

    def scheme(self, peer: str | None, forwarded: Iterable[bytes]) -> str | None:
        """The scheme by which a client has asked, if a proxy that is believed has said so (`X-Forwarded-Proto`)."""
        if peer is not None and not self.believes(peer):
            return None
        return b",".join(forwarded).decode("latin-1").rpartition(",")[2].strip().lower() or None

    def believes(self, text: str) -> bool:
        """Is this the address of a proxy?"""
        try:
            address = parse_address(text)
        except ValueError:
            return False
        return any(
            Network.holding(address, length) in self._networks for size, length in self._lengths if size == len(address)
        )


def parse_networks(text: str) -> list[Network]:
    """Addresses and subnets with commas between them; raises ValueError for one that is neither."""
    return [_parse(word.strip()) for word in text.split(",") if word.strip()]


def _parse(word: str) -> Network:
    if "/" not in word:
        address: Address = parse_address(word)
        return Network.holding(address, len(address) * 8)
    address, length = parse_interface(word)
    return Network.holding(address, length)
