"""`check --staged`, and the hooks for pre-commit that call it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.program import closed_environment, run_program
from tests.support.repositories import BAD, GOOD, SYDNEY, Clone, git, run_git

ROOT = Path(__file__).parent.parent.parent


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


def hooks() -> list[dict[str, object]]:
    """Those that the project offers, with the program as it is installed here."""
    found = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    return [{**hook, "language": "unsupported"} for hook in found]


def pre_commit(clone: Clone, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = closed_environment(PRE_COMMIT_HOME=str(clone.path.parent / "cache"))
    command = [sys.executable, "-m", "pre_commit", *arguments]
    return subprocess.run(command, cwd=clone.path, env=environment, capture_output=True, text=True, check=False)


def commit(clone: Clone) -> subprocess.CompletedProcess[str]:
    return run_git("commit", "-m", "Change the map", cwd=clone.path, PRE_COMMIT_HOME=str(clone.path.parent / "cache"))


def test_what_the_project_offers_to_pre_commit_is_a_manifest(clone: Clone) -> None:
    assert pre_commit(clone, "validate-manifest", ROOT / ".pre-commit-hooks.yaml").returncode == 0
    assert pre_commit(clone, "validate-config", ROOT / "config-repo" / ".pre-commit-config.yaml").returncode == 0


def test_the_shipped_configuration_has_the_hooks_that_the_project_offers_and_fetches_no_program() -> None:
    shipped = yaml.safe_load((ROOT / "config-repo" / ".pre-commit-config.yaml").read_text())
    named = {hook["id"]: hook for repo in shipped["repos"] for hook in repo["hooks"]}
    for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text()):
        assert named.pop(hook["id"]) == {**hook, "language": "system"}
    assert not named


def test_pre_commit_refuses_what_is_staged_and_leaves_alone_what_is_not(clone: Clone) -> None:
    clone.commit({".pre-commit-config.yaml": yaml.safe_dump({"repos": [{"repo": "local", "hooks": hooks()}]})})
    assert pre_commit(clone, "install").returncode == 0
    clone.write(BAD)
    clone.git("add", ".")
    clone.write(GOOD)
    refused = commit(clone)
    assert refused.returncode == 1
    assert "10.61.3.0/23 has host bits set [host-bits]" in refused.stdout + refused.stderr
    clone.git("add", ".")
    clone.write({"locations/apac.csv": SYDNEY})
    clone.git("add", ".")
    clone.write({"locations/new.csv": "nowhere\n"})
    assert commit(clone).returncode == 0


def test_pre_commit_writes_the_staged_files_in_one_form(clone: Clone) -> None:
    clone.commit({".pre-commit-config.yaml": yaml.safe_dump({"repos": [{"repo": "local", "hooks": hooks()}]})})
    pre_commit(clone, "install")
    clone.write({"locations/apac.csv": "Melbourne, Sydney,,10.61.3.0/24\nSydney,10.61.2.0/24\n"})
    clone.git("add", ".")
    assert commit(clone).returncode == 1
    assert (clone.path / "locations" / "apac.csv").read_text() == "Sydney,10.61.2.0/24\nMelbourne,Sydney,10.61.3.0/24\n"
    clone.git("add", ".")
    assert commit(clone).returncode == 0
