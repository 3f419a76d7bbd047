"""The description of the API (OpenAPI 3.1), made from the table of resources."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from .. import __version__
from ..rollout.sync.syncs import Result
from .edge.faults import MEDIA_TYPE, TITLES
from .forms import accept_history
from .forms.actions import COMMON, Action, Field
from .forms.fields import FORM, JSON
from .forms.pin import PinAction
from .forms.schemas import ACCEPTED_HISTORY, ATTEMPT, PINNED
from .ops.sync_api import LONGEST
from .ops.sync_api import PATH as SYNC
from .pages.resources import Facts, Parameter, Resource
from .pages.schemas import COUNTS, FAULT, NUMBER, PROBLEM, TEXT, TIME, TRUTH, many, perhaps, record

FAULTS = ("400", "404", "422", "503")
REFUSALS = ("400", "403", "404", "408", "409", "413", "415", "422", "503")
"""What else a change may be answered with; 409 and 422 have what a change is told, as far as there is one."""


_SYNC = record(
    sync=NUMBER,
    asked_at=TIME,
    began_at=perhaps(TIME),
    looked_at=perhaps(TIME),
    tip=perhaps(TEXT),
    result={"enum": [*get_args(Result), None]},
    message=perhaps(TEXT),
    hint=perhaps(TEXT),
    problems=many(PROBLEM),
    total=NUMBER,
    counts=COUNTS,
    is_cut=TRUTH,
)


def description(
    resources: Iterable[Resource], actions: Iterable[Action], pins: Iterable[PinAction], *, has_syncs: bool
) -> Facts:
    """The whole of `/openapi.json`; `has_syncs`: looks at the source can be asked for."""
    paths = {one.api_path.replace(":path}", "}"): {"get": _operation(one)} for one in resources}
    paths |= {one.api_path: {"post": _change(one, (*one.fields, *COMMON), ATTEMPT)} for one in actions}
    paths |= {one.api_path: {"post": _change(one, one.fields, PINNED)} for one in pins}
    paths[accept_history.API_PATH] = {"post": _accept()}
    paths |= _syncs() if has_syncs else {}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "location-policy",
            "version": __version__,
            "description": "The active commit, its answers, blame, and the impact of each commit.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Fault": FAULT},
            "responses": {code: _fault(TITLES[int(code)]) for code in REFUSALS},
            "securitySchemes": {"password": {"type": "http", "scheme": "basic"}},
        },
        "security": [{"password": []}, {}],
    }


def _operation(resource: Resource) -> Facts:
    content = {"application/json": {"schema": resource.schema}}
    return {
        "operationId": resource.name,
        "summary": resource.summary,
        "parameters": [_parameter(one, resource) for one in resource.parameters],
        "responses": {
            "200": {"description": resource.summary, "content": content},
            **{code: {"$ref": f"#/components/responses/{code}"} for code in FAULTS},
        },
    }


def _change(action: Action | PinAction, fields: Iterable[Field], answer: Facts) -> Facts:
    kinds = [kind for kind in action.kinds if kind != JSON]
    return _posted(action.name, action.summary, kinds, fields, answer)


def _accept() -> Facts:
    return _posted(accept_history.NAME, accept_history.SUMMARY, [FORM], accept_history.FIELDS, ACCEPTED_HISTORY)


def _posted(name: str, summary: str, kinds: Iterable[str], fields: Iterable[Field], answer: Facts) -> Facts:
    fields = tuple(fields)
    schema: Facts = {
        "type": "object",
        "properties": {one.name: {"description": one.description, **one.schema()} for one in fields},
        "required": [one.name for one in fields if one.is_required],
    }
    others = " and as ".join(kinds)
    return {
        "operationId": name,
        "summary": f"{summary}. The same fields are taken as {others}, those that say yes as 1",
        "requestBody": {"required": True, "content": {JSON: {"schema": schema}}},
        "responses": {
            "200": {"description": summary, "content": {JSON: {"schema": answer}}},
            **{code: {"$ref": f"#/components/responses/{code}"} for code in REFUSALS},
        },
    }


def _syncs() -> Facts:
    """A look at the source: asked for, and what became of it."""
    asked, told = "The source is checked now", "The result of that check, once it is known"
    seconds = {"type": "integer", "minimum": 0, "maximum": int(LONGEST)}
    parameters = [
        {"name": "number", "in": "path", "description": "Of the check", "required": True, "schema": NUMBER},
        {"name": "wait", "in": "query", "description": "Seconds to wait for it", "required": False, "schema": seconds},
    ]
    return {
        SYNC: {
            "post": {"operationId": "sync", "summary": asked, "responses": _told("202", asked, record(sync=NUMBER))}
        },
        f"{SYNC}/{{number}}": {
            "get": {
                "operationId": "sync_result",
                "summary": told,
                "parameters": parameters,
                "responses": _told("200", told, _SYNC, ("400", "404", "503")),
            }
        },
    }


def _told(status: str, summary: str, answer: Facts, faults: Iterable[str] = ("403", "503")) -> Facts:
    return {
        status: {"description": summary, "content": {JSON: {"schema": answer}}},
        **{code: {"$ref": f"#/components/responses/{code}"} for code in faults},
    }


def _parameter(one: Parameter, resource: Resource) -> Facts:
    is_in_path = f"{{{one.name}" in resource.path
    told: Facts = {
        "name": one.name,
        "in": "path" if is_in_path else "query",
        "description": one.description,
        "required": one.is_required,
        "schema": one.schema(),
    }
    return told | ({"example": int(one.example) if one.bounds else one.example} if one.example else {})


def _fault(title: str) -> Facts:
    return {"description": title, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Fault"}}}}
