"""A look for each location: the same as long as its name is, beside any other locations, as far as looks reach."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

COLOURS = 9
"""As many as can be told apart, also by the colour-blind (Paul Tol's "muted" scheme); style.css has them."""
PATTERNS = 3
"""Plain, striped, dotted: where there are more locations than colours, a pattern tells apart those that share one."""
LOOKS = COLOURS * PATTERNS


@lru_cache(maxsize=4)
def looks_of(names: frozenset[str]) -> MappingProxyType[str, int]:
    """The number of each name's look: its colour, and its pattern times `COLOURS`.

    Names that want the same colour take the next, until there is none left, and then the next pattern.
    """
    found: dict[str, int] = {}
    taken: set[int] = set()
    for name in sorted(names, key=_order):
        wanted = _order(name)[0] % COLOURS
        every = (
            (wanted + step) % COLOURS + COLOURS * pattern for pattern in range(PATTERNS) for step in range(COLOURS)
        )
        found[name] = next((number for number in every if number not in taken), wanted)
        taken.add(found[name])
    return MappingProxyType(found)


def look_of(name: str, looks: Mapping[str, int]) -> str:
    """The classes of one name, which a map may not have."""
    number = looks[name] if name in looks else _order(name)[0] % COLOURS
    pattern, colour = divmod(number, COLOURS)
    return f"c{colour}" + (f" p{pattern}" if pattern else "")


def _order(name: str) -> tuple[int, str]:
    """Names in an order that does not follow from how they are spelt: a new one moves few of the others."""
    return zlib.crc32(name.encode(errors="replace")), name
