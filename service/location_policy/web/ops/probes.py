"""What programs ask of the service itself: does it live, is it ready, what is its state, and its metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...rollout.state import ActiveState
from ..edge.policy_api import COMMIT_HEADER
from ..edge.responses import json_response
from .metrics import Metrics
from .settings import Settings
from .status import status


@dataclass(frozen=True, slots=True)
class Probes:
    """Answers from the state in force, as it is at that moment."""

    active: ActiveState
    settings: Settings
    started_at: datetime
    metrics: Metrics

    def routes(self) -> list[Route]:
        """All of them."""
        shown = {
            "/status": self._status,
            "/healthz": self._health,
            "/readyz": self._readiness,
            "/metrics": self._metrics,
        }
        return [Route(path, answer) for path, answer in shown.items()]

    async def _status(self, _: Request) -> Response:
        state = self.active.state
        commit = state.snapshot and state.snapshot.commit
        headers = {COMMIT_HEADER.decode(): commit.id} if commit else {}
        told = status(state, self.settings, self.started_at, self.active.draining_since)
        return json_response(told, headers=headers)

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
