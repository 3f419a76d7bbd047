"""The application: puts the policy API and the routes together."""

from __future__ import annotations

import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ..active import Active, now
from ..decision_log import DecisionLog
from ..metrics import Metrics, Requests
from ..repository.http_backend import HttpBackend
from ..settings import Settings
from .git import BODIES, REFS, GitDoor
from .guard import ALL_ROLES, Access, Guard
from .policy import COMMIT_HEADER, PolicyApi
from .status import status

EVERYONE_MAY = Access(anonymous=ALL_ROLES)


def make_app(
    active: Active,
    settings: Settings,
    decisions: DecisionLog | None = None,
    access: Access = EVERYONE_MAY,
    backend: HttpBackend | None = None,
) -> ASGIApp:
    """The ASGI application that answers from `active` whom `access` lets ask, and tells `decisions` of each.

    `backend` is git, where the repository is to be cloned from here and pushed to.
    """
    started_at = now()
    requests = Requests()
    metrics = Metrics(active, requests, lambda: decisions.dropped if decisions else 0)

    async def show_status(_: Request) -> Response:
        state = active.state
        commit = state.snapshot and state.snapshot.commit
        headers = {COMMIT_HEADER.decode(): commit.id} if commit else {}
        return _json(status(state, settings, started_at), headers=headers)

    async def show_health(_: Request) -> Response:
        return _json({"status": "alive"})

    async def show_readiness(_: Request) -> Response:
        is_ready = active.state.snapshot is not None
        return _json({"status": "ready" if is_ready else "no configuration is loaded yet"}, 200 if is_ready else 503)

    async def show_metrics(request: Request) -> Response:
        # Not in a thread: that holds answers back for longer than the millisecond that this takes.
        body, content_type = metrics.render(",".join(request.headers.getlist("accept")))
        return Response(body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})

    routes = [
        Route("/status", show_status),
        Route("/healthz", show_health),
        Route("/readyz", show_readiness),
        Route("/metrics", show_metrics),
        *(Route(path, GitDoor(backend, access.proxies)) for path in (REFS, *sorted(BODIES))),
    ]
    router = Starlette(routes=routes, exception_handlers={404: _show_not_found})
    router.router.redirect_slashes = False
    api = PolicyApi(active, router, [requests.count, *([decisions.record] if decisions else [])])
    return Guard(api, access)


async def _show_not_found(request: Request, _: Exception) -> Response:
    message = f"nothing is at {request.scope['path']}; see /status, or ask /policy/v1/participant/location"
    return _json({"message": message}, 404)


def _json(content: dict[str, Any], status_code: int = 200, headers: dict[str, str] | None = None) -> Response:
    body = json.dumps(content, ensure_ascii=False).encode(errors="replace")  # the name of a file may be any bytes
    headers = {"Cache-Control": "no-store", **(headers or {})}
    return Response(body, status_code, headers, media_type="application/json")
