"""The description of the API (OpenAPI 3.1), made from the table of resources."""

from __future__ import annotations

from collections.abc import Iterable

from .. import __version__
from . import schemas
from .faults import MEDIA_TYPE, TITLES
from .resources import Facts, Parameter, Resource

FAULTS = ("400", "404", "422", "503")


def description(resources: Iterable[Resource]) -> Facts:
    """The whole of `/openapi.json`."""
    paths = {one.api_path.replace(":path}", "}"): {"get": _operation(one)} for one in resources}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "location-policy",
            "version": __version__,
            "description": "What is in force, what it says, who wrote it, and what each commit did.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Fault": schemas.FAULT},
            "responses": {code: _fault(TITLES[int(code)]) for code in FAULTS},
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
