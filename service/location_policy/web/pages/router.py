"""Routes for people and for programs, made from the table of resources.

A page is made in a thread, from the first look at the state to the last byte. No answer to a node waits for it, but for
the moments in which Python lets another thread go on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...config.policy_toml import PROTOCOLS
from ...errors import LocationPolicyError
from ...plan.plan import SHOWN as SHOWN_RANGES
from ..edge.asker import asker
from ..edge.faults import MEDIA_TYPE, RETRY_AFTER, Fault, NotLoaded, fault_of, problem_details
from ..edge.git_http import PLACE as GIT
from ..edge.guard import EDITOR, OPEN_TO_OPTIONS
from ..edge.policy_api import COMMIT_HEADER
from ..edge.responses import HEADERS, json_response
from ..ops.status import location_fields, pin_fields
from ..site.site import Site
from ..site.thread_pool import ThreadPool
from .downloads import Downloads
from .history import SHOWN_PUSHES
from .home import SHOWN_LOCATIONS, SHOWN_PROBLEMS
from .impact_image import HEIGHT, WIDTH, ImpactImages
from .lookup import REQUEST, condition_fields
from .rendering import compile_templates, render
from .resource_table import RESOURCES
from .resources import Facts, Query, Resource
from .static_files import show_static

CONSTANTS: Facts = {
    "protocols": sorted(PROTOCOLS),
    "request_names": REQUEST,
    "shown_problems": SHOWN_PROBLEMS,
    "shown_ranges": SHOWN_RANGES,
    "shown_locations": SHOWN_LOCATIONS,
    "shown_pushes": SHOWN_PUSHES,
    "image_size": (WIDTH, HEIGHT),
}

START = 1.0
"""Seconds that the start has for itself."""

View = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Pages:
    """Pages and API of one site; `quick` and `slow` are for what asks memory, and what asks the repository."""

    site: Site
    quick: ThreadPool = field(default_factory=ThreadPool)
    slow: ThreadPool = field(default_factory=ThreadPool)

    def routes(self) -> list[Route]:
        """All of them; what they need is made ready when the start is over, and no page is asked for yet."""
        _make_ready()
        downloads, images = Downloads(self.site, self.slow), ImpactImages(self.site, self.slow)
        return [
            *(Route(one.path, self._page(one)) for one in RESOURCES),
            *(Route(one.api_path, self._answer(one)) for one in RESOURCES),
            Route("/locations.csv", self._file(downloads.whole_map)),
            Route("/uploads/locations.csv", self._file(downloads.whole_map)),
            Route("/files/{path:path}", self._file(downloads.file)),
            Route("/commit/{id}/impact.png", self._file(images.image)),
            Route("/compare/impact.png", self._file(images.image)),
            Route("/static/{digest}/{name}", self._file(show_static)),
        ]

    def handlers(self) -> dict[Any, Any]:
        """What is shown where no route answers, by status; by Exception where something breaks."""

        async def show_not_found(request: Request, _: Exception) -> Response:
            if request.method == "OPTIONS" and request.scope["path"] == "*":  # of the whole server (RFC 9110, 9.3.7)
                return Response(headers={"Allow": "GET, HEAD, OPTIONS"})
            message = f"nothing is at {request.scope['path']}"
            return await self.show_fault(request, Fault(404, message, "see / or ask /policy/v1/participant/location"))

        async def show_not_allowed(request: Request, error: Exception) -> Response:
            allowed = (
                sorted((error.headers or {}).get("Allow", "").split(", ")) if isinstance(error, HTTPException) else []
            )
            if request.scope["path"] in OPEN_TO_OPTIONS:
                allowed.append("OPTIONS")
            if request.method in allowed:
                return Response(headers={"Allow": ", ".join(allowed)})
            response = await self.show_fault(request, Fault(405, f"{request.method} is not {' or '.join(allowed)}"))
            response.headers["Allow"] = ", ".join(allowed)
            return response

        async def show_crash(request: Request, _: Exception) -> Response:
            return await self.show_fault(request, Fault(500, "the log of the service says what"))

        return {404: show_not_found, 405: show_not_allowed, Exception: show_crash}

    async def show_fault(self, request: Request, fault: Fault) -> Response:
        """Why there is no answer: for a browser as a page, for any other client as problem details."""
        headers = {"Retry-After": RETRY_AFTER} if fault.status == 503 else {}
        if request.scope["path"].startswith("/api/") or not wants_page(request):
            return json_response(problem_details(fault), fault.status, headers, MEDIA_TYPE)
        return self.html("error.html", request, {**self._said(fault), "form": None}, fault.status, headers)

    def _page(self, resource: Resource) -> View:
        async def show(request: Request) -> Response:
            given = _given(request)
            pool = self.slow if resource.is_slow or given.get("at") else self.quick

            def make() -> Response:
                try:
                    query = resource.query(given)
                    facts = {"query": resource.said(query), **resource.facts(self.site, query)}
                except LocationPolicyError as error:
                    return self._fault_page(resource, request, given, fault_of(error))
                return self.html(resource.template, request, facts)

            try:
                return await pool.do(make, asker(request.scope))
            except Fault as fault:
                return await self.show_fault(request, fault)

        return show

    def _answer(self, resource: Resource) -> View:
        async def show(request: Request) -> Response:
            given = _given(request)
            pool = self.slow if resource.is_slow or given.get("at") else self.quick

            def make() -> Response:
                return json_response(resource.facts(self.site, resource.query(given)), headers=self.commit_header())

            try:
                return await pool.do(make, asker(request.scope))
            except LocationPolicyError as error:
                return await self.show_fault(request, fault_of(error))

        return show

    def _file(self, send: Callable[[Request], Awaitable[Response | None]]) -> View:
        async def show(request: Request) -> Response:
            try:
                response = await send(request)
            except LocationPolicyError as error:
                return await self.show_fault(request, fault_of(error))
            if response is None:
                return await self.show_fault(request, Fault(404, "there is no such file"))
            response.headers.update(HEADERS)
            return response

        return show

    def _fault_page(self, resource: Resource, request: Request, given: dict[str, str], fault: Fault) -> Response:
        """The fault, with the form in which to ask again."""
        snapshot = self.site.active.state.snapshot
        query: Query = {one.name: given.get(one.name) for one in resource.parameters}
        facts = {
            **self._said(fault),
            "form": None if fault.status == 503 else resource.form,
            "query": query,
            "conditions": condition_fields(snapshot.rules.views if snapshot else ()),
            **(location_fields(snapshot) if snapshot else {"locations": {}, "more_locations": 0}),
        }
        return self.html("error.html", request, facts, fault.status, {})

    def _said(self, fault: Fault) -> Facts:
        """A fault, and whether it is only that there is no map yet."""
        return {"fault": told(fault), "is_empty": isinstance(fault, NotLoaded) and self.site.active.state.is_empty}

    def html(
        self, template: str, request: Request, facts: Facts, status: int = 200, headers: dict[str, str] | None = None
    ) -> Response:
        """A page: its facts, and what every page says."""
        state = self.site.active.state
        active = state.snapshot.commit.id if state.snapshot and state.snapshot.commit else None
        path = request.scope["path"]
        around: Facts = {
            "here": f"/{path.split('/')[1]}",
            "state": state.name,
            "active_id": active,
            "is_editor": bool(request.scope.get(EDITOR)),
            "user": request.scope.get("user"),
            "clone_url": f"{str(request.base_url).rstrip('/')}{GIT}" if self.site.serves_git() else None,
            "active_size": state.snapshot.total_size if state.snapshot else 0,
            "pin": pin_fields(state.pin),
            "base_url": str(request.base_url).rstrip("/"),
            "needs_login": self.site.needs_login,
            "remembers_calls": self.site.calls is not None,
            "has_followers": not self.site.followers.is_empty(),
            "editing": lambda: self._editing(request),
            "is_composed": not request.query_params.get("address") and any(map(request.query_params.get, REQUEST)),
        }
        body = render(template, state.snapshot, {**CONSTANTS, **around, **facts})
        more = {"Cache-Control": "no-store", **HEADERS, **self.commit_header(), **(headers or {})}
        return Response(body, status, more, media_type="text/html")

    def _editing(self, request: Request) -> Facts:
        """May who asks change the map here, and if not, why?"""
        if not request.scope.get(EDITOR):
            return {"may": False, "is_editor": False, "why": "that takes the role editor"}
        closed = self.site.change_service.closed()
        return {"may": closed is None, "is_editor": True, "why": closed}

    def commit_header(self) -> dict[str, str]:
        """The header that names the commit in force."""
        snapshot = self.site.active.state.snapshot
        return {COMMIT_HEADER.decode(): snapshot.commit.id} if snapshot and snapshot.commit else {}


@cache
def _make_ready() -> None:
    """Once in a process: those who ask as nodes go first, and then the first who looks."""

    def compile_later() -> None:
        with suppress(OSError):  # where a clock is not real, waiting may fail; the first who looks then waits instead
            time.sleep(START)
            compile_templates()

    threading.Thread(target=compile_later, name="templates", daemon=True).start()


def wants_page(request: Request) -> bool:
    """Is it a browser that asks?"""
    return "text/html" in request.headers.get("accept", "")


def told(fault: Fault) -> Facts:
    """A fault with every key."""
    none: Facts = {"hint": None, "problems": [], "total": 0, "places": []}
    return {**none, **problem_details(fault), "groups": fault.problems.groups()}


def _given(request: Request) -> dict[str, str]:
    """What a request says: of each name the first value, those of the path before all others."""
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        given.setdefault(name, value)
    return given | {name: str(value) for name, value in request.path_params.items()}
