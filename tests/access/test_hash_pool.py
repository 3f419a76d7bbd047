"""Work in order of rank, off the event loop, with little room."""

from __future__ import annotations

import asyncio
import threading

from location_policy.access.hash_pool import HashPool


def test_the_loop_goes_on_meanwhile_and_the_lowest_rank_comes_first() -> None:
    async def ask() -> tuple[list[int], list[bool | None]]:
        line, validator, began = HashPool(threads=1), threading.Event(), threading.Event()
        order: list[int] = []

        def hold() -> bool:
            began.set()
            return validator.wait(20)

        def note(rank: int) -> bool:
            order.append(rank)
            return rank > 1

        first = line.put(hold, (9,))
        await asyncio.to_thread(began.wait)  # no task stands before it any more
        others = [line.put(lambda rank=rank: note(rank), (rank,)) for rank in (3, 1, 2)]  # type: ignore[misc]  # a default
        validator.set()
        return order, await asyncio.gather(first, *others)

    assert asyncio.run(ask()) == ([1, 2, 3], [True, True, False, True])


def test_when_it_is_full_the_last_is_turned_away() -> None:
    async def ask() -> list[bool | None]:
        line, validator, began = HashPool(room=2, threads=1), threading.Event(), threading.Event()

        def hold() -> bool:
            began.set()
            return validator.wait(20)

        first = line.put(hold, (0,))
        await asyncio.to_thread(began.wait)
        others = [line.put(lambda: True, (rank,)) for rank in (5, 1, 0)]
        turned_away = await others[0]
        validator.set()
        return [turned_away, *await asyncio.gather(first, *others[1:])]

    assert asyncio.run(ask()) == [None, True, True, True]


def test_of_the_same_rank_the_last_to_come_has_the_chance_of_the_first() -> None:
    async def ask() -> int:
        line, validator, began = HashPool(threads=1), threading.Event(), threading.Event()
        order: list[int] = []

        def hold() -> bool:
            began.set()
            return validator.wait(20)

        def note(number: int) -> bool:
            order.append(number)
            return True

        first = line.put(hold, (0,))
        await asyncio.to_thread(began.wait)
        others = [line.put(lambda number=number: note(number), (0,)) for number in range(100)]  # type: ignore[misc]  # a default
        validator.set()
        await asyncio.gather(first, *others)
        return order.index(99)

    assert min(asyncio.run(ask()) for _ in range(20)) < 50  # all twenty in the second half: once in a million


def test_who_no_longer_waits_is_taken_out_unless_it_has_begun() -> None:
    async def ask() -> list[bool | None]:
        line, validator, began = HashPool(threads=1), threading.Event(), threading.Event()

        def hold() -> bool:
            began.set()
            return validator.wait(20)

        begun = line.put(hold, (0,))
        await asyncio.to_thread(began.wait)
        waiting = line.put(lambda: True, (0,))
        line.withdraw(begun)
        line.withdraw(waiting)
        taken_out = await waiting
        validator.set()
        return [await begun, taken_out]

    assert asyncio.run(ask()) == [True, None]


def test_work_that_outlives_the_loop_ends_without_a_word() -> None:
    validator, ended = threading.Event(), threading.Event()
    line = HashPool(threads=1)

    def work() -> bool:
        validator.wait(20)
        ended.set()
        return True

    async def ask() -> None:
        line.put(work, (0,))

    async def ask_again() -> bool | None:
        return await line.put(lambda: True, (0,))

    asyncio.run(ask())
    validator.set()
    assert ended.wait(20)
    assert asyncio.run(ask_again())
