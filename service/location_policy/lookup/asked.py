"""What a person asks about: an address, a subnet, or the name of a location."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection

from ..config.location_map import LocationMap
from ..config.subnet_hints import is_address
from ..errors import NoAddress
from ..net.addresses import Address, Network, parse_address, parse_interface
from ..spelling import nearest
from ..text import quote, unescape
from .decision import is_streamed_to
from .query_string import clean

_PART = re.compile(r"\d+[.:/][\d.:/]*")
"""A part of an address: no name is taken for it, and none is written so."""

EXAMPLE = "name one, such as 10.61.2.7"
"""What to do where no address is asked for."""

Asked = Address | Network | str
"""The address, the subnet (host bits are passed over), or a text that is neither, and may be a name."""


def parse_asked(text: str) -> Asked:
    """What is meant by a text; raises NoAddress for what is empty, or an address written wrongly.

    A name may be written as messages show it, as in `S\\u0443dney`.
    """
    cleaned = clean(text)
    if not cleaned:
        raise NoAddress("no address is given", EXAMPLE)
    try:
        return parse_address(cleaned)
    except ValueError as error:
        wrong = error
    try:
        return Network.holding(*parse_interface(cleaned))
    except ValueError as error:
        wrong = error if "/" in cleaned else wrong
    if is_address(cleaned) or _PART.fullmatch(cleaned):
        raise NoAddress(str(wrong), "name one, such as 10.61.2.0/24" if "/" in cleaned else EXAMPLE)
    return unescape(text.strip())


def is_host(asked: Asked, protocol: str, names: Collection[str]) -> bool:
    """Is this no name that a map has, but the host of a stream, which a node has where other calls have an address?"""
    if not isinstance(asked, str) or asked in names:
        return False
    return "." in asked and is_streamed_to(protocol.lower(), asked)


def require_name(name: str, names: Collection[str]) -> None:
    """Raises NoAddress where this is none of the names that a map has, with the one that was probably meant."""
    if name not in names:
        near = nearest(name, names)
        message = f"{quote(name)} is no address, no subnet and no location of this map"
        raise NoAddress(message, f"write {near}" if near else None)


def require_location(name: str, answering: LocationMap, whole: LocationMap) -> None:
    """Raises NoAddress where the map that answers a call has none of this name, with how to ask by one that has it."""
    if name in _names(answering):
        return
    require_name(name, set[str]().union(*map(_names, whole.maps)))
    holder = next(one for one in whole.maps if name in _names(one))
    where = f"view {answering.name}" if answering.name else "the map at the top"
    hint = "ask without --ask"
    if holder.view:
        from ..config.views.calls import example_call  # most configurations have none

        call = example_call(whole.rules.views, holder.view.name)
        parts = [f"{key}={call[key]}" for key in holder.view.conditions if key in call]
        words = " ".join(f"--ask {shlex.quote(part)}" for part in parts)
        hint = f"ask by view {holder.name}: {words}" if words else f"view {holder.name} has it"
    raise NoAddress(f"{quote(name)} is no location of {where}", hint)


def _names(location_map: LocationMap) -> set[str]:
    """Every name that a map has: in rows, in `known`, and what an address without a row gets."""
    rules = location_map.rules
    rows = {rules.with_overflow(names) for file in location_map.files for names in file.names}
    return {*rules.known, *(rules.rowless or ())}.union(*rows)
