"""The API of looks: what is asked for, who may, and what is told of it."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from starlette.testclient import TestClient

from location_policy.access.credentials import Credentials, Roles
from location_policy.rollout.state import ActiveState
from location_policy.rollout.sync.syncs import Syncs
from location_policy.runtime.wakeup import Wakeup
from location_policy.web.app import EVERYONE_MAY, make_app
from location_policy.web.edge.guard import Access
from location_policy.web.ops.sync_api import PATH, SyncApi
from tests.support.access import PASSWORD, write_users
from tests.support.app import SETTINGS


class Asked:
    """A service whose looks end when a test says so."""

    def __init__(self, access: Access | None = None, most: int = 10) -> None:
        active = ActiveState()
        self.wakeup = Wakeup(most)
        self.syncs = Syncs(active, lambda: None, lambda _: self.wakeup.tell())
        self.look = self.syncs.around(lambda: None)
        api = SyncApi(self.syncs, self.wakeup)
        app = make_app(active, SETTINGS, access=access or EVERYONE_MAY, syncs=api)
        self.client = TestClient(app, base_url="http://127.0.0.1")


def test_a_look_is_asked_for_and_told_when_it_is_over() -> None:
    asked = Asked()
    reply = asked.client.post(PATH)
    assert (reply.status_code, reply.json()) == (202, {"sync": 1})
    assert asked.client.get(f"{PATH}/1").json()["result"] is None
    asked.look()
    told = asked.client.get(f"{PATH}/1").json()
    assert (told["sync"], told["result"], told["tip"]) == (1, "unreachable", None)


def test_what_is_answered_is_as_described() -> None:
    asked = Asked()
    paths = asked.client.get("/openapi.json").json()["paths"]

    def described(path: str, method: str, status: str) -> Any:  # noqa: ANN401  as JSON is
        return paths[path][method]["responses"][status]["content"]["application/json"]["schema"]

    jsonschema_rs.validate(described(PATH, "post", "202"), asked.client.post(PATH).json())
    look = described(f"{PATH}/{{number}}", "get", "200")
    jsonschema_rs.validate(look, asked.client.get(f"{PATH}/1").json())
    asked.look()
    jsonschema_rs.validate(look, asked.client.get(f"{PATH}/1").json())


def test_an_answer_is_waited_for_until_the_look_is_over() -> None:
    asked = Asked()
    asked.client.post(PATH)
    later = threading.Timer(0.2, asked.look)
    later.start()
    began = time.monotonic()
    told = asked.client.get(f"{PATH}/1?wait=30").json()
    assert told["result"] == "unreachable"
    assert time.monotonic() - began < 10
    later.join()


def test_an_answer_is_waited_for_no_longer_than_is_asked() -> None:
    asked = Asked()
    asked.client.post(PATH)
    began = time.monotonic()
    assert asked.client.get(f"{PATH}/1?wait=1").json()["result"] is None
    assert 0.9 < time.monotonic() - began < 10


def test_no_more_are_waited_for_than_there_is_room_for() -> None:
    asked = Asked(most=0)
    asked.client.post(PATH)
    reply = asked.client.get(f"{PATH}/1?wait=5")
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "5")
    assert reply.json()["hint"] == "ask again without wait"


@pytest.mark.parametrize(
    ("target", "status"),
    [("/2", 404), ("/0", 404), ("/-1", 404), ("/x", 404), ("/" + "9" * 5000, 404), ("/1?wait=61", 400)]
    + [(f"/1?wait={text}", 400) for text in ("-1", "1e9", "x", "", "9" * 5000, "٣")],
)
def test_what_is_asked_wrongly_is_told(target: str, status: int) -> None:
    asked = Asked()
    asked.client.post(PATH)
    reply = asked.client.get(f"{PATH}{target}")
    assert reply.status_code == status
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert len(reply.content) < 10_000


def test_an_editor_asks_and_a_viewer_is_told(tmp_path: Path) -> None:
    (tmp_path / "roles").write_text("eve: editor\nvic: viewer\n")
    users = Credentials(write_users(tmp_path / "htpasswd", "eve", "vic"))
    asked = Asked(Access(users, Roles(tmp_path / "roles")))
    statuses = {
        user: (
            asked.client.post(PATH, auth=(user, PASSWORD)).status_code,
            asked.client.get(f"{PATH}/1", auth=(user, PASSWORD)).status_code,
        )
        for user in ("eve", "vic")
    }
    assert statuses == {"eve": (202, 200), "vic": (403, 200)}
    assert asked.client.post(PATH).status_code == 401


def test_a_page_from_elsewhere_asks_for_nothing() -> None:
    assert Asked().client.post(PATH, headers={"Origin": "https://elsewhere.example"}).status_code == 403


def test_the_end_of_the_service_lets_all_go_that_wait() -> None:
    wakeup = Wakeup(10)

    async def wait_and_end() -> float:
        began = time.monotonic()
        waits = [asyncio.ensure_future(wakeup.until(lambda: False, 60)) for _ in range(5)]
        await asyncio.sleep(0)
        wakeup.end()
        await asyncio.gather(*waits)
        return time.monotonic() - began

    assert asyncio.run(wait_and_end()) < 5
