"""A child process whose pipes an event loop reads and writes, started as the standard library starts one (vfork).

uvloop forks: all that the service has in memory is mapped once more, on the loop, and no answer is sent meanwhile. That
takes 2 ms, and 7 where it is 200 MB; here it is a fifth of one.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from threading import Thread


class PipedProcess:
    """One that runs, at the head of a process group of its own; `start` makes it. For one event loop."""

    stdin: asyncio.StreamWriter

    def __init__(self, running: subprocess.Popen[bytes], limit: int) -> None:
        self.stdout, self.stderr = asyncio.StreamReader(limit), asyncio.StreamReader(limit)
        self._running = running
        self._transports: list[asyncio.BaseTransport] = []
        self._has_ended = asyncio.Event()
        loop = asyncio.get_running_loop()

        def watch() -> None:
            running.wait()
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._has_ended.set)

        Thread(target=watch, name="child", daemon=True).start()

    @classmethod
    async def start(cls, words: Sequence[str], cwd: str, environment: Mapping[str, str], limit: int) -> PipedProcess:
        """Run a command; of each output about `limit` bytes are read ahead. Raises OSError."""
        running = _begin(words, cwd, environment)
        process = cls(running, limit)
        try:
            await process._connect()
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            process.close()
            raise
        return process

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        for reader, pipe in ((self.stdout, self._running.stdout), (self.stderr, self._running.stderr)):
            transport, _ = await loop.connect_read_pipe(partial(asyncio.StreamReaderProtocol, reader), pipe)
            self._transports.append(transport)
        writes = asyncio.StreamReaderProtocol(asyncio.StreamReader())
        to, _ = await loop.connect_write_pipe(lambda: writes, self._running.stdin)
        self._transports.append(to)
        self.stdin = asyncio.StreamWriter(to, writes, None, loop)

    @property
    def pid(self) -> int:
        """Of the process, and of its group."""
        return self._running.pid

    @property
    def returncode(self) -> int | None:
        """How it has ended: its status, or a signal as a number below 0; None: it runs."""
        return self._running.returncode

    async def wait(self) -> int:
        """How it ends."""
        await self._has_ended.wait()
        return self._running.wait()

    def close(self) -> None:
        """Let go of its pipes, whoever else may hold their other ends."""
        for transport in self._transports:
            transport.close()
        if len(self._transports) < 3:  # it could not be begun with
            for pipe in (self._running.stdin, self._running.stdout, self._running.stderr):
                if pipe:
                    pipe.close()


def _begin(words: Sequence[str], cwd: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """It blocks until the child runs its program; in a thread it would hold all others up as well."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        words,
        cwd=cwd,
        env=environment,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        bufsize=0,
        start_new_session=True,  # so that all that it starts can be ended, and nothing finds a terminal
    )
