"""What takes seconds for a large map is found out in another process; whether a map is large is for who asks to say."""

from __future__ import annotations

from ..elsewhere import Work, do_elsewhere, unpickle

POLITE, POLITE_PER_BYTE = 2.0, 4e-6
"""Seconds in which a process that takes only what is left must be done: twice what it takes on an idle machine."""


def find_apart(work: Work, weight: int, seconds: float) -> object:
    """What the work gives, for which so many bytes have to be read, within these seconds; raises what it raises."""
    polite = min(POLITE + POLITE_PER_BYTE * weight, seconds / 3)
    with do_elsewhere(work, polite, round(seconds - polite, 1)) as made:
        return unpickle(made)
