"""The clients that were known before: from whose addresses right credentials came, kept over a restart.

Memory of what is right ends with the process, and a stranger's flood of wrong passwords then stands beside every node.
So where nodes ask from is kept: a file with a line for each address, or /64 of IPv6, the one that was new last at its
end. No name is in it, and nothing of a password.
"""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

from ..net.client_networks import networks
from ..runtime.atomic_file import remove_abandoned, replacing
from ..runtime.regular_file import MODE, read_regular

FILE_NAME = "known-clients"
KEPT = 4096
"""Clients that are kept; the one that was seen longest ago makes room."""

log = logging.getLogger(__name__)


class KnownClients:
    """Addresses of clients; from one thread they are added, another may write them down."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._networks: dict[str, None] = {}
        self._directory: Path | None = None
        self._is_written = True
        self._told: str | None = None

    def keep_in(self, directory: Path) -> None:
        """Know those that are kept in this directory too, and keep all there from now on."""
        self._directory = directory
        try:
            lines = read_regular(directory / FILE_NAME).decode(errors="replace").split("\n")
        except FileNotFoundError:
            return
        except OSError as error:
            self._tell(f"{directory / FILE_NAME} cannot be read: {error.strerror}")
            return
        with self._lock:
            self._networks = dict.fromkeys([*filter(None, lines)][-KEPT:]) | self._networks

    def __contains__(self, address: str) -> bool:
        return networks(address)[0] in self._networks

    def add(self, address: str) -> None:
        """Right credentials came from there."""
        own = networks(address)[0]
        with self._lock:
            self._is_written &= own in self._networks
            self._networks.pop(own, None)
            self._networks[own] = None
            if len(self._networks) > KEPT:
                del self._networks[next(iter(self._networks))]

    def look(self, *, asked: bool = False) -> None:
        """Write them down if there are new ones; what fails is told once, and tried again at the next look."""
        if self._directory is None or (self._is_written and not asked):
            return
        with self._lock:
            lines = "".join(f"{network}\n" for network in self._networks)
            self._is_written = True
        try:
            _write(self._directory / FILE_NAME, lines.encode())
            self._told = None
        except OSError as error:
            self._is_written = False
            self._tell(f"{self._directory} cannot be written: {error.strerror}")

    def _tell(self, reason: str) -> None:
        if reason != self._told:
            log.warning("clients that were known are not kept for a restart: %s", reason)
        self._told = reason


def _write(path: Path, content: bytes) -> None:
    remove_abandoned(path)
    with replacing(path) as file:
        file.write(content)
        os.fchmod(file.fileno(), MODE)
