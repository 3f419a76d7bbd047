"""Work for pages, off the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from location_policy.web.edge.faults import Fault
from location_policy.web.site.thread_pool import Desk


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What holds work up until it is set; it is set at the end whatever happens."""
    event = threading.Event()
    yield event
    event.set()


def test_work_is_done_in_another_thread() -> None:
    assert asyncio.run(Desk().do(threading.get_ident)) != threading.get_ident()


def test_what_work_raises_comes_to_who_asked() -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(Desk().do(lambda: 1 // 0))


def test_who_finds_the_line_full_is_told_to_come_again(gate: threading.Event) -> None:
    async def ask() -> list[bool | BaseException]:
        desk = Desk(threads=1, room=1)
        busy = threading.Event()

        def hold() -> bool:
            busy.set()
            return gate.wait()

        first = asyncio.ensure_future(desk.do(hold))
        await asyncio.to_thread(busy.wait)
        rest = [asyncio.ensure_future(desk.do(gate.wait)) for _ in range(2)]
        done, _ = await asyncio.wait(rest, return_when=asyncio.FIRST_COMPLETED)
        assert done == {rest[1]}
        gate.set()
        return await asyncio.gather(first, *rest, return_exceptions=True)

    one, other, turned_away = asyncio.run(ask())
    assert (one, other) == (True, True)
    assert isinstance(turned_away, Fault)
    assert (turned_away.status, turned_away.message) == (503, "too many pages are being made")


def test_who_has_waited_too_long_is_told_so_and_the_line_goes_on(gate: threading.Event) -> None:
    async def ask() -> str:
        desk = Desk(threads=1, room=2, seconds=0.05)
        waiting = [desk.do(gate.wait), desk.do(lambda: True)]
        faults = await asyncio.gather(*waiting, return_exceptions=True)
        assert [str(fault) for fault in faults] == ["this takes more than 0 seconds"] * 2
        gate.set()
        return await Desk(threads=1).do(lambda: "done")

    assert asyncio.run(ask()) == "done"


def test_work_that_ends_after_its_loop_does_no_harm(gate: threading.Event) -> None:
    desk = Desk(threads=1, seconds=0.05)

    async def leave(work: threading.Event) -> None:
        await desk.do(work.wait)

    with pytest.raises(Fault):
        asyncio.run(leave(gate))
    gate.set()
    assert asyncio.run(Desk.do(desk, lambda: "still there")) == "still there"
