"""The tip: what is told, what is held and for how long, and what is refused."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from location_policy import __version__
from location_policy.access.proxies import Proxies, parse_networks
from location_policy.calls.hand_up import Batch, encode
from location_policy.calls.history import CallHistory
from location_policy.calls.recent import today
from location_policy.config.commit import Commit
from location_policy.fleet.fleet import Fleet
from location_policy.rollout.state import ActiveState, Head
from location_policy.web.ops import tip as module
from location_policy.web.ops.tip import PATH, Tip
from tests.calls.situations import situation
from tests.support.app import Answer
from tests.support.maps import COMMIT, MOMENT, snapshot_of
from tests.support.service import wait_until

OWN, OTHER = "0123456789abcdef", "fedcba9876543210"
NEXT = Commit("d" * 40, "7" * 40, "Change the map again", "Alice", MOMENT)
WAITING = {"if-none-match": f'"{COMMIT.id}"', "prefer": "wait=30"}


class Upstream:
    """A service that is followed, without a server."""

    def __init__(self, most: int = 10, *, is_served: bool = True, proxies: str = "") -> None:
        self.active, self.fleet = ActiveState(), Fleet(OWN, most)
        self.active.changed = lambda: self.fleet.move(self.active.commit)
        self.calls = CallHistory(None, 30)
        self.tip = Tip(self.active, self.fleet, lambda: is_served, Proxies(parse_networks(proxies)), self.calls)
        self.take(COMMIT)

    def take(self, commit: Commit) -> None:
        """Put a commit in force."""
        self.active.change(
            snapshot=snapshot_of(commit=commit),
            branch="main",
            was_read=True,
            is_settled=True,
            head=Head(commit, MOMENT),
        )

    async def ask(
        self,
        headers: dict[str, str] | None = None,
        method: str = "GET",
        address: str = "192.0.2.1",
        gone: Awaitable[object] | None = None,
    ) -> Answer:
        """One request; its client leaves when `gone` is over."""
        sent: list[Any] = []
        messages = [{"type": "http.request"}]

        async def receive() -> Any:  # noqa: ANN401  as ASGI has it
            if messages:
                return messages.pop()
            await (gone or asyncio.Event().wait())
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:  # noqa: ANN401  as above
            sent.append(message)

        fields = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        scope = {"type": "http", "method": method, "path": PATH, "headers": fields, "client": (address, 1)}
        await self.tip(scope, receive, send)
        if not sent:
            return Answer(0, {}, b"")
        told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], told, b"".join(one.get("body", b"") for one in sent[1:]))

    def answer(self, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
        """The answer to one request, with nothing beside it."""
        return asyncio.run(self.ask(headers, method))


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> float:
    """The seconds that it takes."""
    began = time.monotonic()
    asyncio.run(work())
    return time.monotonic() - began


def test_it_says_what_is_in_force() -> None:
    answer = Upstream().answer()
    assert answer.status == 200
    assert answer.headers == {
        "etag": f'"{COMMIT.id}"',
        "cache-control": "no-store",
        "content-type": "application/json",
        "content-length": str(len(answer.body)),
    }
    told = json.loads(answer.body)
    assert (told["commit"], told["branch"], told["state"], told["service"]) == (COMMIT.id, "main", "in-sync", OWN)
    assert told["since"].endswith("Z")
    assert told["version"] == __version__
    assert Upstream().answer(method="HEAD").body == b""


def test_without_a_commit_in_force_or_git_there_is_none() -> None:
    upstream = Upstream()
    upstream.active.change(snapshot=None)
    answer = upstream.answer({"x-location-policy-name": "web-1"})
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert upstream.fleet.followers.fields()["total"] == 1
    assert Upstream(is_served=False).answer().status == 404
    answer = upstream.answer(method="POST")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


def test_it_is_held_until_another_commit_is_in_force() -> None:
    async def work() -> None:
        upstream = Upstream()
        held = asyncio.ensure_future(upstream.ask(WAITING))
        await asyncio.sleep(0.05)
        assert not held.done()
        await asyncio.to_thread(upstream.take, NEXT)
        answer = await held
        assert (answer.status, answer.headers["etag"]) == (200, f'"{NEXT.id}"')
        assert answer.headers["preference-applied"] == "wait"

    assert run(work) < 10


def test_after_as_long_as_is_asked_nothing_has_changed() -> None:
    upstream = Upstream()
    began = time.monotonic()
    answer = upstream.answer(WAITING | {"prefer": 'respond-async, Wait="1"; x'})
    assert 0.9 < time.monotonic() - began < 10
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers == {
        "etag": f'"{COMMIT.id}"',
        "cache-control": "no-store",
        "preference-applied": "wait",
    }


@pytest.mark.parametrize("prefer", ["wait=9e9", "wait=-1", "wait", "wait=", "x", "wait=١", "wait=1.5", "await=60"])
def test_what_is_no_number_of_seconds_is_no_wait(prefer: str) -> None:
    answer = Upstream().answer(WAITING | {"prefer": prefer})
    assert answer.status == 304
    assert "preference-applied" not in answer.headers


@pytest.mark.parametrize("number", ["61", "9" * 5000])
def test_nothing_is_held_for_longer_than_a_minute(number: str) -> None:
    assert module._seconds({"prefer": f"wait={number}"}) == 60


@pytest.mark.parametrize("tag", ['"x"', "x", '"' + "e" * 40 + '"', '"' * 5000, "\x00", f"W/{COMMIT.id}"])
def test_a_false_tag_is_answered_at_once(tag: str) -> None:
    assert Upstream().answer(WAITING | {"if-none-match": tag}).status == 200


@pytest.mark.parametrize("tag", ["*", f'W/"{COMMIT.id}"', f'"x", "{COMMIT.id}"'])
def test_a_tag_of_what_is_in_force_is_known_in_each_of_its_forms(tag: str) -> None:
    assert Upstream().answer({"if-none-match": tag}).status == 304


def test_who_gives_a_name_is_listed_with_the_address_that_a_proxy_tells() -> None:
    upstream = Upstream(proxies="192.0.2.1")
    upstream.answer()
    assert upstream.fleet.followers.is_empty()
    named = {
        "x-location-policy-name": "web-1",
        "x-location-policy-commit": COMMIT.id,
        "x-forwarded-for": "198.51.100.7",
        "via": f"1.1 location-policy-{OTHER}",
    }
    upstream.answer(named)
    (told,) = upstream.fleet.followers.fields()["list"]
    assert (told["name"], told["address"], told["commit"]) == ("web-1", "198.51.100.7", COMMIT.id)


def test_a_loop_is_refused_and_nobody_is_listed() -> None:
    upstream = Upstream()
    named = {"x-location-policy-name": "b", "via": f"1.1 location-policy-{OTHER}, 1.1 location-policy-{OWN}"}
    answer = upstream.answer(named)
    assert answer.status == 409
    assert answer.body.decode() == (
        f"a loop: location-policy-{OTHER} follows location-policy-{OWN}, which follows it, directly or through others:"
        " let one of them follow another service\n"
    )
    assert upstream.answer({"via": f"1.1 location-policy-{OWN}"}).status == 409
    assert upstream.fleet.followers.is_empty()


def test_no_more_wait_than_there_is_room_for_and_one_address_leaves_half() -> None:
    async def work() -> None:
        upstream = Upstream(4)
        held = [asyncio.ensure_future(upstream.ask(WAITING)) for _ in range(2)]
        await asyncio.sleep(0.05)
        for refused in (await upstream.ask(WAITING), await upstream.ask(WAITING)):
            assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert (await upstream.ask(WAITING | {"prefer": ""})).status == 304
        held.append(asyncio.ensure_future(upstream.ask(WAITING, address="192.0.2.2")))
        await asyncio.sleep(0.05)
        assert not any(one.done() for one in held)
        upstream.take(NEXT)
        assert [one.status for one in await asyncio.gather(*held)] == [200] * 3

    assert run(work) < 10


def test_a_client_that_leaves_gives_its_place_to_another() -> None:
    async def work() -> None:
        upstream = Upstream(1)
        left = await upstream.ask(WAITING, gone=asyncio.sleep(0.05))
        assert left.status == 0
        assert (await upstream.ask(WAITING | {"prefer": "wait=1"})).status == 304

    assert run(work) < 10


def test_the_end_lets_go_who_waits_and_holds_no_other() -> None:
    async def work() -> None:
        upstream = Upstream()
        held = asyncio.ensure_future(upstream.ask(WAITING))
        await asyncio.sleep(0.05)
        upstream.fleet.end()
        assert (await held).status == 304
        assert (await upstream.ask(WAITING)).status == 503

    assert run(work) < 10


def test_followers_are_told_in_groups_and_the_next_as_these_are_back() -> None:
    async def work() -> None:
        upstream = Upstream(1_000)
        names = [{"x-location-policy-name": f"web-{number}"} for number in range(40)]
        held = [asyncio.ensure_future(upstream.ask(WAITING | one)) for one in names]
        await asyncio.sleep(0.1)
        upstream.take(NEXT)
        await asyncio.to_thread(wait_until, lambda: sum(one.done() for one in held) >= 32)
        await asyncio.sleep(0.05)
        assert [one.done() for one in held] == [True] * 32 + [False] * 8
        back = [await upstream.ask(one) for one in names[:8]]
        assert [one.status for one in back] == [200] * 8
        await asyncio.gather(*held)

    assert run(work) < 10


def test_the_calls_of_a_follower_are_counted_here() -> None:
    upstream = Upstream()
    batch = encode(Batch(1, today().toordinal(), {situation(): 3}))
    follower = {"x-location-policy-name": "replica-1", "via": f"1.1 location-policy-{OTHER}"}
    for headers in (follower, {"via": follower["via"]}, {"x-location-policy-name": "replica-1"}):
        assert upstream.answer({**headers, "x-location-policy-calls": batch}).status == 200
    assert upstream.calls.recent(today()) == [(situation(), 3, today().toordinal())]
