"""`check --staged`, and the hooks for pre-commit that call it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.program import run_program
from tests.support.repositories import BAD, GOOD, Clone, git, run_git

ROOT = Path(__file__).parent.parent.parent
PRE_COMMIT = Path(sys.executable).with_name("pre-commit")


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    path = tmp_path / "map"
    path.mkdir()
    git("init", "--quiet", "--initial-branch=main", cwd=path)
    made = Clone(path)
    made.commit(GOOD)
    return made


def check(clone: Clone, *more: str, **environment: str) -> tuple[int, str]:
    done = run_program("check", "--staged", *more, cwd=clone.path, environment=environment)
    return done.returncode, done.stdout + done.stderr


def test_what_is_staged_is_judged_and_not_what_lies_there(clone: Clone) -> None:
    clone.write(BAD)
    assert check(clone) == (0, "2 subnets in 1 file: no problem\n")
    clone.git("add", ".")
    clone.write(GOOD)
    status, told = check(clone)
    assert status == 1
    assert told.startswith("locations/apac.csv:1:28: error: 10.61.3.0/23 has host bits set [host-bits]\n")


def test_a_file_that_is_not_staged_does_not_count(clone: Clone) -> None:
    clone.write({"locations/new.csv": "nowhere\n"})
    assert check(clone)[0] == 0


def test_the_index_of_a_partial_commit_is_the_one_that_counts(clone: Clone, tmp_path: Path) -> None:
    shutil.copy(clone.path / ".git" / "index", tmp_path / "index")
    clone.write(BAD)
    git("add", ".", cwd=clone.path, GIT_INDEX_FILE=str(tmp_path / "index"))
    assert check(clone, GIT_INDEX_FILE=str(tmp_path / "index"))[0] == 1
    assert check(clone)[0] == 0


def test_a_merge_that_is_not_finished_cannot_be_judged(clone: Clone) -> None:
    clone.git("checkout", "--quiet", "-b", "side")
    clone.commit({"locations/apac.csv": "Perth,10.61.2.0/24\n"})
    clone.git("checkout", "--quiet", "main")
    clone.commit({"locations/apac.csv": "Oslo,10.61.2.0/24\n"})
    run_git("merge", "side", cwd=clone.path)
    status, told = check(clone)
    assert status == 2
    assert told.startswith("location-policy: git write-tree failed: ")


@pytest.mark.parametrize("option", [("--repo", "."), ("--rev", "main")])
def test_a_commit_is_not_staged(clone: Clone, option: tuple[str, str]) -> None:
    assert check(clone, *option)[0] == 2


def hooks(path: Path) -> list[dict[str, object]]:
    """Those that pre-commit finds there, with the program as it is installed here."""
    found = yaml.safe_load(path.read_text())
    listed = found if isinstance(found, list) else [hook for repo in found["repos"] for hook in repo["hooks"]]
    return [{**hook, "language": "unsupported", "additional_dependencies": []} for hook in listed]


def test_the_hooks_for_pre_commit_are_a_manifest() -> None:
    done = run_git("--version", cwd=ROOT)
    assert done.returncode == 0
    import subprocess

    assert subprocess.run([PRE_COMMIT, "validate-manifest", ROOT / ".pre-commit-hooks.yaml"], check=False).returncode == 0
