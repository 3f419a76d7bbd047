"""The workflows that a configuration repository comes with: read, and their steps run, against a forge of ours."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from location_policy import __version__
from location_policy.plan.as_markdown import MARKER
from tests.support.forge import TOKEN, Forge, running_forge
from tests.support.program import closed_environment
from tests.support.repositories import IDENTITY, Clone, clone, init

REPO = Path(__file__).parent.parent.parent.parent / "config-repo"
GITHUB, FORGEJO, GITEA = (REPO / folder / "workflows" / "check.yml" for folder in (".github", ".forgejo", ".gitea"))
GITLAB = REPO / ".gitlab-ci.yml"
PINNED = f"location-policy=={__version__}"
SECRETS = {"${{ github.token }}": TOKEN}


def read(path: Path) -> dict[Any, Any]:
    """What the file says; YAML 1.1 takes the word `on` for a truth."""
    found: dict[Any, Any] = yaml.safe_load(path.read_text())
    return found


def steps(path: Path) -> list[dict[str, Any]]:
    """The steps of the one job that run something, but for the one that installs the program."""
    (job,) = read(path)["jobs"].values()
    return [step for step in job["steps"] if "run" in step and "$PROGRAM" not in step["run"]]


@pytest.fixture
def change(tmp_path: Path) -> Clone:
    """A clone on a branch of its own, with a row that moves some addresses."""
    copy = clone(init(tmp_path / "map.git"), tmp_path / "clone")
    copy.git("checkout", "--quiet", "-b", "topic")
    copy.commit({"locations/apac.csv": f"{rows(copy)}Sydney,10.99.0.0/24\n"})
    return copy


def rows(copy: Clone) -> str:
    return (copy.path / "locations" / "apac.csv").read_text()


def shell(script: str, copy: Clone, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """The script as a job runs it: it ends at the first command that fails."""
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=copy.path,
        env=closed_environment(**IDENTITY, **environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def run_actions(path: Path, copy: Clone, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """All steps of a job about a pull request, up to the first that fails."""
    done = None
    for step in steps(path):
        assert step.get("if", "github.event_name == 'pull_request'") == "github.event_name == 'pull_request'"
        secret = {name: SECRETS[value] for name, value in step.get("env", {}).items()}
        done = shell(
            step["run"], copy, {**environment, **{name: environment.get(name, secret[name]) for name in secret}}
        )
        if done.returncode:
            return done
    assert done
    return done


def actions_environment(forge: Forge) -> dict[str, str]:
    return forge.environment(GITHUB_BASE_REF="main")


def gitlab_script() -> str:
    return "\n".join(read(GITLAB)["map"]["script"])


@pytest.mark.parametrize("path", [GITHUB, FORGEJO, GITEA], ids=lambda path: path.parts[-3])
def test_a_pull_request_has_one_comment_that_is_updated(path: Path, change: Clone) -> None:
    with running_forge(Forge("github", {1: "Hello"})) as forge:
        assert run_actions(path, change, actions_environment(forge)).returncode == 0
        assert "10.99.0.0/24" in forge.comments[101]
        change.commit({"locations/apac.csv": f"{rows(change)}Sydney,10.98.0.0/24\n"})
        assert run_actions(path, change, actions_environment(forge)).returncode == 0
    assert list(forge.comments) == [1, 101]
    assert forge.comments[101].startswith(f"{MARKER}\n")
    assert "10.98.0.0/24" in forge.comments[101]


def test_a_merge_request_has_one_comment_that_is_updated(change: Clone) -> None:
    base = change.git("rev-parse", "origin/main")
    with running_forge(Forge("gitlab", {1: "Hello"})) as forge:
        environment = forge.environment(CI_MERGE_REQUEST_DIFF_BASE_SHA=base, CI_COMMIT_SHA="HEAD")
        for _ in range(2):
            done = shell(gitlab_script(), change, environment)
            assert done.returncode == 0, done.stderr
        assert list(forge.comments) == [1, 101]
    assert (change.path / "gl-code-quality.json").read_text().startswith("[")


@pytest.mark.parametrize("path", [GITHUB, FORGEJO, GITEA], ids=lambda path: path.parts[-3])
def test_what_is_not_valid_fails_the_job_at_its_line(path: Path, change: Clone) -> None:
    change.commit({"locations/apac.csv": f"{rows(change)}Perth,10.97.0.0/24\n"})
    with running_forge(Forge("github")) as forge:
        done = run_actions(path, change, actions_environment(forge))
        assert (done.returncode, forge.comments) == (1, {})
    start = "::error file=locations/apac.csv,line=5," if path == GITHUB else "locations/apac.csv:5:1: error: "
    assert any(line.startswith(start) for line in done.stdout.splitlines())


def test_what_is_not_valid_fails_the_job_of_gitlab_and_is_in_its_report(change: Clone) -> None:
    base = change.git("rev-parse", "origin/main")
    change.commit({"locations/apac.csv": f"{rows(change)}Perth,10.97.0.0/24\n"})
    with running_forge(Forge("gitlab")) as forge:
        done = shell(gitlab_script(), change, forge.environment(CI_MERGE_REQUEST_DIFF_BASE_SHA=base))
        assert (done.returncode, forge.comments) == (1, {})
    assert "Perth is not a known location" in (change.path / "gl-code-quality.json").read_text()


def test_the_plan_of_a_fork_goes_to_the_summary_of_the_run(change: Clone, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    with running_forge(Forge("github", may_write=False)) as forge:
        environment = {**actions_environment(forge), "GITHUB_STEP_SUMMARY": str(summary)}
        assert run_actions(GITHUB, change, environment).returncode == 0
        assert forge.comments == {}
    assert "10.99.0.0/24" in summary.read_text()


def test_after_the_merge_only_the_check_is_run(change: Clone) -> None:
    change.git("push", "--quiet", "origin", "topic:main")
    check, *others = steps(GITHUB)
    done = shell(check["run"], change, {"GITHUB_REF_NAME": "main", "GITHUB_BASE_REF": ""})
    assert done.returncode == 0, done.stderr
    assert all(step["if"] == "github.event_name == 'pull_request'" for step in others)
    assert shell(gitlab_script(), change, {"CI_COMMIT_SHA": "HEAD"}).returncode == 0


@pytest.mark.parametrize(
    "path", sorted(REPO.rglob("workflows/*.yml")), ids=lambda path: f"{path.parts[-3]}/{path.name}"
)
def test_no_workflow_runs_the_code_of_a_fork_with_rights(path: Path) -> None:
    text = path.read_text()
    assert "pull_request_target" not in text
    assert "persist-credentials: false" in text
    if path == GITHUB:
        assert read(path)["permissions"] == {"contents": "read", "pull-requests": "write"}


def test_the_version_of_the_program_stands_in_one_place_of_each() -> None:
    for path in REPO.rglob("workflows/*.yml"):
        assert read(path)["env"] == {"PROGRAM": PINNED}
        assert path.read_text().count(__version__) == 1
    assert read(GITLAB)["variables"]["PROGRAM"] == PINNED
    assert GITLAB.read_text().count(__version__) == 1


def test_gitea_and_forgejo_run_the_same() -> None:
    assert FORGEJO.read_text() == GITEA.read_text()


def examples(text: str) -> Iterator[str]:
    """The commands of the README that begin with the program."""
    return (line.strip() for line in text.splitlines() if line.strip().startswith("location-policy "))


def test_the_refusal_that_editors_are_shown_is_the_one_that_they_get(change: Clone) -> None:
    text = (REPO / "README.md").read_text()
    change.git("checkout", "--quiet", "main")
    change.commit({"locations/apac.csv": f"{rows(change)}Perth,Sydney,10.61.9.0/24\n"}, "Add Perth")
    told = [line.removeprefix("remote: ").rstrip() for line in change.push().stderr.splitlines()]
    shown = [line.strip() for line in text.splitlines() if line.startswith("    ") and "error:" in line]
    assert shown
    assert all(line in told for line in shown)
    assert list(examples(text)) == ["location-policy check"]
