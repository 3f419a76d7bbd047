"""Few do something at once, and one asker leaves half of the turns to others."""

from __future__ import annotations

import asyncio
from collections import Counter

from location_policy.runtime.turns import Turns


def test_one_who_asks_much_leaves_half_of_the_turns_to_others_and_they_are_taken_in_order() -> None:
    async def many() -> list[str]:
        turns, order, leave = Turns(4), list[str](), asyncio.Event()

        async def stay(asker: str) -> None:
            async with turns.turn(asker):
                order.append(asker)
                await leave.wait()

        tasks = [asyncio.ensure_future(stay(asker)) for asker in ("ana",) * 6 + ("bob", "cy", "dan")]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first = [*order]
        tasks[2].cancel()  # one that waits
        leave.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (turns._free, turns._in, turns._waiting) == (4, {}, [])
        assert sorted(order[4:]) == ["ana", "ana", "ana", "dan"]
        return first

    assert asyncio.run(many()) == ["ana", "ana", "bob", "cy"]


def test_three_who_keep_all_turns_that_they_get_leave_one() -> None:
    async def many() -> Counter[str]:
        turns, asked = Turns(8), ("ana",) * 8 + ("bob",) * 8 + ("cy",) * 8 + ("dan",)

        async def stay(asker: str) -> None:
            async with turns.turn(asker):
                await asyncio.sleep(60)

        tasks = [asyncio.ensure_future(stay(asker)) for asker in asked]
        await asyncio.sleep(0)
        found = turns._in.copy()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return found

    assert asyncio.run(many()) == {"ana": 4, "bob": 2, "cy": 1, "dan": 1}


def test_two_who_wait_much_leave_others_places_to_wait() -> None:
    async def wait() -> bool:
        turns = Turns(1)
        async with turns.turn("eve"):
            asked = [asyncio.ensure_future(turns._enter(asker)) for asker in ("ana",) * 64 + ("bob",) * 64 + ("cy",)]
            await asyncio.sleep(0)
            waits = not asked[-1].done()
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        return waits

    assert asyncio.run(wait())


def test_a_turn_that_comes_as_one_leaves_is_not_lost() -> None:
    async def leave_as_it_comes() -> None:
        turns = Turns(1)

        async def stay() -> None:
            async with turns.turn("bob"):
                await asyncio.sleep(60)

        async with turns.turn("ana"):
            late = asyncio.ensure_future(stay())
            await asyncio.sleep(0)
        late.cancel()  # it was called, and has not yet run
        await asyncio.gather(late, return_exceptions=True)
        assert (turns._free, turns._in, turns._waiting) == (1, {}, [])

    asyncio.run(leave_as_it_comes())
