"""Local policy as conference nodes run it: Jinja2 in a sandbox, with the few filters and functions that nodes have."""

from __future__ import annotations

import json
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from jinja2 import Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

FILTERS = {"abs", "capitalize", "default", "first", "float", "format", "int", "join", "last", "length", "lower"} | {
    "replace",
    "round",
    "striptags",
    "trim",
    "truncate",
    "upper",
}
"""Of Jinja2's own filters, those that local policy has."""

SUGGESTED = {"location": "the node's own", "primary_overflow_location": "next to it"}
"""What Pexip has chosen before the script is asked."""


def pex_in_subnet(address: str, subnets: list[str]) -> bool:
    """Is the address in one of these?"""
    return any(ip_address(address) in ip_network(subnet) for subnet in subnets)


def render(script: str, call_info: dict[str, Any]) -> dict[str, Any] | None:
    """What the script chooses for a call; None where it leaves Pexip's choice as it is."""
    template = _compiled(script)
    text = template.render(call_info=call_info, suggested_media_overflow_locations=SUGGESTED)
    result = json.loads(text)["result"]
    assert isinstance(result, dict)
    return None if result == SUGGESTED else result


@lru_cache(maxsize=4)
def _compiled(script: str) -> Template:
    environment = ImmutableSandboxedEnvironment()
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    environment.filters["pex_to_json"] = json.dumps
    environment.globals = {"pex_in_subnet": pex_in_subnet}
    return environment.from_string(script)
