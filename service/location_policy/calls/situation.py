"""A situation: what calls have in common that were answered alike, and all that it takes to answer them again.

No name and no id is in it, and no moment. A value is what the request had, and empty where it had none. Where there are
too many, those that are rare are merged: an address is then the network that holds it, and in the end all addresses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from ..net.addresses import Address, Network, format_address, parse_address, parse_interface

LONGEST = 64
"""Characters of a value from outside that are kept; the rest is cut off."""
UNLOGGED = frozenset(("not-provided", "unauthorized", "forbidden", "busy"))
"""Outcomes that are no decision on a call."""
NO_CALL = UNLOGGED | {"not-allowed"}
"""Outcomes of requests that are no call."""
WIDER = {4: 24, 16: 56}
"""The length of the networks to which rare addresses are merged, by the bytes of an address."""


class Situation(NamedTuple):
    """What a request said, and what it was answered; the addresses as `Parameters` has them, or as CIDR once merged."""

    protocol: str
    node_location: str
    proxy_node_location: str
    call_direction: str
    remote_address: str
    ms_subnet: str
    outcome: str
    location: str | None
    overflow: tuple[str, ...]
    view: str | None

    def first(self, name: str) -> str:
        """What the request had of a parameter, as `Parameters` has it."""
        return self[_PLACES[name]] if name in _PLACES else ""  # type: ignore[return-value]  # those places are texts

    @property
    def names(self) -> tuple[str, ...]:
        """The location that was answered and its overflow locations; empty where none was."""
        return () if self.location is None else (self.location, *self.overflow)

    @property
    def address(self) -> str:
        """The address that counted, as far as the situation tells: that by which the protocol is mostly looked up."""
        usual, other = self.ms_subnet, self.remote_address
        return usual or other if self.protocol == "mssip" else other or usual

    @property
    def is_merged(self) -> bool:
        """Does it stand for several addresses? A subnet that a node has sent in place of an address is one value."""
        return self.outcome != "bad-address" and ("/" in self.remote_address or "/" in self.ms_subnet)


def read_situation(fields: Iterable[Any]) -> Situation:
    """A situation from its fields, as JSON has them; raises TypeError, or ValueError where they are too few or many."""
    protocol, node_location, proxy, direction, remote, subnet, outcome, location, overflow, view = fields
    asked = (protocol, node_location, proxy, direction, remote, subnet)
    texts = [*asked, outcome, *overflow, *(text for text in (location, view) if text is not None)]
    if not all(isinstance(text, str) for text in texts) or not isinstance(overflow, list):
        raise TypeError("a value is no text")
    return Situation(*asked, outcome, location, tuple(overflow), view)


def is_kept(parameter: str) -> bool:
    """Is this parameter of a request part of a situation?"""
    return parameter in _PLACES


_PLACES = {
    "protocol": 0,
    "location": 1,
    "proxy-node-location": 2,
    "call-direction": 3,
    "remote-address": 4,
    "ms-subnet": 5,
}


def as_sent(found: Situation) -> Situation:
    """The same, in which no address reads as merged ones: of a subnet that a node has sent, the slash is turned. It is
    no address either way; of a bad address, which says so itself, nothing is touched.
    """
    if found.outcome == "bad-address" or not found.is_merged:
        return found
    remote_address, ms_subnet = (text.replace("/", "\\") for text in (found.remote_address, found.ms_subnet))
    return found._replace(remote_address=remote_address, ms_subnet=ms_subnet)


def settled(found: Situation) -> Situation:
    """The same with values that are cut, and each address in its usual spelling."""
    return found._replace(
        protocol=_cut(found.protocol),
        node_location=_cut(found.node_location),
        proxy_node_location=_cut(found.proxy_node_location),
        call_direction=_cut(found.call_direction),
        remote_address=_usual(found.remote_address),
        ms_subnet=_usual(found.ms_subnet),
    )


def merged(found: Situation) -> Situation:
    """The same of all addresses of a network."""
    return _widened(found, WIDER)


def rest(found: Situation) -> Situation:
    """The same of all addresses, nodes and protocols: of these there are no more than the configuration has answers."""
    bare = found._replace(protocol="", node_location="", proxy_node_location="", call_direction="")
    return _widened(bare, {4: 0, 16: 0})


def bounded(found: Situation, among: Collection[Situation], most: int) -> Situation:
    """As what it is counted among these: where they are too many, as one of a network, and in the end as all with that
    answer.
    """
    if found not in among and len(among) >= most:
        found = merged(found)
        if found not in among and len(among) >= most + most // 10:
            found = rest(found)
    return found


def add(counts: dict[Situation, int], found: Situation, calls: int, most: int) -> None:
    """Add calls of a situation, which is `bounded`."""
    found = bounded(found, counts, most)
    counts[found] = counts.get(found, 0) + calls


def network_of(text: str) -> Network | None:
    """The network of an address or of those that were merged; None for what is neither."""
    try:
        if "/" in text:
            return Network.holding(*parse_interface(text))
        address = parse_address(text)
    except ValueError:
        return None
    return Network.holding(address, 8 * len(address))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _usual(text: str) -> str:
    if not text:
        return text
    try:
        return format_address(parse_address(text))
    except ValueError:
        return _cut(text)


def _widened(found: Situation, lengths: dict[int, int]) -> Situation:
    if found.outcome == "bad-address":
        return found._replace(remote_address="", ms_subnet="")
    remote_address, ms_subnet = (_wider(text, lengths) for text in (found.remote_address, found.ms_subnet))
    return found._replace(remote_address=remote_address, ms_subnet=ms_subnet)


def _wider(text: str, lengths: dict[int, int]) -> str:
    """The network of these lengths that holds an address; of what is no address nothing is left."""
    network = network_of(text)
    if network is None:
        return ""
    length = min(network.length, lengths[len(network) - 1])
    return str(Network.holding(Address(network.first), length))
