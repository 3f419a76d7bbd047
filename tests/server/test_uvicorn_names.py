"""Names of uvicorn that are no promise of it: each is there, and none is used that is not listed here.

Its minor version is bounded; when that is raised, this fails before a service does.
"""

from __future__ import annotations

import ast
import inspect
from asyncio import new_event_loop
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http import httptools_impl
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import Server, ServerState

from location_policy.server import fast_path as short_way
from location_policy.server import limits
from location_policy.server import run as server
from location_policy.server import timeouts as clocks

PROTOCOL = [
    "_unset_keepalive_if_required",
    "app",
    "client",
    "connection_lost",
    "connection_made",
    "connections",
    "cycle",
    "data_received",
    "expect_100_continue",
    "flow",
    "headers",
    "loop",
    "on_body",
    "on_header",
    "on_headers_complete",
    "on_message_begin",
    "on_message_complete",
    "on_response_complete",
    "parser",
    "pause_writing",
    "pipeline",
    "resume_writing",
    "scope",
    "server_state",
    "timeout_keep_alive",
    "timeout_keep_alive_handler",
    "timeout_keep_alive_task",
    "transport",
]
STATE = [
    "default_headers",
    "total_requests",
]
CYCLE = [
    "default_headers",
    "disconnected",
    "keep_alive",
    "message_event",
    "response_complete",
    "response_started",
]
SERVER = [
    "capture_signals",
    "config",
    "handle_exit",
    "main_loop",
    "on_tick",
    "run",
    "shutdown",
]
SIGNATURES = {
    Server.capture_signals: ["self"],
    Server.handle_exit: ["self", "sig", "frame"],
    Server.main_loop: ["self"],
    Server.on_tick: ["self", "counter"],
    Server.shutdown: ["self", "sockets"],
    HttpToolsProtocol.__init__: ["self", "config", "server_state", "app_state", "_loop"],
}


def test_the_minor_version_is_bounded() -> None:
    bound = next(line for line in Path("pyproject.toml").read_text().splitlines() if '"uvicorn' in line)
    assert '"uvicorn>=0.54,<0.55"' in bound
    assert uvicorn.__version__.startswith("0.54.")


async def answer(_scope: Any, _receive: Any, _send: Any) -> None:  # noqa: ANN401  as uvicorn calls it
    """An application."""


def set_by(kind: type) -> set[str]:
    """The names that an object of a class is given at first."""
    return set(kind.__init__.__code__.co_names)  # type: ignore[misc]  # of a class, not of an object


def test_what_a_connection_uses_is_there() -> None:
    with closing(new_event_loop()) as loop:
        config = uvicorn.Config(answer, log_config=None, lifespan="off", ws="none")
        config.load()
        protocol = HttpToolsProtocol(config, ServerState(), {}, loop)
        assert not [name for name in PROTOCOL if not hasattr(protocol, name)]
        assert not [name for name in STATE if not hasattr(protocol.server_state, name)]
        assert "write_paused" in set_by(FlowControl)
        assert protocol.connections is protocol.server_state.connections


def test_what_a_request_uses_is_there() -> None:
    assert set(CYCLE) <= set_by(RequestResponseCycle)
    assert httptools_impl.STATUS_LINE[200].startswith(b"HTTP/1.1 200 OK\r\n")


def test_what_the_server_uses_is_there() -> None:
    assert not [name for name in SERVER if not hasattr(Server(uvicorn.Config(answer)), name)]
    assert hasattr(uvicorn.Config, "get_loop_factory")
    assert uvicorn.Config(answer).encoded_headers == []


@pytest.mark.parametrize("function", SIGNATURES, ids=lambda function: function.__qualname__)
def test_what_is_called_or_overridden_has_its_parameters(function: object) -> None:
    assert list(inspect.signature(function).parameters) == SIGNATURES[function]  # type: ignore[arg-type, index]


@pytest.mark.parametrize("module", [clocks, limits, short_way, server], ids=lambda module: module.__name__)
def test_no_name_is_used_that_is_not_listed(module: object) -> None:
    tree = ast.parse(inspect.getsource(module))  # type: ignore[arg-type]
    ours = {name for one in (clocks, limits, short_way, server) for name in _defined(ast.parse(inspect.getsource(one)))}
    known = {*PROTOCOL, *SERVER, "url", "__init__", "get_loop_factory", "create_server"}  # url: set before it is read
    assert _used(tree) - ours - known == set()


def _defined(tree: ast.AST) -> set[str]:
    """Names that our classes give themselves: what is set on `self` is ours, unless it is listed."""
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    fields = {node.target.id for node in ast.walk(tree) if _is_field(node)}  # type: ignore[attr-defined]
    stored = {node.attr for node in ast.walk(tree) if _is_own(node) and isinstance(node.ctx, ast.Store)}  # type: ignore[attr-defined]
    return functions | fields | {name for name in stored if name.startswith("_")}


def _is_field(node: ast.AST) -> bool:
    return isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)


def _is_own(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


def _used(tree: ast.AST) -> set[str]:
    """Names that are read of `self` and of `super()`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            of_super = isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "super"
            if of_super or _is_own(node):
                found.add(node.attr)
    return found
