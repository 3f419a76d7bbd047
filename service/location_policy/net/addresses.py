"""Addresses and subnets (CIDR) parsed from text, IPv4 and IPv6.

An address is its packed bytes, 4 or 16 of them, in network order. A network is the packed bytes of its first address
and one byte more for the prefix length: one short value that hashes, compares and sorts quickly. An IPv4-mapped IPv6
address (RFC 4291, 2.5.5.2) is the IPv4 address that it maps.

`inet_pton` reads the text: it takes neither zone ids nor octal octets nor short forms.
"""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import NewType

Address = NewType("Address", bytes)
"""4 bytes (IPv4) or 16 bytes (IPv6, never IPv4-mapped), in network order."""

_MAPPED = bytes(10) + b"\xff\xff"
_LENGTHS = {str(length): length for length in range(129)}


class Network(bytes):
    """The first address of a network and its prefix length: 5 bytes (IPv4) or 17 bytes (IPv6)."""

    __slots__ = ()

    @classmethod
    def holding(cls, address: Address, length: int) -> Network:
        """The network of this prefix length that holds the address.

        Raises ValueError when the length is outside 0..32 (IPv4) or 0..128 (IPv6).
        """
        size = len(address)
        free = size * 8 - length
        if free < 0 or length < 0:
            raise ValueError(f"a prefix length of {length} is outside 0 to {size * 8}")
        first = int.from_bytes(address) >> free << free
        return cls((first << 8 | length).to_bytes(size + 1))

    @property
    def first(self) -> Address:
        """The lowest address of the network."""
        return Address(self[:-1])

    @property
    def length(self) -> int:
        """The prefix length, in bits."""
        return self[-1]

    def meets(self, other: Network) -> bool:
        """Does one of the two hold the other?"""
        if len(self) != len(other):
            return False
        length = min(self.length, other.length)
        return Network.holding(self.first, length) == Network.holding(other.first, length)

    def __str__(self) -> str:
        return f"{inet_ntop(AF_INET if len(self) == 5 else AF_INET6, self[:-1])}/{self[-1]}"

    def __repr__(self) -> str:
        return f"Network({str(self)!r})"


def parse_address(text: str) -> Address:
    """One IPv4 or IPv6 address in its usual spellings; raises ValueError for anything else."""
    try:
        packed = inet_pton(AF_INET6 if ":" in text else AF_INET, text)
    except (OSError, ValueError):
        raise ValueError(f"{text!r} is not an IPv4 or IPv6 address") from None
    if len(packed) == 16 and packed.startswith(_MAPPED):
        return Address(packed[12:])
    return Address(packed)


def parse_interface(text: str) -> tuple[Address, int]:
    """An address and the length of its prefix, as in `10.61.2.7/24` (CIDR, RFC 4632); host bits may be set.

    Raises ValueError when either part is missing, is written in another form, or is out of range.
    """
    before, slash, after = text.partition("/")
    length = _LENGTHS.get(after)
    if not slash or length is None:
        raise ValueError(f"{text!r} is not a subnet")
    address = parse_address(before)
    if len(address) == 4 and ":" in before:
        length -= 96
    if not 0 <= length <= len(address) * 8:
        raise ValueError(f"{text!r} is not a subnet")
    return address, length


def parse_target(text: str) -> tuple[Address, int]:
    """As `parse_interface`; an address alone stands for itself."""
    if "/" in text:
        return parse_interface(text)
    address = parse_address(text)
    return address, 8 * len(address)


def format_address(address: Address) -> str:
    """The address as text, IPv6 in the form of RFC 5952."""
    return inet_ntop(AF_INET if len(address) == 4 else AF_INET6, address)
