"""Coroutines that wait are woken at once, or as many as there is room for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from location_policy.runtime import wakeup as wakeups
from location_policy.runtime.wakeup import AT_ONCE, STEP, Wakeup
from tests.support.service import wait_until


def run(work: Coroutine[Any, Any, None]) -> float:
    """The seconds that it takes."""
    began = time.monotonic()
    asyncio.run(work)
    return time.monotonic() - began


def test_a_thread_wakes_what_waits() -> None:
    async def work() -> None:
        wakeup, is_so = Wakeup(10), list[bool]()
        waits = [asyncio.ensure_future(wakeup.until(lambda: bool(is_so), 60)) for _ in range(3)]
        await asyncio.sleep(0)
        wakeup.tell()  # of something else
        await asyncio.sleep(0.05)
        assert not any(one.done() for one in waits)
        is_so.append(True)
        await asyncio.to_thread(wakeup.tell)
        await asyncio.gather(*waits)

    assert run(work()) < 10


def test_what_is_so_is_not_waited_for_and_what_is_not_only_as_long_as_is_asked() -> None:
    async def work() -> None:
        await Wakeup(10).until(lambda: True, 60)
        await Wakeup(10).until(lambda: False, 0.2)

    assert 0.15 < run(work()) < 10


def test_one_who_leaves_is_no_longer_waited_with() -> None:
    async def work() -> None:
        wakeup = Wakeup(1)
        wait = asyncio.ensure_future(wakeup.until(lambda: False, 60, lambda: asyncio.sleep(0.1)))
        await asyncio.sleep(0)
        assert wakeup.is_full
        await wait
        assert not wakeup.is_full

    assert run(work()) < 10


def test_as_many_are_woken_as_there_is_room_for_and_one_that_comes_then_is_the_last() -> None:
    async def work() -> None:
        room, order, is_so = [0], list[int](), list[bool]()
        wakeup = Wakeup(10, lambda: room[0])

        async def wait(number: int) -> None:
            await wakeup.until(lambda: bool(is_so), 60)
            room[0] -= 1
            order.append(number)

        waits = [asyncio.ensure_future(wait(number)) for number in range(4)]
        await asyncio.sleep(0)
        is_so.append(True)
        wakeup.tell()
        await asyncio.sleep(4 * STEP)
        assert order == []
        waits.append(asyncio.ensure_future(wait(4)))
        await asyncio.sleep(0)
        for expected in ([0, 1], [0, 1, 2, 3], [0, 1, 2, 3, 4]):
            room[0] = 2
            await asyncio.to_thread(wait_until, lambda: len(order) >= len(expected))  # noqa: B023  it is awaited here
            await asyncio.sleep(4 * STEP)
            assert order == expected
        await asyncio.gather(*waits)

    assert run(work()) < 10


def test_they_are_woken_one_by_one_and_a_few_together_only_where_the_loop_is_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wakeups, "STEP", 5.0)

    async def work() -> None:
        loop, wakeup, woken, late = asyncio.get_running_loop(), Wakeup(20), list[int](), 0.0
        monkeypatch.setattr(loop, "time", lambda: time.monotonic() + late)

        async def wait(number: int) -> None:
            await wakeup.until(lambda: late > 0, 600)
            woken.append(number)

        waits = [asyncio.ensure_future(wait(number)) for number in range(12)]
        await asyncio.sleep(0)
        late = 10 * wakeups.STEP
        for expected in (AT_ONCE, AT_ONCE + 1, AT_ONCE + 2):
            wakeup.tell()
            for _ in range(20):  # turns of the loop, more than any of them needs, however long one takes
                await asyncio.sleep(0)
            assert len(woken) == expected
        wakeup.end()
        await asyncio.gather(*waits)

    run(work())


def test_one_whose_time_is_over_in_the_moment_of_waking_keeps_no_other_from_it() -> None:
    async def work() -> None:
        loop, wakeup, is_so = asyncio.get_running_loop(), Wakeup(10), list[bool]()
        waits = [asyncio.ensure_future(wakeup.until(lambda: bool(is_so), seconds)) for seconds in (0.1, 60, 60)]
        await asyncio.sleep(0)
        is_so.append(True)
        loop.call_later(0.2, wakeup._begin_waking)
        time.sleep(0.3)  # noqa: ASYNC251  the end of the first comes in one turn of the loop with this
        await asyncio.gather(*waits)

    assert run(work()) < 10


def test_at_the_end_there_is_room_for_all() -> None:
    async def work() -> None:
        wakeup = Wakeup(10, lambda: 0)
        waits = [asyncio.ensure_future(wakeup.until(lambda: True, 60)) for _ in range(3)]
        await asyncio.sleep(0)
        wakeup.end()
        await asyncio.gather(*waits)
        await wakeup.until(lambda: False, 60)

    assert run(work()) < 10
