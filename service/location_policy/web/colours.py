"""A colour for each location: the same as long as its name is, whatever else the map holds, as far as colours reach."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from functools import lru_cache
from types import MappingProxyType

COLOURS = 9
"""As many as can be told apart, also by the colour-blind (Paul Tol's "muted" scheme); style.css has them."""


@lru_cache(maxsize=4)
def colours_of(names: frozenset[str]) -> MappingProxyType[str, int]:
    """The number of each name's colour. Names that want the same one take the next, until there is none left."""
    found: dict[str, int] = {}
    for name in sorted(names, key=_order):
        wanted = _order(name)[0] % COLOURS
        free = (number % COLOURS for number in range(wanted, wanted + COLOURS))
        taken = set(found.values())
        found[name] = next((number for number in free if number not in taken), wanted)
    return MappingProxyType(found)


def colour_of(name: str, names: Iterable[str]) -> int:
    """The number of one name's colour, beside those of a map."""
    return colours_of(frozenset(names)).get(name, _order(name)[0] % COLOURS)


def _order(name: str) -> tuple[int, str]:
    """Names in an order that does not follow from how they are spelt: a new one moves few of the others."""
    return zlib.crc32(name.encode(errors="replace")), name
