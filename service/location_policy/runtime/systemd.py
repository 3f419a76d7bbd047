"""What the service manager is told: sd_notify(3), a datagram to the socket that `NOTIFY_SOCKET` names.

What goes wrong there is logged once and does no harm; without that variable nothing is told.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import MutableMapping

TIMEOUT = 0.5
"""Seconds that one message may take: the manager reads quickly, or not at all."""

log = logging.getLogger(__name__)


class ServiceManager:
    """systemd, or what speaks its protocol; `watchdog`: seconds within which it wants a sign of life, or None."""

    def __init__(self, environment: MutableMapping[str, str] = os.environ) -> None:
        self._address = _address(environment.pop("NOTIFY_SOCKET", ""))  # no child is to speak for us
        self.watchdog = _watchdog(environment) if self._address else None
        self._is_reported = False

    def tell(self, *lines: str) -> None:
        """Send `NAME=value` lines, such as `READY=1`, as one message; may be called by any thread and by a signal."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(TIMEOUT)
                sender.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            if not self._is_reported:
                self._is_reported = True
                log.warning("the service manager cannot be told: %s", error)

    def tell_reloading(self) -> None:
        """A reload begins; a message with READY=1 ends it. The time parts it from one that was asked for later."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")


def _address(name: str) -> str | None:
    """Of the socket: a path, or a name in the abstract namespace, which begins with NUL; others are not spoken to."""
    if name.startswith("@"):
        return f"\0{name[1:]}"
    return name if name.startswith("/") else None


def _watchdog(environment: MutableMapping[str, str]) -> float | None:
    """sd_watchdog_enabled(3): microseconds, and the process that is meant."""
    microseconds = environment.pop("WATCHDOG_USEC", "")
    is_for_us = environment.pop("WATCHDOG_PID", "") in ("", str(os.getpid()))
    return int(microseconds) / 1e6 if microseconds.isdecimal() and int(microseconds) and is_for_us else None
