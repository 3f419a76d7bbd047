"""Each folder of `configs/`: the gate and `location-policy check` say exactly what its `expected.txt` says.

`<code>/config/` is the smallest configuration that shows a code, `<code>.<variant>/config/` another. What a folder in
git cannot hold well is made here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from location_policy import __version__
from location_policy.cli.commands.check import CheckOptions, check
from location_policy.config.csv_lines import LINE_LIMIT
from location_policy.config.files import FILE_LIMIT
from location_policy.config.validate import load_map
from location_policy.errors import InvalidConfiguration
from location_policy.problems import CODES
from location_policy.repository.working_copy import read_folder
from tests.support.program import run_program
from tests.support.repositories import MELBOURNE, SYDNEY, Clone, git

CONFIGS = Path(__file__).parent / "configs"
FOLDERS = sorted(CONFIGS.glob("*/*"))


def make_symlink(folder: Path) -> None:
    Clone(folder).write({"locations.csv": SYDNEY, "sites.txt": MELBOURNE})
    (folder / "locations").symlink_to("elsewhere")
    (folder / "policy.toml").symlink_to("sites.txt")
    (folder / "expectations.csv").symlink_to("sites.txt")


def make_submodule(folder: Path) -> None:
    Clone(folder).write({"locations.csv": SYDNEY})
    for inner in (folder / "locations" / "apac", folder / "expectations.csv"):
        inner.mkdir(parents=True)
        git("init", "--quiet", cwd=inner)
        Clone(inner).commit({"sites.csv": MELBOURNE})


EDGE = '[[view]]\nname = "edge"\nlocation = "DMZ"\n'


def make_view_symlink(folder: Path) -> None:
    Clone(folder).write({"locations.csv": SYDNEY, "sites.csv/locations.csv": MELBOURNE, "policy.toml": EDGE})
    (folder / "views").mkdir()
    (folder / "views" / "edge").symlink_to("../sites.csv")
    (folder / "views" / "lab").symlink_to("../sites.csv")


def make_view_submodule(folder: Path) -> None:
    Clone(folder).write({"locations.csv": SYDNEY, "policy.toml": EDGE})
    inner = folder / "views" / "edge"
    inner.mkdir(parents=True)
    git("init", "--quiet", cwd=inner)
    Clone(inner).commit({"locations.csv": MELBOURNE})


def make_too_many_views(folder: Path) -> None:
    views = (f'[[view]]\nname = "v{number}"\nlocation = "{number}"\nanswer = "DMZ"\n' for number in range(1000))
    Clone(folder).write({"locations.csv": SYDNEY, "policy.toml": "".join(views)})


def make_too_many_values(folder: Path) -> None:
    values = ", ".join(f'"{number}"' for number in range(1001))
    rules = f'[[view]]\nname = "edge"\nlocation = [{values}]\nanswer = "DMZ"\n'
    Clone(folder).write({"locations.csv": SYDNEY, "policy.toml": rules})


def make_too_large(folder: Path) -> None:
    Clone(folder).write({"locations.csv": SYDNEY, "locations/apac.csv": ""})
    os.truncate(folder / "locations/apac.csv", FILE_LIMIT + 1)


def make_too_long(folder: Path) -> None:
    text = f"# {'-' * LINE_LIMIT}\n{SYDNEY}"
    Clone(folder).write({"locations.csv": text, "expectations.csv": f"10.61.2.7,Sydney,{'why ' * LINE_LIMIT}\n"})
    Clone(folder).write({"owners.csv": f"10.61.2.0/24,{'x' * LINE_LIMIT}\n"})
    Clone(folder).write({"policy.toml": f"# {'-' * LINE_LIMIT}\n"})


def make_too_deep(folder: Path) -> None:
    place = "/".join(["locations", *["a" * 200] * 6])
    Clone(folder).write({"locations.csv": SYDNEY, f"{place}/b.csv": MELBOURNE})


def make_case_twin(folder: Path) -> None:
    Clone(folder).write({"locations/APAC.csv": SYDNEY, "locations/apac.csv": MELBOURNE})
    Clone(folder).write({"Expectations.csv": "", "expectations.csv": ""})


OF_A_PUSH = ("owner-approval",)
"""Codes that no configuration shows by itself."""

MADE: dict[str, Callable[[Path], None]] = {
    "symlink": make_symlink,
    "submodule": make_submodule,
    "too-large": make_too_large,
    "too-large.line": make_too_long,
    "too-large.path": make_too_deep,
    "case-twin": make_case_twin,
    "symlink.view": make_view_symlink,
    "submodule.view": make_view_submodule,
    "too-large.views": make_too_many_views,
    "too-large.values": make_too_many_values,
}


def judge(folder: Path) -> str:
    """What the gate itself says."""
    try:
        problems = load_map(read_folder(folder)).warnings
    except InvalidConfiguration as error:
        problems = error.problems
    return "".join(f"{problem}\n" for problem in problems)


def commit(folder: Path) -> Path:
    """The repository that the folder becomes."""
    git("init", "--quiet", "--initial-branch=main", cwd=folder)
    Clone(folder).commit({})
    return folder


@pytest.mark.parametrize("example", FOLDERS, ids=lambda example: f"{example.parent.name}/{example.name}")
def test_gate_folder_and_commit_say_what_is_expected(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = (example / "expected.txt").read_text().replace("VERSION", __version__)
    status = 1 if ": error: " in expected else 0
    folder = tmp_path / "config"
    if example.name in MADE:
        MADE[example.name](folder)
    else:
        shutil.copytree(example / "config", folder)
    assert judge(folder) == expected
    done = run_program("check", folder)
    assert (done.stdout, done.returncode) == (expected, status)
    assert check(CheckOptions(Path(), commit(folder), "main")) == status
    assert capsys.readouterr().out == expected


@pytest.mark.parametrize("code", [code for code in CODES if code not in OF_A_PUSH])
def test_every_code_has_a_folder_that_shows_it(code: str) -> None:
    assert f" [{code}]\n" in (CONFIGS / "invalid" / code / "expected.txt").read_text()


@pytest.mark.parametrize("example", sorted((CONFIGS / "invalid").iterdir()), ids=lambda example: example.name)
def test_a_folder_shows_the_code_that_it_is_named_for(example: Path) -> None:
    code = example.name.partition(".")[0]
    assert code not in CODES or f" [{code}]\n" in (example / "expected.txt").read_text()


def test_what_is_valid_has_no_error() -> None:
    assert not any(": error: " in (example / "expected.txt").read_text() for example in (CONFIGS / "valid").iterdir())


def test_a_path_that_is_not_utf8_prints_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "config"
    Clone(folder).write({os.fsdecode(b"locations/Z\xfcrich\x1b[2J.csv"): "nowhere\n"})
    done = run_program("check", folder)
    assert done.stdout.startswith(r"locations/Z\udcfcrich\x1b[2J.csv:1:1: error: nowhere is not a row")
    assert check(CheckOptions(Path(), commit(folder), "main")) == 1
    assert capsys.readouterr().out == done.stdout
