"""The application without a socket."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, NamedTuple

from starlette.testclient import TestClient
from starlette.types import ASGIApp

from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState
from location_policy.web.app import make_app
from location_policy.web.edge.guard import Access
from location_policy.web.ops.settings import Settings

SETTINGS = Settings("/srv/locations.git", "127.0.0.1", 8080, Path("/srv/state"))


def client_of(active: ActiveState) -> TestClient:
    """Asks the application that answers from `active`."""
    return TestClient(make_app(active, SETTINGS), base_url="http://127.0.0.1", follow_redirects=False)


def served(repository: Path) -> tuple[ActiveState, Settings]:
    """What is in force once a service has looked at this repository, and its settings; state is kept beside it."""
    state = repository.parent / "state"
    active = ActiveState()
    Refresher(repository, active, state).refresh()
    return active, Settings(str(repository), "127.0.0.1", 8080, state, repository)


def client_of_repository(repository: Path, access: Access | None = None) -> TestClient:
    """Asks the application that serves this repository, as it is now."""
    active, settings = served(repository)
    app = make_app(active, settings) if access is None else make_app(active, settings, None, access)
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)


class Answer(NamedTuple):
    """What comes of one request."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(app: ASGIApp, method: str, path: str, query: str = "", body: bytes = b"", **headers: str) -> Answer:
    """The answer to a request of these very bytes, which no client of Python would send; `_` in a header is `-`."""
    return asyncio.run(_ask(app, method, path, query, body, headers))


async def _ask(app: ASGIApp, method: str, path: str, query: str, body: bytes, headers: dict[str, str]) -> Answer:
    sent: list[Any] = []
    waiting: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]
    fields = {"host": "127.0.0.1", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }

    async def receive() -> Any:  # noqa: ANN401  a message of ASGI
        return waiting.pop() if waiting else await asyncio.Future()

    async def send(message: Any) -> None:  # noqa: ANN401  as above
        sent.append(message)

    await app(scope, receive, send)
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], told, b"".join(one.get("body", b"") for one in sent[1:]))
