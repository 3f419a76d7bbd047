"""The application: puts the policy API and the routes together."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ..calls.history import CallHistory
from ..fleet.fleet import Fleet
from ..repository.remote.mirror import Mirror
from ..rollout.notify.outbox import Outbox
from ..rollout.state import ActiveState, now
from .edge.git_http import FETCH, PUSH, REFS, Backend, GitHttp
from .edge.guard import ALL_ROLES, Access, Guard
from .edge.policy_api import PolicyApi
from .edge.responses import json_response
from .edge.webhook import PATH as WEBHOOK
from .edge.webhook import Webhook
from .forms.accept_history import API_PATH as ACCEPT_API
from .forms.accept_history import PATH as ACCEPT
from .forms.accept_history import AcceptHistory
from .forms.action_table import ACTIONS
from .forms.pin import PINS, PinPages
from .forms.router import ChangePages
from .openapi import description
from .ops.decision_log import DecisionLog
from .ops.metrics import Metrics, Requests
from .ops.probes import Probes
from .ops.settings import Settings
from .ops.sync_api import SyncApi
from .ops.tip import PATH as TIP
from .ops.tip import Tip
from .pages.resource_table import RESOURCES
from .pages.router import Pages
from .site.change_service import ChangeService
from .site.pin_service import PinService
from .site.repository_queries import RepositoryQueries
from .site.site import Site

OF_ACTIONS = tuple(path for one in (*ACTIONS, *PINS) for path in (one.path, one.api_path))
BODIES = frozenset((FETCH, PUSH, WEBHOOK, ACCEPT, ACCEPT_API, *OF_ACTIONS))
"""Paths whose bodies are read here, and bounded."""
EVERYONE_MAY = Access(anonymous=ALL_ROLES)


class Router(Starlette):
    """Hands on by path; the tip past what the framework does, of which each request that waits would keep a part."""

    def __init__(self, tip: Tip, routes: Sequence[Route], handlers: Mapping[Any, Any]) -> None:
        super().__init__(routes=routes, exception_handlers=handlers)
        self._tip = tip

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        """One request (ASGI 3)."""
        return (self._tip if scope["path"] == TIP else super().__call__)(scope, receive, send)


def make_app(
    active: ActiveState,
    settings: Settings,
    decisions: DecisionLog | None = None,
    access: Access = EVERYONE_MAY,
    backend: Backend = None,
    syncs: SyncApi | None = None,
    webhook: Webhook | None = None,
    mirror: Mirror | None = None,
    fleet: Fleet | None = None,
    outboxes: Mapping[str, Outbox] = MappingProxyType({}),
    certificate_ends: Callable[[], datetime | None] = lambda: None,
    calls: CallHistory | None = None,
) -> Guard:
    """The ASGI application that answers from `active` whom `access` lets ask, and tells `decisions` of each.

    `backend` is git, where the repository is to be cloned from here and pushed to; looks at the source are asked for by
    `syncs` and `webhook`. Where a remote is followed, `mirror` is the copy of it. `fleet` are those who follow this
    service, `outboxes` those of who is told of changes. `certificate_ends`: when that of TLS does. `calls`
    remembers what was asked.
    """
    fleet, requests, started_at = fleet or Fleet(), Requests(), settings.started_at or now()
    dropped, knocks = (lambda: decisions.dropped if decisions else 0), webhook.results if webhook else {}
    metrics = Metrics(active, requests, dropped, knocks, certificate_ends, fleet.followers, outboxes)
    changes = ChangeService(settings.place, settings.changes, mirror=mirror)
    pages = Pages(_site(active, settings, started_at, requests, changes, access, fleet, backend, calls))
    git = GitHttp(backend, access.proxies)
    tip = Tip(active, fleet, git.is_served, access.proxies, calls)
    routes = [
        *_page_routes(pages, access, has_syncs=syncs is not None),
        *Probes(active, settings, started_at, metrics, fleet, outboxes).routes(),
        *(syncs.routes() if syncs else ()),
        *([Route(WEBHOOK, webhook)] if webhook else ()),
        *(Route(path, git) for path in (REFS, FETCH, PUSH)),
    ]
    router = Router(tip, [*routes, Route(TIP, tip)], pages.handlers())
    router.router.redirect_slashes = False
    witnesses = [requests.count, *([decisions.record] if decisions else []), *([calls.count] if calls else [])]
    api = PolicyApi(active, router, witnesses)
    return Guard(api, access, api)


def _site(
    active: ActiveState,
    settings: Settings,
    started_at: datetime,
    requests: Requests,
    changes: ChangeService,
    access: Access,
    fleet: Fleet,
    backend: Backend,
    calls: CallHistory | None,
) -> Site:
    """What pages are made from."""
    queries, pins = (
        RepositoryQueries(settings.place, settings.state_directory, active),
        PinService(settings.place, active),
    )
    needs_login, serves_git = "node" not in access.anonymous, partial(_serves, backend)
    return Site(
        active, settings, started_at, requests, queries, changes, pins, needs_login, fleet.followers, serves_git, calls
    )


def _page_routes(pages: Pages, access: Access, *, has_syncs: bool) -> Iterator[Route]:
    yield from pages.routes()
    yield Route("/openapi.json", partial(_describe, has_syncs=has_syncs))
    changes = ChangePages(pages, access.proxies)
    yield from changes.routes()
    yield from PinPages(pages, access.proxies, changes.pool).routes()
    yield from AcceptHistory(pages).routes()


def _serves(backend: Backend) -> bool:
    """Can the repository be cloned from here by now?"""
    return bool(backend() if callable(backend) else backend)


async def _describe(_: Request, *, has_syncs: bool) -> Response:
    return json_response(description(RESOURCES, ACTIONS, PINS, has_syncs=has_syncs))
