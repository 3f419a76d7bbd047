"""Connections at a socket that several workers share: who takes them, and when nobody else does."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from location_policy import accepting
from location_policy.accepting import Door
from location_policy.crew import BIRTH, CONNECTIONS, SERVING, Crew
from location_policy.settings import Tls
from location_policy.tls import Certificates
from tests.support.access import Pki
from tests.support.service import DEADLINE


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def crew() -> Crew:
    """Two workers that take connections; this one has two, the other one."""
    crew = Crew(2)
    for number, place in enumerate(crew.places):
        place.cells[BIRTH] = place.cells[SERVING] = 1
        place.cells[CONNECTIONS] = 2 - number
    return crew


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110  nobody tells of it
            await asyncio.sleep(0.001)


def connect(listener: socket.socket) -> socket.socket:
    return socket.create_connection(listener.getsockname())


def test_one_that_has_more_takes_what_nobody_else_takes(listener: socket.socket, crew: Crew) -> None:
    async def run() -> None:
        door = Door(asyncio.get_running_loop(), listener, crew)
        door.open(asyncio.Protocol)
        with closing(connect(listener)):
            await until(lambda: crew.own.cells[CONNECTIONS] == 3)
        door.close()
        await door.wait_closed()
        assert crew.own.cells[SERVING] == 0

    asyncio.run(run())


def test_one_that_has_more_leaves_it_to_another(
    listener: socket.socket, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "MOMENT", 3600.0)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        door = Door(loop, listener, crew)
        door.open(asyncio.Protocol)
        with closing(connect(listener)):
            await until(lambda: door._later is not None)
            taken, _ = await loop.sock_accept(listener)
            taken.close()
        assert crew.own.cells[CONNECTIONS] == 2
        door.close()

    asyncio.run(run())


def test_one_that_has_fewer_takes_all_that_wait(listener: socket.socket, crew: Crew) -> None:
    crew.places[1].cells[CONNECTIONS] = 5

    async def run() -> None:
        door = Door(asyncio.get_running_loop(), listener, crew)
        waiting = [connect(listener) for _ in range(3)]
        door.open(asyncio.Protocol)
        await until(lambda: crew.own.cells[CONNECTIONS] == 5)
        door.close()
        for one in waiting:
            one.close()

    asyncio.run(run())


def test_one_without_room_for_files_tries_again(
    listener: socket.socket, crew: Crew, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(accepting, "AGAIN", 0.01)
    crew.places[1].cells[SERVING] = 0
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def run() -> None:
        door = Door(asyncio.get_running_loop(), listener, crew)
        with closing(connect(listener)):
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
            try:
                door.open(asyncio.Protocol)
                await until(lambda: len(caplog.messages) > 1)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            await until(lambda: crew.own.cells[CONNECTIONS] == 3)
        door.close()

    asyncio.run(run())
    assert caplog.messages[0] == "no connection can be taken: Too many open files"


def test_one_whose_tls_does_not_come_about_is_not_counted(listener: socket.socket, crew: Crew, tmp_path: Path) -> None:

    pki = Pki(tmp_path / "pki")
    crew.places[1].cells[SERVING] = 0

    async def run() -> None:
        door = Door(asyncio.get_running_loop(), listener, crew)
        door.open(asyncio.Protocol, ssl=Certificates(Tls(pki.cert, pki.key)).context)
        with closing(connect(listener)) as client:
            await until(lambda: crew.own.cells[CONNECTIONS] == 3)
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            await until(lambda: crew.own.cells[CONNECTIONS] == 2)
            with suppress(ConnectionError):
                client.recv(100)
        door.close()

    asyncio.run(run())
