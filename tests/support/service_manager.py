"""What the service manager is told, as the manager receives it (sd_notify)."""

from __future__ import annotations

import socket

from tests.support.service import DEADLINE


class Manager:
    """The socket of a service manager."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(DEADLINE)
        self.socket.bind(address)

    def hear(self) -> dict[str, str]:
        """The next message: names and values."""
        lines = self.socket.recv(4096).decode().split("\n")
        return dict(line.split("=", 1) for line in lines)

    def hear_status(self, status: str) -> None:
        """Wait for this status."""
        heard: dict[str, str] = {}
        while heard.get("STATUS") != status:
            heard = self.hear()

    def hear_until(self, name: str) -> list[dict[str, str]]:
        """The messages up to one that has this name."""
        heard = [self.hear()]
        while name not in heard[-1]:
            heard.append(self.hear())
        return heard
