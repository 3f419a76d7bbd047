"""What programs ask of the service itself: does it live, is it ready, what is its state, and its metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...fleet.fleet import Fleet
from ...rollout.notify.outbox import Outbox
from ...rollout.state import ActiveState
from ..edge.faults import MEDIA_TYPE, SOON, Fault, problem_details
from ..edge.policy_api import COMMIT_HEADER
from ..edge.responses import json_response
from .metrics import Metrics
from .settings import Settings
from .status import status
from .status_wait import parse_wait


@dataclass(frozen=True, slots=True)
class Probes:
    """Answers from the state in force, as it is at that moment."""

    active: ActiveState
    settings: Settings
    started_at: datetime
    metrics: Metrics
    fleet: Fleet = field(default_factory=Fleet)
    outboxes: Mapping[str, Outbox] = field(default_factory=dict)

    def routes(self) -> list[Route]:
        """All of them."""
        shown = {
            "/status": self._status,
            "/healthz": self._health,
            "/readyz": self._readiness,
            "/metrics": self._metrics,
        }
        return [Route(path, answer) for path, answer in shown.items()]

    async def _status(self, request: Request) -> Response:
        try:
            wait = parse_wait(request, self.active, self.fleet)
            if wait:
                with suppress(asyncio.CancelledError):  # the service ends: the answer is due all the same
                    await wait.hold(request.receive)
        except Fault as fault:
            headers = {"Retry-After": SOON} if fault.status == 503 else {}
            return json_response(problem_details(fault), fault.status, headers, MEDIA_TYPE)
        state = self.active.state
        commit = state.snapshot and state.snapshot.commit
        headers = {COMMIT_HEADER.decode(): commit.id} if commit else {}
        told = status(
            state, self.settings, self.started_at, self.active.draining_since, self.fleet.followers, self.outboxes
        )
        return json_response(told | ({"wait": wait.fields()} if wait else {}), headers=headers)

    async def _health(self, _: Request) -> Response:
        return json_response({"status": "alive"})

    async def _readiness(self, _: Request) -> Response:
        if self.active.draining_since:
            told, code = "draining", 503
        elif self.active.state.snapshot is None:
            told, code = "no configuration is loaded yet", 503
        else:
            told, code = "ready", 200
        return json_response({"status": told}, code)

    async def _metrics(self, request: Request) -> Response:
        # Not in a thread: that holds answers back for longer than the millisecond that this takes.
        body, content_type = self.metrics.render(",".join(request.headers.getlist("accept")))
        return Response(body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})
