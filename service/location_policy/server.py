"""The process: socket, signals, a clean end.

The socket is bound before anything else happens, so that a taken port is told at once and in one sentence.
"""

from __future__ import annotations

import contextlib
import errno
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from .errors import CannotStart
from .limits import LimitedProtocol, fitted
from .settings import Limits

KEEP_ALIVE = 75
"""Seconds that an idle connection stays open: longer than clients keep theirs, so none is closed under a request."""
GRACE = 3
"""Seconds that requests under way have at the end; an answer takes milliseconds."""
BACKLOG = 2048


def bind(host: str, port: int, *, allow_anonymous: bool = False) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises CannotStart, also for a host beyond loopback unless everyone who reaches it may ask.
    """
    family, address = _resolve(host, port)
    if not allow_anonymous and not ip_address(address[0]).is_loopback:
        message = f"{host} can be reached from other machines, and this version asks nobody for a password"
        raise CannotStart(message, "listen on 127.0.0.1 behind a reverse proxy, or add --allow-anonymous-policy")
    try:
        return _listen(family, address)
    except OSError as error:
        hint = f"see what uses it with: ss -ltnp 'sport = :{port}', or choose another --port"
        message = f"cannot listen on {host} port {port}: {error.strerror}"
        raise CannotStart(message, hint if error.errno == errno.EADDRINUSE else None) from None


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise CannotStart(f"{host} is not an address of this machine", "name one such as 127.0.0.1") from None
    return family, address


def _listen(family: socket.AddressFamily, address: tuple[Any, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def end_on_signals() -> None:
    """Until the server has its own way to end: SIGTERM and SIGINT end the process with 0, and without a traceback.

    SIGHUP does not end it.
    """
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: sys.exit(0))
    on_hangup(lambda: None)


def on_hangup(act: Callable[[], None]) -> None:
    """Do this at SIGHUP; it interrupts whatever runs, so it may take no lock."""
    signal.signal(signal.SIGHUP, lambda *_: act())


def run(app: ASGIApp, listener: socket.socket, limits: Limits) -> None:
    """Serve until SIGTERM or SIGINT, then let what is under way end."""

    class Protocol(LimitedProtocol):
        """One connection to this server."""

    Protocol.limits = fitted(limits)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        workers=1,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    _Server(config).run([listener])


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Set our handlers and leave it at that: uvicorn would raise the signal again after a clean end."""
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, self.handle_exit)
        yield
