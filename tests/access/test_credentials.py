"""Credentials: checked once, remembered, forgotten with the file."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import bcrypt
import pytest

from location_policy.access import credentials
from location_policy.access.credentials import Credentials, Roles, RolesWithoutPassword, TooBusy
from location_policy.access.hash_pool import HashPool, Rank
from tests.support.access import PASSWORD, hashed, write_users

HERE = "192.0.2.1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_users(tmp_path / "htpasswd", "node")


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was hashed."""
    seen: list[bytes] = []
    real = bcrypt.checkpw

    def check(password: bytes, hash_: bytes) -> bool:
        seen.append(password)
        return real(password, hash_)

    monkeypatch.setattr(bcrypt, "checkpw", check)
    return seen


def header(user: str, password: str = PASSWORD) -> bytes:
    return b"Basic " + b64encode(f"{user}:{password}".encode())


def ask(found: Credentials, *headers: bytes) -> list[str | None]:
    """The users of headers, asked one after the other."""

    async def ask_all() -> list[str | None]:
        return [(await found.user_of(one, HERE))[0] for one in headers]

    return asyncio.run(ask_all())


def test_what_was_found_right_is_remembered_and_hashed_once(path: Path, hashes: list[bytes]) -> None:
    found = Credentials(path)
    assert found.remembered(header("node")) is None
    assert ask(found, header("node"), header("node")) == ["node", "node"]
    assert found.remembered(header("node")) == "node"
    assert found.remembered(header("node", "wrong")) is None
    assert hashes == [PASSWORD.encode()]


def test_what_was_found_wrong_is_remembered_too(path: Path, hashes: list[bytes]) -> None:
    found = Credentials(path)
    assert ask(found, header("node", "wrong"), header("node", "wrong"), header("nobody")) == [None] * 3
    assert len(hashes) == 2


def test_what_was_found_right_is_forgotten_when_the_line_of_its_user_changes(path: Path, hashes: list[bytes]) -> None:
    path.write_text(f"node:{hashed()}\nben:{hashed()}\nana:{hashed('old')}\n")
    found = Credentials(path)
    assert ask(found, *map(header, ("node", "ben"))) == ["node", "ben"]
    assert ask(found, header("ana"), header("ana", "old")) == [None, "ana"]
    lines = path.read_text().splitlines()
    path.write_text(f"{lines[0]}\nana:{hashed()}\nnew:{hashed()}\n")
    found.look()
    hashes.clear()
    assert [found.remembered(header(user)) for user in ("node", "ben")] == ["node", None]
    assert found.remembered(header("ana", "old")) is None
    assert ask(found, header("node"), header("ana"), header("ben")) == ["node", "ana", None]
    assert len(hashes) == 2


def test_memory_is_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "REMEMBERED", 2)
    write_users(path, "a", "b", "c")
    found = Credentials(path)
    ask(found, *map(header, "abc"), *(header("a", wrong) for wrong in "xyz"))
    assert [found.remembered(header(user)) for user in "abc"] == [None, "b", "c"]


def test_only_wrong_credentials_are_held_back(path: Path) -> None:
    found = Credentials(path)

    async def ask_all() -> tuple[list[float], float]:
        wrong = [(await found.user_of(header("node", "wrong"), HERE))[1] for _ in range(6)]
        return wrong, (await found.user_of(header("node"), HERE))[1]

    assert asyncio.run(ask_all()) == ([0.0, 0.0, 0.0, 0.25, 0.5, 1.0], 0.0)


class Validator:
    """A line in which work waits until it is opened."""

    def __init__(self, room: int = 1024) -> None:
        self.opened = threading.Event()
        self.began = threading.Event()
        self._line = HashPool(room, threads=1)
        self.withdraw = self._line.withdraw
        self.ranks: list[Rank] = []

    def put(self, work: Callable[[], bool], rank: Rank) -> asyncio.Future[bool | None]:
        """As the line's."""
        self.ranks.append(rank)
        return self._line.put(lambda: self._hold() and work(), rank)

    def _hold(self) -> bool:
        self.began.set()
        return self.opened.wait(20)


def gated(path: Path, room: int = 1024) -> tuple[Credentials, Validator]:
    validator = Validator(room)
    return Credentials(path, validator), validator  # type: ignore[arg-type]  # it has what is asked of it


def test_many_that_ask_at_once_with_the_same_cost_one_hash(path: Path, hashes: list[bytes]) -> None:
    found, validator = gated(path)

    async def ask_all() -> list[tuple[str | None, float]]:
        asked = [asyncio.create_task(found.user_of(header("node"), HERE)) for _ in range(20)]
        await asyncio.to_thread(validator.began.wait)
        validator.opened.set()
        return await asyncio.gather(*asked)

    assert asyncio.run(ask_all()) == [("node", 0.0)] * 20
    assert len(hashes) == 1


def test_who_fails_or_asks_much_stands_further_back(path: Path) -> None:
    found, validator = gated(path)
    validator.opened.set()

    async def ask_all() -> None:
        await asyncio.gather(*(found.user_of(header("node", wrong), HERE) for wrong in "abc"))
        await found.user_of(header("node"), "192.0.2.2")
        await found.user_of(header("node", "d"), HERE)

    asyncio.run(ask_all())
    assert validator.ranks == [(0, 0, 0), (1, 0, 0), (2, 0, 0), (0, 3, 3), (3, 3, 3)]


HERE_TOO = [HERE] * 100
ONE_SITE = [f"2001:db8:1:{number:x}::1" for number in range(100)]
ONE_PROVIDER = [f"2001:db8:{number:x}::1" for number in range(100)]


@pytest.mark.parametrize("flood", [HERE_TOO, ONE_SITE, ONE_PROVIDER, [*HERE_TOO, *ONE_SITE]])
@pytest.mark.parametrize("nodes", ["192.0.2.{}", "2001:{}::1"])
def test_no_flood_takes_the_place_of_a_node_that_was_not_seen_to_fail(path: Path, flood: list[str], nodes: str) -> None:
    users = [f"node{number}" for number in range(20)]
    write_users(path, *users)
    found, validator = gated(path)

    async def ask_all() -> list[object]:
        wrong = [
            asyncio.create_task(found.user_of(header("node1", str(number)), address))
            for number, address in enumerate(flood)
        ]
        await asyncio.sleep(0)
        asked = [
            asyncio.create_task(found.user_of(header(user), nodes.format(number)))
            for number, user in enumerate(users, 100)
        ]
        await asyncio.sleep(0)
        validator.opened.set()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        await asyncio.gather(*wrong, return_exceptions=True)
        return [one[0] if isinstance(one, tuple) else one for one in answers]

    assert asyncio.run(ask_all()) == users


@pytest.mark.parametrize("flood", ["203.0.113.{}", "203.0.{}.1"])
def test_a_flood_from_an_ipv4_network_in_which_one_has_failed_stands_behind_many_nodes_of_another(
    path: Path, flood: str
) -> None:
    users = [f"node{number}" for number in range(20)]
    write_users(path, *users)
    found, validator = gated(path)
    validator.opened.set()

    async def ask_all() -> list[object]:
        await found.user_of(header("node1", "first"), flood.format(1))
        validator.opened.clear()
        wrong = [
            asyncio.create_task(found.user_of(header("node1", str(number)), flood.format(number)))
            for number in range(2, 100)
        ]
        await asyncio.sleep(0)
        asked = [
            asyncio.create_task(found.user_of(header(user), f"192.0.2.{number}")) for number, user in enumerate(users)
        ]
        await asyncio.sleep(0)
        validator.opened.set()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        await asyncio.gather(*wrong, return_exceptions=True)
        return [one[0] if isinstance(one, tuple) else one for one in answers]

    assert asyncio.run(ask_all()) == users


EVERYWHERE = [f"{number}.{number * 7 % 256}.{number * 13 % 256}.1" for number in range(1, 224)]
PROVIDERS = [f"2{number:03x}:db8::1" for number in range(200)]


@pytest.mark.parametrize("flood", [EVERYWHERE, PROVIDERS])
def test_after_a_restart_a_client_that_was_known_waits_for_no_flood_from_everywhere(
    path: Path, tmp_path: Path, flood: list[str]
) -> None:
    before = Credentials(path)
    before.clients.keep_in(tmp_path)
    assert ask(before, header("node")) == ["node"]
    before.clients.look()
    found, validator = gated(path)
    found.clients.keep_in(tmp_path)

    async def ask_all() -> str | None:
        wrong = [
            asyncio.create_task(found.user_of(header("node", str(number)), address))
            for number, address in enumerate(flood)
        ]
        elsewhere = asyncio.create_task(found.user_of(header("node"), "203.0.113.1"))
        await asyncio.sleep(0)
        user = (await found.user_of(header("node"), HERE))[0]
        validator.opened.set()
        assert (await elsewhere)[0] == "node"
        await asyncio.gather(*wrong, return_exceptions=True)
        return user

    assert asyncio.run(ask_all()) == "node"


def test_an_address_that_has_failed_guesses_no_faster_on_many_connections(path: Path, hashes: list[bytes]) -> None:
    found = Credentials(path)

    async def ask_all() -> list[object]:
        for wrong in "abcdefgh":
            found._failures.add(HERE, wrong)
        guesses = [asyncio.create_task(found.user_of(header("node", str(number)), HERE)) for number in range(24)]
        right = await found.user_of(header("node"), "192.0.2.2")
        for guess in guesses:
            guess.cancel()
        return [right[0], *await asyncio.gather(*guesses, return_exceptions=True)]

    answers = asyncio.run(ask_all())
    assert answers[0] == "node"
    assert sum(isinstance(one, TooBusy) for one in answers) == 22
    assert len(hashes) <= 2


def test_where_there_is_no_room_it_is_said(path: Path) -> None:
    found, validator = gated(path, room=1)

    async def ask_all() -> list[object]:
        asked = [asyncio.create_task(found.user_of(header("node", "0"), HERE))]
        await asyncio.sleep(0)  # it asks
        await asyncio.to_thread(validator.began.wait)
        asked += [asyncio.create_task(found.user_of(header("node", wrong), HERE)) for wrong in "12"]
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        validator.opened.set()
        return [type(one) for one in await asyncio.gather(*asked, return_exceptions=True)]

    assert sorted(asyncio.run(ask_all()), key=str) == [TooBusy, tuple, tuple]


def test_who_has_waited_too_long_is_told_and_finds_it_remembered(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "PATIENCE", 0.01)
    write_users(path, "node", "ana")
    found, validator = gated(path)

    async def ask_all() -> None:
        hashed = asyncio.create_task(found.user_of(header("ana"), HERE))
        await asyncio.to_thread(validator.began.wait)
        with pytest.raises(TooBusy):
            await found.user_of(header("node"), HERE)
        with pytest.raises(TooBusy):
            await hashed
        await asyncio.sleep(0)
        assert len(found._known.asked) == 1  # that of node was taken out
        validator.opened.set()
        await asyncio.wait_for(asyncio.gather(*found._known.asked.values()), 20)

    asyncio.run(ask_all())
    assert (found.remembered(header("ana")), found.remembered(header("node"))) == ("ana", None)


def test_the_password_itself_is_not_kept(path: Path) -> None:
    found = Credentials(path)
    ask(found, header("node"))
    assert PASSWORD not in repr(found._known)
    assert header("node").decode() not in repr(found._known)


def test_roles_follow_their_file_and_without_one_everybody_asks_and_looks(tmp_path: Path) -> None:
    (tmp_path / "roles").write_text("ana: editor\n")
    roles = Roles(tmp_path / "roles")
    assert roles.of("ana") == {"editor", "viewer"}
    assert not roles.of("node")
    (tmp_path / "roles").write_text("node: node\n")
    roles.look()
    assert not roles.of("ana")
    assert roles.of("node") == {"node"}
    everybody = Roles(None)
    everybody.look()
    assert everybody.of("ana") == {"node", "viewer"}


def test_who_has_roles_and_no_password_is_named_once(
    path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "roles").write_text("node: node\nnoed: node\nana: viewer\n")
    users, roles = Credentials(path), Roles(tmp_path / "roles")
    unmatched = RolesWithoutPassword(users, roles)
    for _ in range(2):
        unmatched.look()
    assert caplog.messages == ["roles but no password: ana, noed"]
    unmatched.look(asked=True)
    assert len(caplog.messages) == 2
    write_users(path, "ana")
    users.look()
    unmatched.look()
    assert caplog.messages[2:] == ["roles but no password: node"]
    (tmp_path / "roles").write_text("".join(f"user{number:02}: node\n" for number in range(12)))
    roles.look()
    unmatched.look()
    assert caplog.messages[-1].endswith("user08, user09 and 2 more")


def test_without_a_file_of_roles_nobody_lacks_a_password(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    RolesWithoutPassword(Credentials(path), Roles(None)).look(asked=True)
    assert caplog.messages == []


def test_users_may_be_changed_under_way(path: Path) -> None:
    path.write_text(f"ana:{hashed('x')}\n")
    assert ask(Credentials(path), header("ana", "x")) == ["ana"]
