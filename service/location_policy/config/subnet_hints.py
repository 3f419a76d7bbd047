"""The problem of a text that is not a subnet: its code, and a hint at what was probably meant.

Each hint that says `write` names a subnet that will be taken: in CIDR form, without host bits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from ..net.addresses import Address, Network, parse_address, parse_interface
from ..net.ranges import parse_range
from ..spelling import look_alike
from ..text import describe, is_seen, quote

_FIRST = frozenset("abcdefABCDEF:[]")
"""What an address begins with, beside digits."""
_OCTAL = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.])")
_SLASHES = re.compile(r"[\s/\\]+")
_DIGITS = re.compile(r"\+?(?=[0-9])0*+([0-9]*+)")
_IPV4 = re.compile(
    r"(?:\d{1,3}\.){3}\d{1,3}(?:[\s/\\–—-]++[\d.*/\s]*+)?|(?:\d{1,3}\.){1,3}\*|\d{1,3}(?:\.\d{1,3}){1,3}\s*/\s*\d{1,3}"
)
"""An address, a subnet or a range, in every form that people write."""
_INSIDE = re.compile(
    r"(?<![\w.:/])((?:\d{1,3}\.){3}\d{1,3}|[\da-f]*+:[\da-f:.]*+)/\d{1,3}(?![\w/]|[.:]\w)", re.IGNORECASE
)
"""A subnet in CIDR form among other words."""
_AND_WORD = re.compile(r"((?:\d{1,3}\.){3}\d{1,3}/\d{1,2}|[\da-f]*+:[\da-f:.]*+/\d{1,3})([^\W\d_].*)", re.IGNORECASE)
"""A subnet in CIDR form that a letter follows."""
_WILDCARD = re.compile(r"(?:\d{1,3}\.){1,3}x(?:\.x)*", re.IGNORECASE)
_BETWEEN_SUBNETS = re.compile(r"\s++/\s++|[\s;,+&|]++(?:(?:and|und|et|y|e|en|og|och)\s++)?")
_AFTER_ADDRESS = re.compile(r"[/%\s\\-]")
_PART = re.compile(r"\d[./:]\d")
"""What may be a part of another subnet."""
_DOTS = 3
_PARTS = 64
"""Subnets in a cell of which each is told."""
_ONES = b"\xff" * 4
"""How a mask of IPv6 begins; what begins with fewer ones may be an address."""
_EXAMPLE = "write a subnet as 10.61.2.0/24 or 2001:db8:61::/48"


def is_address(text: str) -> bool:
    """Is this meant as an address, a subnet or a range of addresses, rightly written or not?"""
    if not text.isascii():
        first = look_alike(next(filter(is_seen, text), ""))
        if first and not (first[0] in _FIRST or first[0].isdigit()):  # most names: no more of a long text is looked at
            return False
        text = look_alike("".join(filter(is_seen, text)))
    if ":" in text:
        return _address(_AFTER_ADDRESS.split(text.strip("[]"), maxsplit=1)[0].rstrip("]")) is not None
    if not text[:1].isdigit():
        return False
    return _IPV4.fullmatch(text) is not None or (text.count(".") == _DOTS and _WILDCARD.fullmatch(text) is not None)


def has_subnet(text: str) -> bool:
    """Is there a subnet among the words of this text?"""
    return "/" in text and any(True for _ in _subnets_inside(text))


def subnet_and_word(text: str) -> tuple[str, str] | None:
    """A subnet and the word that goes on behind it, as where two lines became one; None for any other text."""
    match = _AND_WORD.fullmatch(text) if "/" in text else None
    return (match[1], match[2]) if match and _hint(match[1]) else None


def subnets_in(cell: str) -> list[str]:
    """The subnets in a cell that has several; else the cell by itself."""
    parts = _BETWEEN_SUBNETS.split(cell) if cell.count("/") <= _PARTS else []
    return parts if len(parts) > 1 and all("/" in part and is_address(part) for part in parts) else [cell]


def with_masks(cells: Sequence[str]) -> list[str]:
    """The cells with a mask or a length put into one cell with its address, or left out where that has one; so too the
    first and the last address of a subnet.
    """
    joined: list[str] = []
    for cell in cells:
        before, mask = joined[-1] if joined else "", cell.removeprefix("/")
        if not is_address(before) or not (is_mask(mask) or mask.isdecimal()):
            joined.append(cell)
        elif "/" not in before and written_subnet(f"{before}/{mask}"):
            joined[-1] = f"{before}/{mask}"
        elif "/" not in before or mask.isdecimal():
            joined.append(cell)
    bare = [at for at, cell in enumerate(joined) if is_address(cell) and not has_length(cell)]
    if len(bare) != 2:
        return joined
    first, last = (joined[at] for at in bare)
    if is_mask(first):
        meant = f"{last}/{first}"
    elif is_mask(last):
        meant = f"{first}/{last}"
    else:
        networks = range_networks(f"{first}-{last}") or ()
        meant = str(networks[0]) if len(networks) == 1 else ""
    return [meant if at == bare[0] else cell for at, cell in enumerate(joined) if at != bare[1]] if meant else joined


class Diagnosis(NamedTuple):
    """A code with its message and hint."""

    code: str
    message: str
    hint: str


def diagnose(text: str) -> Diagnosis:
    """Why this text is not a subnet."""
    is_plain = text.isascii() and text.isprintable()
    if unseen := None if is_plain else next((c for c in text if not is_seen(c)), None):
        return _unseen(text, unseen)
    if not is_plain and (meant := _hint("/".join(_SLASHES.split(look_alike(text))))):
        odd = next(c for c in text if not c.isascii())
        return Diagnosis("not-a-subnet", f"{quote(text)} is not a subnet: it has {describe(odd)}", meant)
    if told := _range(text):
        return told
    tidy = "/".join(_SLASHES.split(text))
    if tidy != text:
        hint = _hint(tidy) or _hint_inside(text) or diagnose(tidy).hint
        return Diagnosis("not-a-subnet", f"{quote(text)} is not a subnet", hint)
    before, slash, after = text.partition("/")
    address = _address(before)
    if address is None:
        return _octal(text) or _short(before, after) or _plain(text)
    if not slash:
        return _bare(text, address)
    return _mask(text, address, after) or _length(text, address, after) or _plain(text)


def subnet_hint(address: Address, length: int) -> str:
    """What to write for this subnet; where the address is not its first, the widest that begins there may be meant."""
    network = Network.holding(address, length)
    if network.first == address:
        return f"write {network}"
    value = int.from_bytes(address)
    free = (value & -value).bit_length() - 1
    return f"write {network}, or {Network.holding(address, len(address) * 8 - free)} if that was meant"


def has_host_bits(text: str) -> bool:
    """Would the subnet that `written_subnet` gives not begin at the address of this text, as of 10.61.2.7/24?"""
    address, network = _address(_SLASHES.split(look_alike(text))[0]), _network(written_subnet(text))
    return address is not None and network is not None and network.first != address


def has_length(text: str) -> bool:
    """Does this address say how many others are meant beside it: by a length, a mask, or as a range?"""
    return _address(text) is None


def is_one_address(text: str) -> bool:
    """Can this address not be meant as the first of a subnet?"""
    address = _address(text)
    return address is not None and ", or " not in _bare(text, address).hint


def range_networks(text: str) -> tuple[Network, ...] | None:
    """The fewest subnets that make up a range, as of 10.61.2.0-10.61.3.127; None for what is no range."""
    try:
        addresses, size = parse_range(text)
    except ValueError:
        return None
    return tuple(addresses.networks(size))


def written_subnet(text: str) -> str:
    """The subnet that is meant by an address or subnet, as it is to be written; empty where it cannot be told."""
    if network := _network(text):
        return str(network)
    write, _, rest = diagnose(text).hint.partition(" ")
    subnet = rest.partition(" ")[0].rstrip(",")
    return subnet if write == "write" and _network(subnet) else ""


def _unseen(text: str, character: str) -> Diagnosis:
    seen = "".join(filter(is_seen, text))
    meant = _hint(seen) or _hint("/".join(_SLASHES.split(text)))
    hint = f"{meant}, without what cannot be seen" if meant else diagnose(seen).hint
    return Diagnosis("not-a-subnet", f"{quote(text)} is not a subnet: it has {describe(character)}", hint)


def _meant(text: str) -> str:
    """The hint for a text that may be right."""
    return _hint(text) or diagnose(text).hint


def _plain(text: str) -> Diagnosis:
    return Diagnosis("not-a-subnet", f"{quote(text)} is not a subnet", _hint_inside(text) or _EXAMPLE)


def _hint_inside(text: str) -> str | None:
    """The hint for a subnet between marks or words, where there is just one."""
    inside = [*islice(_subnets_inside(text), 2)]  # of a long text there may be thousands
    if len(inside) != 1:
        return None
    before, _, after = text.partition(inside[0])
    is_all = not (after.lstrip()[:1].isdigit() or _PART.search(before) or _PART.search(after))
    return _hint(inside[0]) if is_all else None


def _subnets_inside(text: str) -> Iterator[str]:
    """What is a subnet in CIDR form among other words, or between marks."""
    if not text.isascii():
        text = look_alike("".join(filter(is_seen, text)))
    return (found[0] for found in _INSIDE.finditer(text) if _hint(found[0]))


def _octal(text: str) -> Diagnosis | None:
    match = _OCTAL.match(text)
    decimal = match and ".".join(str(int(octet)) for octet in match[0].split("."))
    if not match or not decimal or decimal == match[0] or _address(decimal) is None:
        return None
    message = f"{quote(text)} has leading zeros, which some programs read as octal"
    return Diagnosis("octal-octet", message, _meant(decimal + text[match.end() :]))


def _short(before: str, after: str) -> Diagnosis | None:
    octets = before.split(".")
    hint = _hint(".".join([*octets, *["0"] * (4 - len(octets))]) + f"/{after}")
    return Diagnosis("not-a-subnet", f"{before}/{after} is a short form", hint) if hint else None


def _range(text: str) -> Diagnosis | None:
    """What is said of a range that is a subnet, or is made up of several."""
    networks = range_networks(text)
    if networks is None:
        return None
    hint = f"write {networks[0]}" if len(networks) == 1 else _EXAMPLE
    return Diagnosis("not-a-subnet", f"{quote(text)} is a range of addresses, not a subnet", hint)


def _bare(text: str, address: Address) -> Diagnosis:
    if text.startswith("255.") and is_mask(text):
        return Diagnosis("not-a-subnet", f"{text} is the mask of a subnet, and not one", _EXAMPLE)
    width = len(address) * 8
    one = f"write {Network.holding(address, width)}"
    subnet = Network.holding(address, 24 if width == 32 else 64)
    hint = f"{one} for one address, or {subnet} if that was meant" if subnet.first == address else one
    return Diagnosis("not-a-subnet", f"{text} has no prefix length", hint)


def is_mask(text: str) -> bool:
    """Is this the mask of a subnet, such as 255.255.255.0 or, turned over, 0.0.0.255?"""
    mask = _address(text)
    return mask is not None and (len(mask) == 4 or mask.startswith(_ONES)) and _mask_length(mask) not in (None, 0)


def _mask(text: str, address: Address, after: str) -> Diagnosis | None:
    mask = _address(after)
    if mask is None or len(mask) != len(address) or not (len(mask) == 4 or mask.startswith(_ONES)):
        return None
    length = _mask_length(mask)
    if not length:
        return Diagnosis("not-a-subnet", f"{quote(text)} has a mask that is no prefix length", _EXAMPLE)
    message = f"{quote(text)} has a mask instead of a prefix length"
    return Diagnosis("not-a-subnet", message, subnet_hint(address, length))


def _mask_length(mask: Address) -> int | None:
    """The prefix length for which a netmask or a host mask stands; None where it is neither."""
    bits = f"{int.from_bytes(mask):0{8 * len(mask)}b}"
    is_net_mask, is_host_mask = not bits.rstrip("0").strip("1"), not bits.lstrip("0").strip("1")
    return bits.count("1" if is_net_mask else "0") if is_net_mask or is_host_mask else None


def _length(text: str, address: Address, after: str) -> Diagnosis | None:
    digits = _DIGITS.fullmatch(after)
    if digits is None:
        return None
    length, width = int(digits[1][:9] or "0"), len(address) * 8
    if width == 32 and ":" in text:
        message = f"{quote(text)} is IPv4 written as IPv6, so its prefix length is 96 to 128"
        meant = length - 96 if 96 <= length <= 128 else min(length, width)
        return Diagnosis("not-a-subnet", message, subnet_hint(address, meant))
    if length > width:
        family = "IPv4" if width == 32 else "IPv6"
        return Diagnosis(
            "not-a-subnet", f"{quote(text)} has a prefix length over {width}, too long for {family}", _EXAMPLE
        )
    message = f"{quote(text)} does not have its prefix length in plain digits"
    return Diagnosis("not-a-subnet", message, subnet_hint(address, length))


def _address(text: str) -> Address | None:
    try:
        return parse_address(text)
    except ValueError:
        return None


def _network(text: str) -> Network | None:
    try:
        return Network.holding(*parse_interface(text))
    except ValueError:
        return None


def _hint(text: str) -> str | None:
    try:
        return subnet_hint(*parse_interface(text))
    except ValueError:
        return None
