"""The workflows that a configuration repository comes with: read, and their steps run, against a forge of ours."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from location_policy.plan.as_markdown import MARKER
from tests.support.forge import TOKEN, Forge, running_forge
from tests.support.program import closed_environment
from tests.support.repositories import IDENTITY, Clone, clone, init

REPO = Path(__file__).parent.parent.parent.parent / "config-repo"
GITHUB, FORGEJO, GITEA = (REPO / folder / "workflows" / "check.yml" for folder in (".github", ".forgejo", ".gitea"))
GITLAB = REPO / ".gitlab-ci.yml"
MERGE_REQUEST = '$CI_PIPELINE_SOURCE == "merge_request_event"'
WORKFLOWS = sorted(REPO.rglob("workflows/*.yml"))
"""Those of actions."""
ABOUT_ONE = "github.event_name == 'pull_request'"
"""The condition of what is done for pull requests only."""
FETCHERS = re.compile(r"\b(pip|pipx|uv|uvx|npm|npx|apt|apt-get|curl|wget|docker|podman|go|cargo|gem)\b")
"""Programs that fetch what they are told by name."""


def read(path: Path) -> dict[Any, Any]:
    """What the file says; YAML 1.1 takes the word `on` for a truth."""
    found: dict[Any, Any] = yaml.safe_load(path.read_text())
    return found


def steps(path: Path, job: str) -> list[dict[str, Any]]:
    """The steps of a job that run something, but for the one that installs the program."""
    return [step for step in read(path)["jobs"][job]["steps"] if "run" in step and step["name"] != "Install"]


def scripts(path: Path) -> Iterator[str]:
    """All that a file lets a shell do."""
    if path == GITLAB:
        yield from (line for job in read(path).values() if "script" in job for line in job["script"])
    else:
        for job in read(path)["jobs"].values():
            yield from (step["run"] for step in job["steps"] if "run" in step)


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


def run_actions(path: Path, copy: Clone, forge: Forge, **more: str) -> subprocess.CompletedProcess[str]:
    """Both jobs about a pull request, as the first that has failed ends; only the second has the token."""
    outputs = copy.path.parent / "outputs"
    outputs.write_text("")
    head = copy.git("rev-parse", "HEAD")
    event = copy.path.parent / "event.json"
    repository = {"full_name": "somebody/map"}
    event.write_text(json.dumps({"pull_request": {"head": {"sha": head, "repo": repository}, "base": {"sha": head}}}))
    more = {"GITHUB_EVENT_PATH": str(event), **more}
    about = {"RUNNER_TEMP": str(copy.path.parent), "GITHUB_OUTPUT": str(outputs), **more}
    place = forge.environment()
    place.pop("GITHUB_TOKEN")
    base = copy.git("merge-base", "origin/main", "HEAD")
    assert read(path)["jobs"]["check"]["env"] == {"BASE": "${{ github.event.pull_request.base.sha || github.sha }}"}
    failed: subprocess.CompletedProcess[str] | None = None
    for step in steps(path, "check"):
        condition = step.get("if", ABOUT_ONE)
        assert condition in (ABOUT_ONE, f"failure() && {ABOUT_ONE}")
        assert "env" not in step
        if (failed is not None) == condition.startswith("failure()"):
            done = shell(step["run"], copy, {**place, **about, "BASE": base})
            failed = done if done.returncode else failed
    assert read(path)["jobs"]["comment"]["if"] == f"${{{{ !cancelled() && {ABOUT_ONE} }}}}"
    (step,) = steps(path, "comment")
    assert step["env"] == {
        "PLAN": "${{ needs.check.outputs.plan || needs.check.outputs.problems }}",
        "LOCATION_POLICY_INVALID": "${{ needs.check.result != 'success' }}",
        "GITHUB_TOKEN": "${{ github.token }}",
    }
    said = {"PLAN": outputs.read_text().partition("=")[2].strip(), "LOCATION_POLICY_INVALID": str(bool(failed)).lower()}
    commented = shell(step["run"], copy, {**place, **about, **said, "GITHUB_TOKEN": TOKEN})
    return failed or commented


def gitlab_script(job: str) -> str:
    return "\n".join(line for line in read(GITLAB)[job]["script"] if ".location-policy/install" not in line)


@pytest.mark.parametrize("path", [GITHUB, FORGEJO, GITEA], ids=lambda path: path.parts[-3])
def test_a_pull_request_has_one_comment_that_is_updated(path: Path, change: Clone) -> None:
    with running_forge(Forge("github", {1: "Hello"})) as forge:
        assert run_actions(path, change, forge).returncode == 0
        assert "10.99.0.0/24" in forge.comments[101]
        change.commit({"locations/apac.csv": f"{rows(change)}Sydney,10.98.0.0/24\n"})
        assert run_actions(path, change, forge).returncode == 0
    assert list(forge.comments) == [1, 101]
    assert forge.comments[101].startswith(f"{MARKER}\n")
    assert "10.98.0.0/24" in forge.comments[101]


@pytest.mark.parametrize("path", [GITHUB, FORGEJO, GITEA], ids=lambda path: path.parts[-3])
def test_a_comment_does_not_go_stale_where_a_later_commit_is_not_valid(path: Path, change: Clone) -> None:
    with running_forge(Forge("github", {1: "Hello"})) as forge:
        run_actions(path, change, forge)
        assert f"Commit `{change.git('rev-parse', 'HEAD')[:10]}`, against `" in forge.comments[101]
        bad = change.commit({"locations/apac.csv": f"{rows(change)}Perth,10.97.0.0/24\n"})
        run_actions(path, change, forge)
        assert list(forge.comments) == [1, 101]
        assert forge.comments[101].startswith(f"{MARKER}\n**Commit `{bad[:10]}` is not valid.**")
        assert "10.99.0.0/24" not in forge.comments[101]


def test_a_merge_request_has_one_comment_that_is_updated(change: Clone) -> None:
    base = change.git("rev-parse", "origin/main")
    with running_forge(Forge("gitlab", {1: "Hello"})) as forge:
        environment = forge.environment(CI_MERGE_REQUEST_DIFF_BASE_SHA=base, CI_COMMIT_SHA="HEAD")
        for _ in range(2):
            for job in ("map", "comment"):
                done = shell(gitlab_script(job), change, environment)
                assert done.returncode == 0, done.stderr
            change.git("checkout", "--quiet", "topic")
        assert list(forge.comments) == [1, 101]
    assert (change.path / "gl-code-quality.json").read_text().startswith("[")


@pytest.mark.parametrize("path", [GITHUB, FORGEJO, GITEA], ids=lambda path: path.parts[-3])
def test_what_is_not_valid_fails_the_job_at_its_line(path: Path, change: Clone) -> None:
    change.commit({"locations/apac.csv": f"{rows(change)}Perth,10.97.0.0/24\n"})
    with running_forge(Forge("github", {1: "Hello"})) as forge:
        assert run_actions(path, change, forge).returncode == 1
        assert "Perth is not a known location" in forge.comments[101]
        done = run_actions(path, change, forge)
    start = "::error file=locations/apac.csv,line=5," if path == GITHUB else "locations/apac.csv:5:1: error: "
    assert any(line.startswith(start) for line in done.stdout.splitlines())


def test_what_is_not_valid_fails_the_job_of_gitlab_and_is_in_its_report(change: Clone) -> None:
    base = change.git("rev-parse", "origin/main")
    change.commit({"locations/apac.csv": f"{rows(change)}Perth,10.97.0.0/24\n"})
    with running_forge(Forge("gitlab", {1: "Hello"})) as forge:
        environment = forge.environment(CI_MERGE_REQUEST_DIFF_BASE_SHA=base, CI_COMMIT_SHA=base)
        assert shell(gitlab_script("map"), change, environment).returncode == 1
        assert read(GITLAB)["comment"]["rules"] == [{"if": MERGE_REQUEST, "when": "always"}]
        assert shell(gitlab_script("comment"), change, environment).returncode == 0
        assert f"**Commit `{base[:10]}` is not valid.**" in forge.comments[101]
        assert "Perth is not a known location" in forge.comments[101]
    assert "Perth is not a known location" in (change.path / "gl-code-quality.json").read_text()


def test_the_plan_of_a_fork_goes_to_the_summary_of_the_run(change: Clone, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    with running_forge(Forge("github", may_write=False)) as forge:
        assert run_actions(GITHUB, change, forge, GITHUB_STEP_SUMMARY=str(summary)).returncode == 0
        assert forge.comments == {}
    assert "10.99.0.0/24" in summary.read_text()


def test_after_the_merge_only_the_check_is_run(change: Clone) -> None:
    change.git("push", "--quiet", "origin", "topic:main")
    check, *others = steps(GITHUB, "check")
    done = shell(check["run"], change, {"BASE": change.git("rev-parse", "HEAD")})
    assert done.returncode == 0, done.stderr
    assert all(ABOUT_ONE in one["if"] for one in (*others, read(GITHUB)["jobs"]["comment"]))
    assert shell(gitlab_script("map"), change, {"CI_COMMIT_SHA": "HEAD"}).returncode == 0


def kind(path: Path) -> str:
    return "/".join(path.relative_to(REPO).parts)


@pytest.mark.parametrize("path", [*WORKFLOWS, GITLAB], ids=kind)
def test_no_shipped_workflow_fetches_what_it_names_without_a_hash(path: Path) -> None:
    assert not [script for script in scripts(path) if FETCHERS.search(script)]
    installs = {script for script in scripts(path) if ".location-policy/install" in script}
    assert installs in (
        {'sh .location-policy/install >>"$GITHUB_PATH"'},
        {"PATH=$(sh .location-policy/install):$PATH"},
    )
    fetched = re.findall(r"^ +-? ?(?:uses|image): (\S+)", path.read_text(), re.MULTILINE)
    assert fetched
    assert not [name for name in fetched if not re.search(r"@(sha256:[0-9a-f]{64}|[0-9a-f]{40})$", name)]


def test_nothing_but_the_script_installs_and_it_takes_hashes_only() -> None:
    script = (REPO / ".location-policy" / "install").read_text()
    (pip,) = re.findall(r"-m pip install .*\\\n.*", script)
    assert "--require-hashes --only-binary :all: --requirement requirements.txt" in pip
    hooks = (REPO / ".pre-commit-config.yaml").read_text()
    assert hooks.count("language: ") == hooks.count("language: system") == hooks.count("- id: ")
    assert "additional_dependencies" not in hooks


@pytest.mark.parametrize("path", [*WORKFLOWS, GITLAB], ids=kind)
def test_no_shell_line_has_a_text_that_others_choose(path: Path) -> None:
    """The name of a branch, a title, a message: an expression is put into the line before the shell reads it."""
    for script in scripts(path):
        assert "${{" not in script
        assert not re.search(r"REF|BRANCH|TAG|TITLE|MESSAGE|DESCRIPTION|AUTHOR|ACTOR|LABELS", script)


@pytest.mark.parametrize("path", WORKFLOWS, ids=kind)
def test_the_job_that_reads_a_pull_request_may_write_nothing(path: Path) -> None:
    text, file = path.read_text(), read(path)
    assert "pull_request_target" not in text
    assert text.count("uses: actions/checkout@") == text.count("persist-credentials: false")
    if path not in (GITHUB, FORGEJO, GITEA):
        assert file["permissions"] == {"contents": "read"}
        return
    assert file["permissions"] == {}
    assert file["jobs"]["check"]["permissions"] == {"contents": "read"}
    comment = file["jobs"]["comment"]
    assert comment["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert comment["steps"][0]["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"


def test_the_job_of_gitlab_that_comments_runs_what_the_branch_has_that_it_goes_to() -> None:
    comment = read(GITLAB)["comment"]
    assert comment["script"][0] == 'git checkout --quiet --force --detach "$CI_MERGE_REQUEST_DIFF_BASE_SHA"'
    assert comment["environment"] == {"name": "location-policy/comment", "action": "access"}


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
