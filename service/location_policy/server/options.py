"""The options of the server: where it listens, its TLS, and how much clients may take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Limits:
    """How much clients may take.

    `header_bytes` for the request line and all headers of a request; `header_seconds` from the start of a connection or
    the first byte of a further request to its end; open `connections`; of services that follow this one so many
    `followers` may wait at a time, and no more than half of the connections.
    """

    header_bytes: int = 32_768
    header_seconds: float = 10.0
    connections: int = 10_000
    followers: int = 2_000


@dataclass(frozen=True, slots=True)
class Tls:
    """The PEM files of TLS in the process; with `client_ca` a client needs a certificate that it has signed."""

    cert: Path
    key: Path
    client_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen: on a Unix socket, else on host and port; what stands before and how it is kept secret."""

    host: str = "127.0.0.1"
    port: int = 8080
    uds: Path | None = None
    tls: Tls | None = None
    behind_proxy: bool = False
    proxies: str = ""


LIMITS = Limits()
"""Those of a service that was not asked for others."""
