"""Work for pages, off the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from location_policy.web.edge.faults import Fault
from location_policy.web.site.thread_pool import ThreadPool


@pytest.fixture
def validator() -> Iterator[threading.Event]:
    """What holds work up until it is set; it is set at the end in any case."""
    event = threading.Event()
    yield event
    event.set()


def test_work_is_done_in_another_thread() -> None:
    assert asyncio.run(ThreadPool().do(threading.get_ident)) != threading.get_ident()


def test_what_work_raises_comes_to_who_asked() -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(ThreadPool().do(lambda: 1 // 0))


def test_who_finds_the_line_full_is_told_to_come_again(validator: threading.Event) -> None:
    async def ask() -> list[bool | BaseException]:
        pool = ThreadPool(threads=1, room=1)
        busy = threading.Event()

        def hold() -> bool:
            busy.set()
            return validator.wait()

        first = asyncio.ensure_future(pool.do(hold))
        await asyncio.to_thread(busy.wait)
        rest = [asyncio.ensure_future(pool.do(validator.wait)) for _ in range(2)]
        done, _ = await asyncio.wait(rest, return_when=asyncio.FIRST_COMPLETED)
        assert done == {rest[1]}
        validator.set()
        return await asyncio.gather(first, *rest, return_exceptions=True)

    one, other, turned_away = asyncio.run(ask())
    assert (one, other) == (True, True)
    assert isinstance(turned_away, Fault)
    assert (turned_away.status, turned_away.message) == (503, "too many pages are being made")


def test_one_asker_has_one_work_done_at_a_time_and_the_others_are_not_kept_waiting(validator: threading.Event) -> None:
    async def ask() -> tuple[list[str], list[object]]:
        pool = ThreadPool(threads=2, room=32, seconds=30)
        much = [asyncio.ensure_future(pool.do(validator.wait, "ana")) for _ in range(40)]
        await asyncio.sleep(0)
        others = [await pool.do(lambda user=user: user, user) for user in ("ben", "node", "ben")]  # type: ignore[misc]  # a default
        validator.set()
        return others, await asyncio.gather(*much, return_exceptions=True)

    others, much = asyncio.run(ask())
    assert others == ["ben", "node", "ben"]
    assert sum(one is True for one in much) in (32, 33)  # one may be taken before the last has asked
    assert sum(isinstance(one, Fault) for one in much) in (7, 8)


def test_askers_take_turns(validator: threading.Event) -> None:
    async def ask() -> list[str]:
        pool, done = ThreadPool(threads=1), list[str]()
        first = asyncio.ensure_future(pool.do(validator.wait, "x"))
        works = [
            asyncio.ensure_future(pool.do(lambda name=name: done.append(name), name[0]))  # type: ignore[misc]  # a default
            for name in ("a1", "a2", "a3", "b1", "c1", "b2")
        ]
        await asyncio.sleep(0)
        validator.set()
        await asyncio.gather(first, *works)
        return done

    assert asyncio.run(ask()) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_all_lines_together_are_bounded(validator: threading.Event) -> None:
    async def ask() -> list[object]:
        pool = ThreadPool(threads=1, room=1)
        asked = [asyncio.ensure_future(pool.do(validator.wait, str(number))) for number in range(20)]
        await asyncio.sleep(0.1)
        validator.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    assert sum(one is True for one in asyncio.run(ask())) in (8, 9)  # one may be taken before the last has asked


def test_who_has_waited_too_long_is_told_so_and_the_line_goes_on(validator: threading.Event) -> None:
    async def ask() -> str:
        pool = ThreadPool(threads=1, room=2, seconds=0.05)
        waiting = [pool.do(validator.wait), pool.do(lambda: True)]
        faults = await asyncio.gather(*waiting, return_exceptions=True)
        assert [str(fault) for fault in faults] == ["this takes more than 0 seconds"] * 2
        validator.set()
        return await ThreadPool(threads=1).do(lambda: "done")

    assert asyncio.run(ask()) == "done"


def test_work_that_ends_after_its_loop_does_no_harm(validator: threading.Event) -> None:
    pool = ThreadPool(threads=1, seconds=0.05)

    async def leave(work: threading.Event) -> None:
        await pool.do(work.wait)

    with pytest.raises(Fault):
        asyncio.run(leave(validator))
    validator.set()
    assert asyncio.run(ThreadPool.do(pool, lambda: "still there")) == "still there"
