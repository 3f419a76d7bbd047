"""The way of the data, held: a module imports only from lines above its own, and each outside library in one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent.parent / "service" / "location_policy"

LAYERS = (
    "addresses",
    "problems",
    "sources",
    "errors",
    "spelling",
    "diagnosis",
    "prefix_tree",
    "cells",
    "lines",
    "rows",
    "canonical",
    "sheets",
    "places",
    "shares",
    "rules",
    "overlaps",
    "hygiene",
    "ranges",
    "old_rows",
    "site_rows",
    "row_changes",
    "expectations",
    "owners",
    "breaches",
    "rule_problems",
    "location_map",
    "coverage",
    "problem_fields",
    "reports",
    "annotations",
    "sarif",
    "local_policy",
    "changes",
    "first_match",
    "tables",
    "uploads",
    "replacement",
    "known_names",
    "rule_changes",
    "touched",
    "approvals",
    "plan",
    "change_text",
    "plan_text",
    "plan_markdown",
    "plan_fields",
    "plan_excerpt",
    "change_limits",
    "line_merge",
    "updates",
    "procreceive",
    "passwords",
    "roles",
    "basic_auth",
    "proxies",
    "working_copy",
    "settings",
    "ordinary_log",
    "nameless",
    "line_writer",
    "aside",
    "password_file",
    "kept_file",
    "failures",
    "waiting_line",
    "credentials",
    "tls",
    "sockets",
    "rereading",
    "sd_notify",
    "exchange",
    "reviews",
    "manager",
    "manager_names",
    "preflight",
    "repository",
    "signatures",
    "overrides",
    "effect",
    "history",
    "comparison",
    "mirror",
    "git_hooks",
    "installation",
    "queries",
    "answers",
    "snapshot",
    "row_search",
    "map_csv",
    "address_picture",
    "slices",
    "elsewhere",
    "building",
    "loading",
    "policy",
    "commit_text",
    "blame",
    "decision_log",
    "verdict_text",
    "signed_push",
    "judgement",
    "prereceive",
    "pushers",
    "forges",
    "postreceive",
    "landing",
    "reversal",
    "intents",
    "row_edit",
    "row_upload",
    "changing",
    "last_good",
    "journal",
    "history_text",
    "active",
    "keeper",
    "rollout",
    "refresh",
    "follower",
    "announcer",
    "outlook",
    "doctor",
    "metrics",
    "web",
    "open_files",
    "clocks",
    "limits",
    "short_way",
    "server",
    "cli",
    "__main__",
)

ONLY_IN = {
    "git": ("repository",),
    "subprocess": ("repository", "elsewhere"),
    "bcrypt": ("passwords",),
    "cryptography": ("tls",),
    "watchfiles": ("follower",),
    "starlette": ("web", "server"),
    "uvloop": ("server",),
    "uvicorn": ("clocks", "limits", "short_way", "server"),
    "httptools": ("limits",),
    "http": ("exchange",),
    "ssl": ("exchange", "reviews", "manager", "tls", "server"),
    "click": ("cli",),
    "csv": ("sheets",),
    "tomllib": ("rules",),
    "orjson": ("decision_log",),
    "prometheus_client": ("process_metrics", "metrics"),
    "python_multipart": ("web",),
    "jinja2": ("web",),
}

NO_INPUT_OR_OUTPUT = LAYERS[: LAYERS.index("working_copy")]
DOORS = {"os", "io", "socketserver", "subprocess", "pathlib", "tempfile", "shutil", "logging", "sys"}

FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem != "__init__")


def layer_of(path: Path) -> str:
    """The line of the design to which a file belongs."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports_of(path: Path) -> Iterator[tuple[str | None, str]]:
    """Each import of a file: the layer when it is ours, and the name of the top module when it is not."""
    parts = path.relative_to(PACKAGE).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((None, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield None, (node.module or "").partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            above = parts[: len(parts) - node.level + 1]
            module = [*above, *(node.module or "").split(".")] if node.module else list(above)
            names = [module] if module else [[alias.name] for alias in node.names]
            yield from ((name[0], "") for name in names if name[0] != "__version__")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_lines_above_its_own(path: Path) -> None:
    own = LAYERS.index(layer_of(path))
    for layer, _ in imports_of(path):
        assert layer is None or layer == layer_of(path) or LAYERS.index(layer) < own, layer


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_library_is_imported_where_it_belongs_and_nowhere_else(path: Path) -> None:
    for _, library in imports_of(path):
        assert layer_of(path) in ONLY_IN.get(library, (layer_of(path),)), library


@pytest.mark.parametrize("layer", NO_INPUT_OR_OUTPUT)
def test_the_core_opens_no_door_to_the_world(layer: str) -> None:
    path = PACKAGE / f"{layer}.py"
    assert not DOORS & {library for _, library in imports_of(path)}


def test_every_layer_is_there() -> None:
    assert {layer_of(path) for path in FILES} == set(LAYERS)
