"""The house, held: who imports which library, what a package holds, that tests mirror packages, what the hook loads.

Which package may import from which is held by import-linter (`[tool.importlinter]` in pyproject.toml).
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.repositories import GOOD, SYDNEY, force_commit, make_repository, tip

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "service" / "location_policy"
TESTS = ROOT / "tests"
ARCHITECTURE = next(ROOT.glob("docs/**/architecture.md")).read_text()

ONLY_IN = {
    "git": ("repository",),
    "subprocess": ("repository", "runtime.subprocess_job"),
    "bcrypt": ("access.htpasswd",),
    "cryptography": ("server.tls",),
    "watchfiles": ("rollout.watcher",),
    "starlette": ("web", "server.run"),
    "uvloop": ("server.run",),
    "uvicorn": ("server",),
    "httptools": ("server.limits",),
    "http": ("integrations.http_client",),
    "ssl": ("integrations", "server"),
    "click": ("cli.app", "cli.completion", "cli.usage"),
    "csv": ("integrations.imports.spreadsheet",),
    "tomllib": ("config.policy_toml",),
    "orjson": ("calls",),
    "prometheus_client": ("web.ops.metrics",),
    "python_multipart": ("web.forms.multipart",),
    "jinja2": ("web.pages.rendering",),
}
"""Each library, and the modules or packages that may import it."""

PURE = (
    "errors",
    "problems",
    "spelling",
    "text",
    "net",
    "config",
    "plan",
    "lookup",
    "integrations.imports",
    "integrations.forges.annotations",
    "integrations.forges.problem_reports",
    "integrations.forges.sarif",
    "integrations.notify.delivery",
    "integrations.notify.event",
    "integrations.notify.formats",
    "integrations.pexip.local_policy",
    "gate.proc_receive",
    "gate.ref_updates",
    "edits.line_merge",
    "edits.replace_rows",
    "edits.uploaded_table",
    "access.basic_auth",
    "access.htpasswd",
    "access.proxies",
    "access.roles",
)
"""Modules and packages that read and write nothing themselves."""
DOORS = {"os", "io", "socketserver", "subprocess", "pathlib", "tempfile", "shutil", "logging", "sys"}

FULL = 22
"""Modules that a folder holds at most."""
OF_NO_PACKAGE = ("forge", "fuzz", "project", "support", "system")
"""Folders of tests that mirror no package."""
OF_SEVERAL = {
    "cli/test_staged.py",
    "config/test_configs.py",
    "config/test_hints.py",
    "gate/test_series.py",
    "integrations/imports/test_corpus.py",
    "integrations/imports/test_forms.py",
    "integrations/imports/test_recipe.py",
    "plan/test_diffs.py",
    "repository/test_closed.py",
    "rollout/test_looks.py",
    "server/test_uvicorn_names.py",
    "web/test_api.py",
    "web/test_changes.py",
    "web/test_changes_of_views.py",
    "web/test_review_on_remote.py",
    "web/test_upload.py",
    "web/test_bounded.py",
    "web/test_views.py",
}
"""Tests of more than one module."""

HEAVY = {
    "asyncio",
    "click",
    "difflib",
    "git",
    "json",
    "ssl",
    "starlette",
    "uvicorn",
    "watchfiles",
}
"""What the hook does not wait for."""
LIGHT = 70
"""Modules of ours that the hook loads at most."""

INITS = sorted(PACKAGE.rglob("__init__.py"))
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")


def name_of(path: Path) -> str:
    """The dotted name of a module, or of the package of an `__init__.py`, below `location_policy`."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").removesuffix(".")


def is_in(module: str, places: tuple[str, ...]) -> bool:
    """Is it one of these modules, or in one of these packages?"""
    return any(module == place or module.startswith(f"{place}.") for place in places)


def libraries_of(path: Path) -> Iterator[str]:
    """The top modules of others that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_library_is_imported_where_it_belongs_and_nowhere_else(path: Path) -> None:
    for library in libraries_of(path):
        assert is_in(name_of(path), ONLY_IN.get(library, (name_of(path),))), library


@pytest.mark.parametrize("path", [path for path in MODULES if is_in(name_of(path), PURE)], ids=name_of)
def test_the_core_opens_no_door_to_the_world(path: Path) -> None:
    assert not DOORS & {*libraries_of(path)}


@pytest.mark.parametrize("place", sorted({*PURE, *(place for places in ONLY_IN.values() for place in places)}))
def test_every_place_that_is_named_here_is_there(place: str) -> None:
    path = PACKAGE.joinpath(*place.split("."))
    assert path.is_dir() or path.with_suffix(".py").is_file()


@pytest.mark.parametrize("path", INITS, ids=lambda path: name_of(path) or "location_policy")
def test_a_package_holds_a_docstring_of_one_line_and_nothing_else(path: Path) -> None:
    text = path.read_text()
    docstring = ast.get_docstring(ast.parse(text), clean=False)
    if path.parent == PACKAGE:
        text, _, _ = text.partition("\n__version__ = ")  # the build reads it there
    assert docstring
    assert text == f'"""{docstring}"""\n'
    assert "\n" not in docstring


def test_every_folder_with_modules_is_a_package() -> None:
    assert {path.parent for path in MODULES} <= {path.parent for path in INITS}


def test_no_folder_is_too_full() -> None:
    folders = [PACKAGE, TESTS, ROOT / "benchmarks"]
    files = [path for folder in folders for path in folder.rglob("*.py") if path.name != "__init__.py"]
    sizes = Counter(path.parent.relative_to(ROOT) for path in files if "node_modules" not in path.parts)
    assert {str(folder): size for folder, size in sizes.items() if size > FULL} == {}


def test_tests_stand_where_what_they_test_stands() -> None:
    for path in TESTS.rglob("test_*.py"):
        place = path.relative_to(TESTS)
        if place.parts[0] in OF_NO_PACKAGE or str(place) in OF_SEVERAL:
            continue
        package = PACKAGE / place.parent
        assert (package / "__init__.py").is_file(), place
        assert [*package.rglob(f"{place.stem.removeprefix('test_')}.py")], place


def test_every_test_of_several_modules_is_there() -> None:
    assert {place for place in OF_SEVERAL if not (TESTS / place).is_file()} == set()


def test_the_architecture_names_every_package_by_its_first_line() -> None:
    rows = re.findall(r"^\| `([a-z_/]+)/` \| (.*) \|$", ARCHITECTURE, re.MULTILINE)
    packages = {
        name_of(path).replace(".", "/"): ast.get_docstring(ast.parse(path.read_text()))
        for path in INITS
        if path.parent != PACKAGE
    }
    assert [name for name, _ in rows] == [*dict(rows)]
    assert dict(rows) == packages


def test_the_picture_of_the_storeys_is_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract.get("containers") == ["location_policy"])
    picture = "".join(f"    {layer.replace(' | ', '   ')}\n" for layer in layers)
    assert f"\n\n{picture}\n" in ARCHITECTURE


def test_the_hook_loads_nothing_that_costs(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "map.git", GOOD)
    old, new = tip(repository), force_commit(repository, {"locations/apac.csv": SYDNEY})
    program = (
        "import sys; sys.argv[1:] = ['pre-receive']\n"
        "from location_policy.__main__ import main\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code, *sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        input=f"{old} {new} refs/heads/main\n",
        env={"PATH": os.environ["PATH"], "GIT_DIR": str(repository)},
        capture_output=True,
        text=True,
        check=True,
    )
    code, *modules = done.stdout.split()
    assert code == "0", done.stderr
    assert HEAVY & {*modules} == set()
    assert len([name for name in modules if name.partition(".")[0] == "location_policy"]) <= LIGHT


def test_the_walks_name_modules_that_are_there() -> None:
    walks = ARCHITECTURE.partition("## Two walks")[2].partition("\n## ")[0]
    named = {name for name in re.findall(r"`((?:[a-z_]+/)+[a-z_-]+)`", walks) if not name.startswith("hooks/")}
    assert len(named) > 25
    assert sorted(name for name in named if not (PACKAGE / f"{name}.py").exists()) == []
