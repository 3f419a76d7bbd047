"""A child process with pipes, on the loop that the service has and on that of the standard library."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from socket import socket
from typing import Any

import pytest
import uvloop

from location_policy.runtime.piped_process import PipedProcess

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}
Run = Callable[[Coroutine[Any, Any, None]], None]

forks: list[int] = []
os.register_at_fork(before=lambda: forks.append(1))


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    found: Run = request.param
    return found


async def start(script: str) -> PipedProcess:
    return await PipedProcess.start(["sh", "-c", script], "/", ENVIRONMENT, 65_536)


async def write_without_end(process: PipedProcess) -> None:
    while True:
        process.stdin.write(b"x" * 100_000)
        await process.stdin.drain()


def test_it_is_written_to_and_read_and_says_how_it_ends(run: Run) -> None:
    async def work() -> None:
        process = await start("tr a b; echo no >&2; exit 3")
        text = b"a" * 1_000_000  # more than a pipe holds
        whole = asyncio.ensure_future(process.stdout.read())
        process.stdin.write(text)
        await process.stdin.drain()
        process.stdin.close()
        assert await whole == text.replace(b"a", b"b")
        assert (await process.stderr.read(), await process.wait(), process.returncode) == (b"no\n", 3, 3)
        process.close()

    run(work())


def test_the_service_is_not_forked_for_it(run: Run) -> None:
    async def work() -> None:
        process = await start("exit 0")
        assert await process.wait() == 0
        process.close()

    forks.clear()
    run(work())
    assert not forks


def test_it_leads_a_group_that_can_be_ended_and_its_pipes_are_let_go(run: Run) -> None:
    async def work() -> None:
        process = await start("sleep 60 & wait")
        assert os.getpgid(process.pid) == process.pid != os.getpgid(0)
        assert process.returncode is None
        os.killpg(process.pid, signal.SIGTERM)
        assert await process.wait() == -signal.SIGTERM
        process.close()

    run(work())


def test_a_write_to_one_that_has_ended_is_an_error_of_the_connection(run: Run) -> None:
    async def work() -> None:
        process = await start("exec <&-; exit 0")
        await process.wait()
        with pytest.raises(ConnectionError):
            await write_without_end(process)
        process.close()

    run(work())


def test_what_cannot_be_run_is_told_and_what_cannot_be_read_is_ended(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[PipedProcess] = []

    async def fail(process: PipedProcess, *ends: socket) -> None:
        ended.append(process)
        for end in ends:
            end.close()
        raise OSError(24, "Too many open files")

    async def work() -> None:
        with pytest.raises(FileNotFoundError):
            await PipedProcess.start(["no-such-program"], "/", ENVIRONMENT, 100)
        monkeypatch.setattr(PipedProcess, "_connect", fail)
        with pytest.raises(OSError, match="Too many open files"):
            await start("sleep 60")
        assert await ended[0].wait() == -signal.SIGKILL

    run(work())


def test_no_descriptor_is_closed_that_another_thread_has_opened_meanwhile(run: Run) -> None:
    """A descriptor that is closed twice is another one's the second time, where that is opened between."""
    is_over = threading.Event()
    lost: list[OSError] = []

    def open_and_close() -> None:
        while not is_over.is_set():
            descriptors = [os.open("/dev/null", os.O_RDONLY) for _ in range(20)]
            for one in descriptors:
                try:
                    os.close(one)
                except OSError as error:
                    lost.append(error)

    async def work() -> None:
        for _ in range(60):
            process = await start("echo yes")
            process.stdin.close()
            assert await process.stdout.read() == b"yes\n"
            assert await process.wait() == 0
            process.close()
            await asyncio.sleep(0)

    threads = [threading.Thread(target=open_and_close) for _ in range(2)]
    for one in threads:
        one.start()
    try:
        run(work())
    finally:
        is_over.set()
        for one in threads:
            one.join()
    assert not lost
