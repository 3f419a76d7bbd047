"""`POST /webhook`: only a knock, and only by one who has the secret."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from typing import Any

import pytest

from location_policy.access.proxies import Proxies
from location_policy.access.throttle import Throttle
from location_policy.web.edge import webhook as module
from location_policy.web.edge.webhook import LIMIT, Webhook

SECRET = b"0123456789abcdef0123456789abcdef"
BODY = b'{"ref": "refs/heads/main", "repository": {"clone_url": "https://elsewhere/"}}'


class Knocks:
    """An endpoint, the knocks that it has taken, and questions to it."""

    def __init__(self) -> None:
        self.number = 0
        self.read = 0
        self.endpoint = Webhook(lambda: [SECRET], self._knock, Proxies(()))

    def _knock(self) -> int:
        self.number += 1
        return self.number

    def ask(self, *pieces: bytes, method: str = "POST", client: str = "192.0.2.1", **headers: str) -> tuple[int, Any]:
        """Status and body of the answer to one request."""
        return asyncio.run(self._ask(pieces, method, client, headers))

    async def _ask(
        self, pieces: tuple[bytes, ...], method: str, client: str, headers: dict[str, str]
    ) -> tuple[int, Any]:
        waiting = [*pieces] or [b""]
        scope = {
            "type": "http",
            "method": method,
            "path": module.PATH,
            "client": (client, 1),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }
        sent: list[Any] = []

        async def receive() -> Any:  # noqa: ANN401  a message of ASGI
            if not waiting:
                return {"type": "http.disconnect"}
            piece = waiting.pop(0)
            self.read += len(piece)
            return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

        async def send(message: Any) -> None:  # noqa: ANN401  as above
            sent.append(message)

        await self.endpoint(scope, receive, send)
        body = sent[1]["body"]
        return sent[0]["status"], json.loads(body) if body else None


@pytest.fixture
def knocks(monkeypatch: pytest.MonkeyPatch) -> Knocks:
    monkeypatch.setattr("location_policy.access.throttle.FIRST", 0.001)
    return Knocks()


def signed(body: bytes) -> str:
    return "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()


def test_a_knock_with_a_proof_causes_a_look_and_is_told_its_number(knocks: Knocks) -> None:
    assert knocks.ask(BODY[:10], BODY[10:], x_hub_signature_256=signed(BODY)) == (202, {"sync": 1})


@pytest.mark.parametrize("body", [b"", b"{", b"\x00\xff" * 100, b"payload=%7B", b'{"ref": "refs/heads/../../etc"}'])
def test_whatever_a_body_says_it_is_a_knock(knocks: Knocks, body: bytes) -> None:
    assert knocks.ask(body, x_hub_signature_256=signed(body)) == (202, {"sync": 1})


def test_without_a_right_proof_it_is_none_and_is_counted(knocks: Knocks) -> None:
    assert knocks.ask(BODY)[0] == 401
    assert knocks.ask(BODY, x_hub_signature_256=signed(BODY + b" "))[0] == 401
    assert knocks.ask(BODY, x_gitlab_token="wrong")[0] == 401
    assert knocks.number == 0
    assert knocks.endpoint.results["unproven"] == 3


def test_a_body_without_a_proof_is_not_read(knocks: Knocks) -> None:
    assert knocks.ask(b"x" * 1000, b"x" * 1000)[0] == 401
    assert knocks.read == 0


def test_a_body_that_is_too_large_is_refused_by_its_length_and_as_it_comes(knocks: Knocks) -> None:
    assert knocks.ask(BODY, content_length=str(LIMIT + 1), x_gitlab_token=SECRET.decode())[0] == 413
    assert knocks.read == 0
    million = b"x" * 1_000_000
    assert knocks.ask(*[million] * 100, x_gitlab_token=SECRET.decode())[0] == 413
    assert knocks.read <= LIMIT + len(million)
    assert knocks.endpoint.results["too-large"] == 2


def test_a_client_that_leaves_amid_its_body_has_not_knocked() -> None:
    half = Knocks()

    async def leave() -> int:
        sent: list[Any] = []
        messages = [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}]

        async def receive() -> Any:  # noqa: ANN401  a message of ASGI
            return messages.pop(0)

        async def send(message: Any) -> None:  # noqa: ANN401  as above
            sent.append(message)

        headers = [(b"x-gitlab-token", SECRET)]
        await half.endpoint({"method": "POST", "client": None, "headers": headers}, receive, send)
        return int(sent[0]["status"])

    assert asyncio.run(leave()) == 400
    assert half.number == 0
    assert half.endpoint.results["broken"] == 1


def test_only_post_is_a_knock(knocks: Knocks) -> None:
    assert knocks.ask(method="GET", x_gitlab_token=SECRET.decode()) == (405, {"message": "A webhook is sent by POST"})
    assert knocks.ask(method="HEAD")[0] == 405


def test_who_guesses_waits_and_the_forge_does_not(knocks: Knocks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("location_policy.access.throttle.LONGEST", 0.01)
    monkeypatch.setattr(module, "LONGEST", 0.0)
    knocks.endpoint._failures = Throttle(lambda: 0.0)
    for _ in range(5):
        knocks.ask(BODY, client="203.0.113.9", x_gitlab_token="guess")
    assert knocks.ask(BODY, client="203.0.113.9", x_gitlab_token="guess")[0] == 503
    assert knocks.ask(BODY, x_gitlab_token=SECRET.decode()) == (202, {"sync": 1})
    assert knocks.ask(BODY, client="203.0.113.9", x_hub_signature_256=signed(BODY)) == (202, {"sync": 2})
    assert knocks.endpoint.results["busy"] == 1
