"""The process: signals, a clean end."""

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
from typing import Any

import uvicorn
import uvloop
from starlette.types import ASGIApp

from .accepting import Counted, Door
from .crew import Crew
from .open_files import fitted
from .settings import Limits
from .short_way import ShortWay

KEEP_ALIVE = 75
"""Seconds that an idle connection stays open: longer than clients keep theirs, so none is closed under a request."""
HANDSHAKE = 10.0
"""Seconds that TLS may take to begin."""
GRACE = 3
"""Seconds that requests under way have at the end; an answer takes milliseconds."""
SWITCH = 0.0001
"""Seconds for which a thread that follows or makes a page may keep an answer waiting: a fiftieth of the usual."""
HEADERS = [("X-Content-Type-Options", "nosniff")]
"""Of every answer: no browser is to take one for something else than it says."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What is called in the life of the server: `alive` by its event loop every `interval` seconds, `ending` once."""

    alive: Callable[[], Awaitable[None]] | None = None
    interval: int = 1
    ending: Callable[[], None] = lambda: None


def end_on_signals() -> None:
    """Until the server has its own way to end: SIGTERM and SIGINT end the process with 0, and without a traceback.

    SIGHUP waits until it is known what to do then: what was read before may be old.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: sys.exit(0))


@contextlib.contextmanager
def ending_later() -> Iterator[None]:
    """A signal that is to end the process does so after the block.

    In the block may be what loses the exception by which it ends: a callback of the collector does.
    """
    came: list[int] = []
    before = {one: signal.signal(one, lambda number, _: came.append(number)) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    for number in came[:1]:
        signal.raise_signal(number)


def on_hangup(*acts: Callable[[], None] | None) -> None:
    """Do this at SIGHUP, also at one that has waited; it interrupts whatever runs, so it may take no lock."""
    signal.signal(signal.SIGHUP, lambda *_: [act() for act in acts if act])
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})


def run(
    app: ASGIApp,
    listener: socket.socket,
    limits: Limits,
    context: SSLContext | None = None,
    signs: Signs | None = None,
    *,
    read: Collection[str] = (),
    crew: Crew | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then let what is under way end; over TLS if there is a context.

    `read` are the paths whose bodies the application reads and bounds. With the others of `crew`, if there are any, the
    listener is shared.
    """
    sys.setswitchinterval(SWITCH)
    with ending_later():
        gc.collect()
        gc.freeze()  # what is there by now stays: to look through it again and again would hold answers up

    signs = signs or Signs()
    crew = crew or Crew()
    protocol = ShortWay if crew.size == 1 else Counted
    own = {"limits": fitted(limits), "read": read, "cells": crew.own.cells}
    config = _config(app, type("Protocol", (protocol,), own), context, signs)
    config.crew = crew
    _Server(config, signs).run([listener])


def _config(app: ASGIApp, protocol: type[ShortWay], context: SSLContext | None, signs: Signs) -> _Config:
    """uvicorn without what is done here: signals, logs, proxies, other workers."""
    return _Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        headers=HEADERS,
        ssl_context_factory=(lambda *_: context) if context else None,
        workers=1,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
        callback_notify=signs.alive,
        timeout_notify=signs.interval,
    )


class _Config(uvicorn.Config):
    crew: Crew

    def get_loop_factory(self) -> Callable[[], asyncio.AbstractEventLoop]:
        """Loops of ours."""

        def make() -> Loop:
            loop = Loop()
            loop.crew = self.crew
            return loop

        return make


class Loop(uvloop.Loop):
    """uvloop's, with a bound on the time in which a connection may begin and end its TLS: by itself it has a minute.

    Where there are more workers, its server shares the listener with theirs.
    """

    crew: Crew

    async def create_server(  # type: ignore[override]  # handed on as it comes; uvicorn asks a server only to close
        self,
        *arguments: Any,  # noqa: ANN401  as above
        **named: Any,  # noqa: ANN401  as above
    ) -> asyncio.AbstractServer | Door:
        """A server of connections."""
        if named.get("ssl"):
            named.update(ssl_handshake_timeout=HANDSHAKE, ssl_shutdown_timeout=GRACE)
        if self.crew.size == 1:
            return await super().create_server(*arguments, **named)
        door = Door(self, named.pop("sock"), self.crew)
        named.pop("backlog")
        door.open(*arguments, **named)
        return door


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, signs: Signs) -> None:
        super().__init__(config)
        self._ending = signs.ending

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Set our handlers and leave it at that: uvicorn would raise the signal again after a clean end."""
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, self.handle_exit)
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more, and let what is under way end."""
        self._ending()
        await super().shutdown(sockets)
