"""Forms by which the map is changed, and the same for programs.

Nothing is remembered between what is shown and what is confirmed: the form carries it. What is confirmed on another
tip than was seen is shown anew.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ...access.proxies import Proxies
from ...edits.change_request import ChangeRequest, cleaned, page_author
from ...errors import LocationPolicyError, NotConfirmed, RevertConflict, RowChanged, UnusableUpload
from ...history.commit_text import SHORT
from ...runtime.turns import Busy, Turns
from ..edge.asker import asker
from ..edge.faults import MEDIA_TYPE, Fault, fault_of, problem_details
from ..edge.responses import json_response
from ..pages.resources import Facts, Query
from ..pages.router import Pages, told, wants_page
from ..site.thread_pool import ThreadPool
from .action_table import ACTIONS
from .actions import Action
from .attempt_fields import attempt_fields, fault_in
from .fields import LARGEST, Body, Given, read_content

SECONDS = 135.0
"""How long one change may wait and take: the editor who has confirmed it is to know what became of it."""
LANDING = 35.0
"""Seconds of these that are left to the making of what was judged in time, and to a push of it."""
LATE = "a change that was confirmed may have been made all the same: see /history before it is tried again"

UPLOADS = 4
"""Large bodies that are read and used at once, half of them of one editor: each is in memory a few times."""

View = Callable[[Request], Awaitable[Response]]

NOTHING: Facts = {"fault": None, "changed": None, "attempt": None, "groups": [], "offer": None}


@dataclass(frozen=True, slots=True)
class ChangePages:
    """The forms of one site; `pool` is where changes are made."""

    pages: Pages
    proxies: Proxies
    pool: ThreadPool = field(default_factory=lambda: ThreadPool(seconds=SECONDS, late=LATE))
    uploads: Turns = field(default_factory=lambda: Turns(UPLOADS))

    def routes(self) -> list[Route]:
        """All of them."""
        forms = [Route(one.path, self._form(one), methods=["GET", "POST"]) for one in ACTIONS]
        return forms + [Route(one.api_path, self._answer(one), methods=["POST"]) for one in ACTIONS]

    def _form(self, action: Action) -> View:
        answer = self._answer(action)

        async def show(request: Request) -> Response:
            if action.is_classic and request.method == "POST" and not wants_page(request):
                return await answer(request)
            try:
                if request.method != "POST":
                    return await self.pool.do(lambda: self._begin(action, request), asker(request.scope))
                return await self._posted(action, request)
            except LocationPolicyError as error:
                return await self.pages.show_fault(request, fault_of(error))

        return show

    async def _posted(self, action: Action, request: Request) -> Response:
        """What is sent, or why it cannot be read; raises Fault where there is no room or no time."""
        async with self._turn(action, request):
            try:
                body = await read_content(request, action.kinds, action.largest)
            except Fault as fault:
                unread = fault
                return await self.pool.do(
                    lambda: self._fault(action, request, action.typed({}), unread), asker(request.scope)
                )
            until = _until()
            return await self.pool.do(lambda: self._change(action, request, body, until), asker(request.scope))

    @asynccontextmanager
    async def _turn(self, action: Action, request: Request) -> AsyncIterator[None]:
        """Let what may be large wait until there is room for it; raises Fault where there is none in time."""
        if action.largest <= LARGEST:
            yield
            return
        try:
            async with self.uploads.turn(asker(request.scope)):
                yield
        except Busy:
            raise Fault(503, "too many files are uploaded at once", "try again in a few seconds") from None

    def _begin(self, action: Action, request: Request) -> Response:
        """The form, empty, or with what the address says."""
        params = request.query_params
        given = {name: params.getlist(name) for name in params}
        try:
            return self._page(action, request, action.query(given), NOTHING)
        except LocationPolicyError as error:
            return self._fault(action, request, action.typed(given), error)

    def _change(self, action: Action, request: Request, body: Body, until: float) -> Response:
        """The plan, or the commit once it is confirmed."""
        given: Given = {}
        try:
            given = action.parse(self.pages.site, body)
            query = action.query(given)
            attempt = self.pages.site.change_service.do(self._asked(action, request, query), _seen(query), until)
        except LocationPolicyError as error:
            return self._fault(action, request, action.typed(given), error)
        if attempt.commit and not attempt.warning and not attempt.remote:
            return RedirectResponse(f"/commit/{attempt.commit}", 303)
        fault = fault_in(attempt, is_confirmed=query["confirm"])
        found = attempt.preview.verdict.problems
        facts = {
            **NOTHING,
            "attempt": attempt_fields(attempt),
            "fault": fault and told(fault),
            "groups": found.groups(),
        }
        return self._page(action, request, query, facts, fault.status if fault else 200)

    def _fault(self, action: Action, request: Request, query: Query, error: LocationPolicyError) -> Response:
        """Why not, with the form in which it is mended: a row that has changed is there as it is now."""
        fault, changed = fault_of(error), None
        if isinstance(error, RowChanged):
            changed = {"seen": query["seen"], "now": error.text or None}
            now = {"path": error.path, "line": error.line} if error.text else {}
            query = {**query, "seen": error.text, **now}
        facts = {**NOTHING, "fault": told(fault), "changed": changed}
        facts["offer"] = _offer(error, query)
        if isinstance(error, UnusableUpload):
            facts["unknown"] = [*dict.fromkeys((*query["known"], *error.unknown))]
        return self._page(action, request, query, facts, fault.status)

    def _page(self, action: Action, request: Request, query: Query, facts: Facts, status: int = 200) -> Response:
        site = self.pages.site
        own = {"title": action.title, "query": query, **action.facts(site, query)}
        own |= {"action": action, "for_review": site.change_service.for_review, "hidden": action.hidden(own["query"])}
        own["cancel"] = f"/commit/{query['commit']}" if query.get("commit") else action.origin
        return self.pages.html("change.html", request, {**own, **facts}, status)

    def _answer(self, action: Action) -> View:
        async def show(request: Request) -> Response:
            try:
                async with self._turn(action, request):
                    body = await read_content(request, action.kinds, action.largest)
                    until = _until()
                    return await self.pool.do(lambda: self._told(action, request, body, until), asker(request.scope))
            except LocationPolicyError as error:
                return await self.pages.show_fault(request, fault_of(error))

        return show

    def _told(self, action: Action, request: Request, body: Body, until: float) -> Response:
        """What became of it, as JSON."""
        site = self.pages.site
        query = action.query(action.parse(site, body))
        attempt = site.change_service.do(self._asked(action, request, query), _seen(query), until)
        facts, headers = attempt_fields(attempt), self.pages.commit_header()
        if fault := fault_in(attempt, is_confirmed=query["confirm"]):
            return json_response({**problem_details(fault), **facts}, fault.status, headers, MEDIA_TYPE)
        return json_response(facts, headers=headers)

    def _asked(self, action: Action, request: Request, query: Query) -> ChangeRequest:
        scope = request.scope
        peer = scope["client"][0] if scope["client"] else None
        forwarded = (value for name, value in scope["headers"] if name == b"x-forwarded-for")
        author = page_author(scope.get("user"), self.proxies.client(peer, forwarded))
        is_typed = query["message"] and cleaned(query["message"]) != cleaned(query["proposed"] or "")
        message = query["message"] if is_typed else None
        for_review = self.pages.site.change_service.for_review
        return ChangeRequest(action.intent(query), author, message, query["reason"], for_review)


def _offer(error: LocationPolicyError, query: Query) -> Facts | None:
    """What can be done instead of a revert that cannot be: the words of its button, and what that sends."""
    match error:
        case RevertConflict(before=before, is_again=is_again) if before:
            again = {"again": "1"} if is_again else {}
            return {"text": f"Restore {before[:SHORT]} …", "fields": {"commit": before, "to": "1"} | again}
        case NotConfirmed():
            to = {"to": "1"} if query["to"] else {}
            text = "Restore it all the same …" if to else "Revert it all the same …"
            return {"text": text, "fields": {"commit": query["commit"], "again": "1"} | to}
    return None


def _until() -> float:
    """When a change that is asked for now is made at the latest."""
    return time.monotonic() + SECONDS - LANDING


def _seen(query: Query) -> str | None:
    """The tip that was seen by the editor who confirms; None: nothing is confirmed."""
    if query["confirm"] and not query["tip"]:
        raise Fault(400, "tip is not given", "confirm with the tip that the plan was shown for")
    return query["tip"] if query["confirm"] else None
