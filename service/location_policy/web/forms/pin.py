"""A commit held in force by hand, and let go: a form with a confirmation for people, the same for programs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ...access.proxies import Proxies
from ...config.commit import Commit
from ...edits.change_request import page_author
from ...errors import InvalidConfiguration, LocationPolicyError, NothingChanges
from ...gate.pin import check_span, parse_reason
from ...history.commit_text import commit_fields
from ...repository.new_commits import Author
from ...text import parse_duration
from ..edge.asker import asker
from ..edge.faults import Fault, fault_of
from ..edge.guard import EDITOR
from ..edge.responses import json_response
from ..ops.status import pin_fields
from ..pages.resource_table import A_COMMIT
from ..pages.resources import Facts, Query
from ..pages.router import Pages, told
from ..site.site import Site
from ..site.thread_pool import ThreadPool
from .actions import Field, Form
from .fields import FORM, JSON, Body, Given, parse_fields, read_content

View = Callable[[Request], Awaitable[Response]]

OFFERED = 20
"""Commits to choose from; any other is named by its id."""
CONFIRM = Field("confirm", "Do it; without it what it would do is told and nothing is done.", "", kind="flag")


@dataclass(frozen=True, slots=True)
class PinAction(Form):
    """One of the two; `preview` finds out what it would do."""

    preview: Callable[[Site, Query], Facts]
    do: Callable[[Site, Query, Author], None]
    kinds: tuple[str, ...] = (FORM, JSON)

    def query(self, given: Given) -> Query:
        """What was typed, by every field; raises Fault at the first that cannot be."""
        return {one.name: one.read(given.get(one.name, [])) for one in self.fields}

    def typed(self, given: Given) -> Query:
        """The same where it may be wrong, for the form in which it is mended."""
        return {one.name: next(iter(given.get(one.name, [])), None) for one in self.fields}


def _preview_pin(site: Site, query: Query) -> Facts:
    """What answers change by it; raises what keeps the commit from being held."""
    _parsed(query)
    commit = site.queries.find(query["commit"])
    site.pins.check(commit, site.queries.served(), site.queries.refused())
    return _effect(site, commit)


def _pin(site: Site, query: Query, author: Author) -> None:
    site.pins.pin(site.queries.find(query["commit"]), author, *_parsed(query))


def _preview_unpin(site: Site, _query: Query) -> Facts:
    """What answers change once HEAD counts again; nothing is told of one that is not valid."""
    state = site.active.state
    if state.pin is None:
        raise NothingChanges("nothing is pinned")
    try:
        return _effect(site, state.head.commit) if state.head else {"commit": None, "plan": None}
    except InvalidConfiguration:
        return {"commit": state.head and commit_fields(state.head.commit), "plan": None}


def _unpin(site: Site, _query: Query, author: Author) -> None:
    site.pins.unpin(author)


def _parsed(query: Query) -> tuple[timedelta, str]:
    try:
        return check_span(parse_duration(query["for"])), parse_reason(query["reason"])
    except ValueError as error:
        raise Fault(400, str(error)) from None


def _effect(site: Site, commit: Commit) -> Facts:
    return {"commit": commit_fields(commit), "plan": site.queries.change(site.active.commit, commit.id).plan}


PINS = (
    PinAction(
        "pin",
        "Pin a commit",
        "Pin a commit for a time: what it would do, then once confirmed that it does",
        (
            Field("commit", "The id of a commit of the served branch.", A_COMMIT, is_required=True),
            Field("for", "For how long, at most 7d.", "2h", is_required=True),
            Field("reason", "Why, in one line.", "APAC is down", is_required=True),
            CONFIRM,
        ),
        _preview_pin,
        _pin,
    ),
    PinAction(
        "unpin",
        "Unpin",
        "Serve the latest commit again: what it would do, then once confirmed that it does",
        (CONFIRM,),
        _preview_unpin,
        _unpin,
    ),
)


@dataclass(frozen=True, slots=True)
class PinPages:
    """The two forms of one site."""

    pages: Pages
    proxies: Proxies
    pool: ThreadPool

    def routes(self) -> list[Route]:
        """All of them."""
        forms = [Route(one.path, self._form(one), methods=["GET", "POST"]) for one in PINS]
        return forms + [Route(one.api_path, self._answer(one), methods=["POST"]) for one in PINS]

    def _form(self, action: PinAction) -> View:
        async def show(request: Request) -> Response:
            try:
                if request.method == "POST":
                    body = await read_content(request, action.kinds)
                    return await self.pool.do(lambda: self._posted(action, request, body), asker(request.scope))
                params = request.query_params
                given = {name: params.getlist(name) for name in params}
                return await self.pool.do(lambda: self._begun(action, request, given), asker(request.scope))
            except LocationPolicyError as error:
                return await self.pages.show_fault(request, fault_of(error))

        return show

    def _begun(self, action: PinAction, request: Request, given: Given) -> Response:
        """The form; where it asks for nothing, with what it would do."""
        asks = any(one is not CONFIRM for one in action.fields)
        return self._page(action, request, action.typed(given)) if asks else self._shown(action, request, given)

    def _posted(self, action: PinAction, request: Request, body: Body) -> Response:
        try:
            given = parse_fields(body)
        except LocationPolicyError as error:
            return self._page(action, request, action.typed({}), error)
        return self._shown(action, request, given)

    def _shown(self, action: PinAction, request: Request, given: Given) -> Response:
        """What it would do, or once it is confirmed the home page."""
        site = self.pages.site
        try:
            query = action.query(given)
            found = action.preview(site, query)
            if query["confirm"]:
                action.do(site, query, self._author(request))
                return RedirectResponse("/", 303)
        except LocationPolicyError as error:
            return self._page(action, request, action.typed(given), error)
        return self._page(action, request, query, found=found)

    def _page(
        self,
        action: PinAction,
        request: Request,
        query: Query,
        error: LocationPolicyError | None = None,
        found: Facts | None = None,
    ) -> Response:
        closed = self.pages.site.pins.closed() if request.scope.get(EDITOR) else "that takes the role editor"
        fault = fault_of(error) if error else None
        facts = {"action": action, "query": query, "closed": closed, "fault": fault and told(fault), "found": found}
        if action.name == "pin" and not closed:
            facts["offered"] = [commit_fields(one) for one in self.pages.site.queries.newest_served(OFFERED)]
        return self.pages.html("pin.html", request, facts, fault.status if fault else 200)

    def _answer(self, action: PinAction) -> View:
        async def show(request: Request) -> Response:
            try:
                body = await read_content(request, action.kinds)
                return await self.pool.do(lambda: self._told(action, request, body), asker(request.scope))
            except LocationPolicyError as error:
                return await self.pages.show_fault(request, fault_of(error))

        return show

    def _told(self, action: PinAction, request: Request, body: Body) -> Response:
        """What it would do, and what is held now, as JSON."""
        site = self.pages.site
        query = action.query(parse_fields(body))
        found = action.preview(site, query)
        if query["confirm"]:
            action.do(site, query, self._author(request))
        facts = {**found, "done": query["confirm"], "pin": pin_fields(site.active.state.pin)}
        return json_response(facts, headers=self.pages.commit_header())

    def _author(self, request: Request) -> Author:
        scope = request.scope
        peer = scope["client"][0] if scope["client"] else None
        forwarded = (value for name, value in scope["headers"] if name == b"x-forwarded-for")
        return page_author(scope.get("user"), self.proxies.client(peer, forwarded))
