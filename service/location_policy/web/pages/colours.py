"""A look for each location: the same from page to page and from commit to commit, as far as looks reach."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterable

COLOURS = 9
"""As many as can be told apart, also by the colour-blind (Paul Tol's "muted" scheme); style.css has them."""
PATTERNS = 3
"""Plain, striped, dotted: where there are more locations than colours, a pattern tells apart those that share one."""
LOOKS = COLOURS * PATTERNS


KEPT = 10_000
"""Names of which the look is kept."""


class Looks:
    """The looks that were given, each kept while the process lives: on every page, of whatever commit, a name has one.

    Names that want the same colour take the next, until there is none left, and then the next pattern. For any thread.
    """

    def __init__(self) -> None:
        self._given: dict[str, int] = {}
        self._lock = threading.Lock()

    def add(self, names: Iterable[str]) -> None:
        """Give those a look that have none yet, in an order that does not follow from how they are spelt."""
        if len(self._given) >= KEPT:
            return  # none is kept any more
        for name in sorted({*names} - self._given.keys(), key=_order):
            self.number_of(name)

    def number_of(self, name: str) -> int:
        """The look of a name: its colour, and its pattern times `COLOURS`."""
        if (given := self._given.get(name)) is not None:
            return given
        with self._lock:
            wanted = _order(name)[0] % LOOKS
            if len(self._given) >= KEPT:
                return wanted
            taken = set(self._given.values()) if len(self._given) < LOOKS else range(LOOKS)
            every = (
                (wanted + step) % COLOURS + COLOURS * pattern for pattern in range(PATTERNS) for step in range(COLOURS)
            )
            return self._given.setdefault(name, next((number for number in every if number not in taken), wanted))

    def classes(self, name: str) -> str:
        """The classes of a name, for style.css."""
        pattern, colour = divmod(self.number_of(name), COLOURS)
        return f"c{colour}" + (f" p{pattern}" if pattern else "")


def _order(name: str) -> tuple[int, str]:
    return zlib.crc32(name.encode(errors="replace")), name
