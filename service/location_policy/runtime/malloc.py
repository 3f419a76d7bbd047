"""Memory of large contents, given back to the system as soon as they are no longer needed (mallopt(3)).

glibc takes each large block from the system, and gives it back, until one was freed: from then on blocks of that size
are parts of heaps, which end where the last thing in them does. A service that has once held 2 GB would keep them.
"""

from __future__ import annotations

import ctypes

_MMAP_THRESHOLD = -3
"""M_MMAP_THRESHOLD in malloc.h; once it is set it stays."""
LARGE = 1024 * 1024
"""Bytes of a block from which on it is the system's."""


def give_back_large_blocks() -> None:
    """For this process; another C library than glibc does it by itself, or has no such call."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_MMAP_THRESHOLD, LARGE)
