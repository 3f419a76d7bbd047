"""Run uvicorn in this process: its settings, its event loop, signals, a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass
from ssl import SSLContext
from types import FrameType
from typing import Any

import uvicorn
import uvloop
from starlette.types import ASGIApp

from ..runtime.malloc import give_back_large_blocks
from ..runtime.signals import ending_later
from .connection_places import ConnectionPlaces, is_loopback
from .fast_path import FastPath
from .limits import CLOSE
from .open_files import fitted
from .options import Limits
from .tls import Certificates
from .unread import Unread

KEEP_ALIVE = 75
"""Seconds that an idle connection stays open: longer than clients keep theirs, so none is closed under a request."""
HANDSHAKE = 10.0
"""Seconds that TLS may take to begin."""
GRACE = 3
"""Seconds that requests under way have at the end; an answer takes milliseconds."""
SWITCH = 0.0001
"""Seconds for which a thread that follows or makes a page may keep an answer waiting: a fiftieth of the usual."""
LAST = 1.0
"""Seconds before the end, where it is told beforehand, in which each answer is the last one of its connection."""
TICK = 1.0
"""Seconds between two rounds in which the date of answers is set and the service manager is told of life."""
HEADERS = [("X-Content-Type-Options", "nosniff")]
"""Of every answer: no browser is to take one for something else than it says."""
TLS_HEADERS = [*HEADERS, ("Strict-Transport-Security", "max-age=31536000")]
"""Where TLS is ours: a browser comes back by HTTPS alone, for a year (RFC 6797)."""


@dataclass(frozen=True, slots=True)
class LifecycleCallbacks:
    """What is called in the life of the server, by its event loop.

    `alive` every `interval` seconds; where a SIGTERM ends it only `drain` seconds later, `draining` at once and `last`
    before the last second; `ending` at the end.
    """

    alive: Callable[[], Awaitable[None]] | None = None
    interval: int = 1
    drain: float = 0.0
    draining: Callable[[], None] = lambda: None
    last: Callable[[], None] = lambda: None
    ending: Callable[[], None] = lambda: None


def end_on_signals() -> None:
    """Until the server has its own way to end: SIGTERM and SIGINT end the process with 0, and without a traceback.

    SIGHUP waits until it is known what to do then: what was read before may be old.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: sys.exit(0))


def on_hangup(*acts: Callable[[], None] | None) -> None:
    """Do this at SIGHUP, also at one that has waited; it interrupts the code that runs, so it may take no lock."""
    signal.signal(signal.SIGHUP, lambda *_: [act() for act in acts if act])
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})


def run(
    app: ASGIApp,
    listener: socket.socket,
    limits: Limits,
    certificates: Certificates | None = None,
    signs: LifecycleCallbacks | None = None,
    *,
    read: Collection[str] = (),
    is_proxy: Callable[[str], bool] = lambda _: False,
) -> None:
    """Serve until SIGTERM or SIGINT, then let what is under way end; over TLS if there are certificates.

    `read` are the paths whose bodies the application reads and bounds; of one address that `is_proxy` come the
    connections of many clients.
    """
    sys.setswitchinterval(SWITCH)
    give_back_large_blocks()
    with ending_later():
        gc.collect()
        gc.freeze()  # what is there by now stays: to look through it again and again would hold answers up

    signs = signs or LifecycleCallbacks()
    limits = fitted(limits)
    places = ConnectionPlaces(limits.connections, lambda one: is_loopback(one) or is_proxy(one))
    shared = {"limits": limits, "places": places, "read": read, "unread": Unread()}
    protocol = type("Protocol", (FastPath,), shared)
    server = _Server(_config(app, protocol, certificates.context if certificates else None, signs), signs)
    if certificates:
        certificates.on_other_ca = server.end_connections
    server.run([listener])


def _config(app: ASGIApp, protocol: type[FastPath], context: SSLContext | None, signs: LifecycleCallbacks) -> _Config:
    """uvicorn without what is done here: signals, logs, proxies."""
    return _Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        headers=TLS_HEADERS if context else HEADERS,
        ssl_context_factory=(lambda *_: context) if context else None,
        workers=1,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
        callback_notify=signs.alive,
        timeout_notify=signs.interval,
    )


class _Config(uvicorn.Config):
    def get_loop_factory(self) -> Callable[[], asyncio.AbstractEventLoop]:
        """Loops of ours."""
        return Loop


class Loop(uvloop.Loop):
    """uvloop's, with a bound on the time in which a connection may begin and end its TLS: by itself it has a minute."""

    async def create_server(  # type: ignore[override]  # handed on as it comes
        self,
        *arguments: Any,  # noqa: ANN401  as above
        **named: Any,  # noqa: ANN401  as above
    ) -> asyncio.AbstractServer:
        """A server of connections."""
        if named.get("ssl"):
            named.update(ssl_handshake_timeout=HANDSHAKE, ssl_shutdown_timeout=GRACE)
        return await super().create_server(*arguments, **named)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, signs: LifecycleCallbacks) -> None:
        super().__init__(config)
        self._signs = signs
        self._begin_drain: Callable[[], object] | None = None
        self._wake: Callable[[], object] = lambda: None
        self._end_connections: Callable[[], object] = lambda: None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Set our handlers and leave it at that: uvicorn would raise the signal again after a clean end."""
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal that ends the server; the first SIGTERM only begins to drain, where there is time for it."""
        begin, self._begin_drain = self._begin_drain, None
        if begin and sig == signal.SIGTERM:
            begin()
        else:
            super().handle_exit(sig, frame)
            self._wake()

    def end_connections(self) -> None:
        """End each connection with the answer that is due, now and once more for those whose TLS was under way.

        May be called by another thread.
        """
        self._end_connections()

    async def main_loop(self) -> None:
        """Tick until the end.

        uvicorn wakes ten times a second to see whether a signal has come; here the signal wakes it. Its own tick of
        each second is that of a number that ten divides.
        """
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(woken.set)  # all that a signal handler may do to a loop
        self._end_connections = lambda: loop.call_soon_threadsafe(self._end_present, loop)
        if self._signs.drain:
            self._begin_drain = lambda: loop.call_soon_threadsafe(self._drain, loop)
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), TICK)
        self._begin_drain = None
        self._wake = self._end_connections = lambda: None

    def _drain(self, loop: asyncio.AbstractEventLoop) -> None:
        """Who sends requests is told to send them elsewhere; until that has been seen they are answered as before."""
        self._signs.draining()
        loop.call_later(max(0.0, self._signs.drain - LAST), self._begin_last)
        loop.call_later(self._signs.drain, self.handle_exit, signal.SIGTERM, None)

    def _begin_last(self) -> None:
        """Each answer ends its connection and says so, those of long waits first: no request meets one that ends."""
        self.config.encoded_headers.append(CLOSE)
        self.server_state.default_headers = [*self.server_state.default_headers, CLOSE]
        for connection in self.server_state.connections:
            connection.announce_end()  # type: ignore[union-attr]  # each is ours
        self._signs.last()

    def _end_present(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if loop:
            loop.call_later(HANDSHAKE, self._end_present)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more, and let what is under way end."""
        self._signs.ending()
        await super().shutdown(sockets)
