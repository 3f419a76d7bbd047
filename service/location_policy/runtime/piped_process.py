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
from contextlib import ExitStack, suppress
from functools import partial
from socket import socket, socketpair
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
        running, *ours = _begin(words, cwd, environment)
        process = cls(running, limit)
        connecting = asyncio.ensure_future(process._connect(*ours))
        try:
            await asyncio.shield(connecting)  # half of it would leave it open who closes what
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            with suppress(OSError):
                await connecting
            process.close()
            raise
        return process

    async def _connect(self, stdin: socket, stdout: socket, stderr: socket) -> None:
        loop = asyncio.get_running_loop()
        for reader, end in ((self.stdout, stdout), (self.stderr, stderr)):
            transport, _ = await loop.connect_read_pipe(partial(asyncio.StreamReaderProtocol, reader), end)
            self._transports.append(transport)
        writes = asyncio.StreamReaderProtocol(asyncio.StreamReader())
        to, _ = await loop.connect_write_pipe(lambda: writes, stdin)
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


def _begin(
    words: Sequence[str], cwd: str, environment: Mapping[str, str]
) -> tuple[subprocess.Popen[bytes], socket, socket, socket]:
    """The child, and our ends of its three pipes; it blocks until that runs its program.

    They are sockets, whose descriptors uvloop takes over. That of a file it closes, and then has the file close it once
    more: another thread may have opened one of the same number by then.
    """
    with ExitStack() as opened:
        pairs = [tuple(map(opened.enter_context, socketpair())) for _ in range(3)]
        (stdin, its_input), (stdout, its_output), (stderr, its_errors) = pairs
        running = subprocess.Popen(
            words,
            cwd=cwd,
            env=environment,
            stdin=its_input.fileno(),
            stdout=its_output.fileno(),
            stderr=its_errors.fileno(),
            start_new_session=True,  # so that all that it starts can be ended, and nothing finds a terminal
        )
        opened.pop_all()
    for end in (its_input, its_output, its_errors):
        end.close()
    return running, stdin, stdout, stderr
