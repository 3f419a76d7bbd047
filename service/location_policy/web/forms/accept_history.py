"""Accept another history: what waits, the form on which an editor says that it is meant, and the same for programs.

Nothing is remembered between the two: who confirms names the commit that was seen at the branch, and the one that was
served last, and where either is another by now, that is shown and nothing is written.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ...errors import LocationPolicyError
from ...history.commit_text import commit_fields
from ...repository.repository import open_repository
from ...rollout.same_history import accept
from ..edge.asker import asker
from ..edge.faults import Fault, fault_of
from ..edge.guard import EDITOR
from ..edge.responses import json_response
from ..pages.resources import Facts, Query
from ..pages.router import Pages, told
from ..site.thread_pool import ThreadPool
from .actions import Field
from .fields import FORM, JSON, Body, parse_fields, read_content

NAME = "accept-history"
PATH, API_PATH = f"/{NAME}", f"/api/v1/{NAME}"
SUMMARY = "Say that the history of the served branch is meant, though it is not that of what was served last"
FIELDS = (
    Field("head", "The id of the commit that waits, as it was seen.", "", is_required=True),
    Field("served", "The id of the commit that was served last, as it was seen.", "", is_required=True),
    Field("confirm", "Accept it; without it nothing is written.", "", kind="flag"),
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AcceptHistory:
    """The form of one site."""

    pages: Pages
    pool: ThreadPool = field(default_factory=ThreadPool)

    def routes(self) -> list[Route]:
        """Both of them."""
        return [
            Route(PATH, self._form, methods=["GET", "POST"]),
            Route(API_PATH, self._answer, methods=["POST"]),
        ]

    async def _form(self, request: Request) -> Response:
        try:
            if request.method == "POST":
                body = await read_content(request, (FORM, JSON))
                return await self.pool.do(lambda: self._posted(request, body), asker(request.scope))
            return await self.pool.do(lambda: self._page(request, self._waiting()), asker(request.scope))
        except LocationPolicyError as error:
            return await self.pages.show_fault(request, fault_of(error))

    def _posted(self, request: Request, body: Body) -> Response:
        query = _query(body)
        waiting = self._waiting()
        try:
            if query["confirm"]:
                self._accept(request, query, waiting)
                return RedirectResponse("/", 303)
        except Fault as fault:
            return self._page(request, waiting, fault)
        return self._page(request, waiting)

    async def _answer(self, request: Request) -> Response:
        try:
            body = await read_content(request, (FORM, JSON))
            return await self.pool.do(lambda: self._told(request, body), asker(request.scope))
        except LocationPolicyError as error:
            return await self.pages.show_fault(request, fault_of(error))

    def _told(self, request: Request, body: Body) -> Response:
        query = _query(body)
        waiting = self._waiting()
        if query["confirm"]:
            self._accept(request, query, waiting)
        facts = {**waiting, "is_accepted": query["confirm"]}
        return json_response(facts, headers=self.pages.commit_header())

    def _waiting(self) -> Facts:
        """What waits to be accepted, and what was served last; raises Fault where nothing does."""
        state = self.pages.site.active.state
        rejection = state.rejection
        if rejection is None or rejection.served is None or state.head is None:
            raise Fault(409, "no history waits to be accepted", "see / for the state")
        in_force = state.snapshot.commit if state.snapshot else None
        is_in_force = in_force is not None and in_force.id == rejection.served
        return {
            "branch": state.branch,
            "message": rejection.message,
            "head": commit_fields(state.head.commit),
            "served": commit_fields(in_force) if in_force and is_in_force else {"commit": rejection.served},
        }

    def _accept(self, request: Request, query: Query, waiting: Facts) -> None:
        """Write it to the config; raises Fault where something else was seen, or is there now."""
        place = self.pages.site.settings.place
        if place is None:
            raise Fault(409, "there is no repository in which anything could be changed")
        if (query["head"], query["served"]) != (waiting["head"]["commit"], waiting["served"]["commit"]):
            raise Fault(
                409, "it is not what you saw, and nothing was accepted", "this is what waits now; confirm it again"
            )
        try:
            with open_repository(place) as repository:
                accept(repository, query["head"])
        except LocationPolicyError as error:
            raise Fault(409, error.message, error.hint) from None
        log.warning("accepted history commit=%s by=%s", query["head"], request.scope.get("user") or "anonymous")

    def _page(self, request: Request, waiting: Facts, fault: Fault | None = None) -> Response:
        facts = {**waiting, "fault": fault and told(fault), "is_editor": bool(request.scope.get(EDITOR))}
        return self.pages.html("accept_history.html", request, facts, fault.status if fault else 200)


def _query(body: Body) -> Query:
    """What is said; raises Fault."""
    given = parse_fields(body)
    return {one.name: one.read(given.get(one.name, [])) for one in FIELDS}
