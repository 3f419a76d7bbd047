"""How many files this process may have open, and how many connections that leaves room for."""

from __future__ import annotations

import logging
import resource
from dataclasses import replace

from .options import Limits

OTHER_FILES = 128
"""File handles that are kept free for everything but connections."""

log = logging.getLogger(__name__)


def fitted(limits: Limits) -> Limits:
    """The limits that this process can keep; raises its soft limit of open files as far as they need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.connections + OTHER_FILES
    if soft < wanted:
        soft = min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft < wanted:
        room = max(1, soft - OTHER_FILES)
        log.warning("room for %d connections, not %d: the limit of open files is %d", room, limits.connections, soft)
        return replace(limits, connections=room)
    return limits
