"""`location-policy comment` in a job of a forge."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Literal

import pytest

from location_policy.integrations.forges.pull_request_comment import LONGEST, PAGES, review_of
from location_policy.plan.as_markdown import MARKER
from tests.support.forge import ME, TOKEN, Forge, running_forge
from tests.support.program import run_program

KINDS = ["github", "gitlab"]
FEW = "## What changes\n\nno effect\n"


def comment(forge: Forge, folder: Path, text: str = FEW, **more: str) -> subprocess.CompletedProcess[str]:
    """The program in a job; in no case is the token told."""
    (folder / "plan.md").write_text(text)
    done = run_program("comment", folder / "plan.md", environment=forge.environment(**more))
    assert TOKEN not in done.stdout + done.stderr
    return done


@pytest.mark.parametrize("kind", KINDS)
def test_the_comment_is_made_once_and_then_written_anew(kind: str, tmp_path: Path) -> None:
    with running_forge(Forge("gitlab" if kind == "gitlab" else "github", {1: "Looks good"})) as forge:
        assert comment(forge, tmp_path).stderr == "comment made\n"
        assert comment(forge, tmp_path, f"{MARKER}\n10.61.2.0/24 Sydney → Perth\n").stderr == "comment updated\n"
        assert forge.comments == {1: "Looks good", 101: f"{MARKER}\n10.61.2.0/24 Sydney → Perth\n"}


def test_where_the_commit_is_not_valid_the_plan_gives_way_to_its_problems(tmp_path: Path) -> None:
    with running_forge(Forge("gitlab", {1: "Hello"})) as forge:
        place = {"CI_COMMIT_SHA": "4" * 40}
        assert comment(forge, tmp_path, **place).stderr == "comment made\n"
        assert forge.comments[101].startswith(f"{MARKER}\nCommit `4444444444`:\n\n")
        more = {**place, "LOCATION_POLICY_INVALID": "true"}
        assert comment(forge, tmp_path, "locations.csv:1:1: error: x [nul]\n", **more).stderr == "comment updated\n"
        assert "**Commit `4444444444` is not valid.**" in forge.comments[101]
        assert "[nul]" in forge.comments[101]
        assert "no effect" not in forge.comments[101]


@pytest.mark.parametrize("heeds_pages", [True, False])
def test_our_comment_is_found_behind_many_others(heeds_pages: bool, tmp_path: Path) -> None:
    others = {number: f"comment {number}" for number in range(1, 99 if not heeds_pages else 240)}
    ours = {500: f"{MARKER}\nold"}
    with running_forge(Forge("github", {**others, **ours}, authors={500: ME}, heeds_pages=heeds_pages)) as forge:
        assert comment(forge, tmp_path).stderr == "comment updated\n"
        assert forge.comments[500] == f"{MARKER}\n{FEW}"


def test_a_forge_whose_pages_never_end_is_asked_so_often_and_no_more(tmp_path: Path) -> None:
    many = dict.fromkeys(range(PAGES * 100 + 50), "x")
    with running_forge(Forge("github", many)) as forge:
        assert comment(forge, tmp_path).stderr == "comment made\n"
        assert len(forge.asked) == PAGES + 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_comment_of_another_is_left_alone_whatever_it_begins_with(kind: str, tmp_path: Path) -> None:
    theirs = {1: f"{MARKER}\nhands off", 2: f"{MARKER}\nours"}
    with running_forge(Forge("gitlab" if kind == "gitlab" else "github", theirs, authors={2: ME})) as forge:
        assert comment(forge, tmp_path).stderr == "comment updated\n"
        assert forge.comments == {1: f"{MARKER}\nhands off", 2: f"{MARKER}\n{FEW}"}
        del forge.comments[2]
        assert comment(forge, tmp_path).stderr == "comment made\n"
        assert forge.comments[1] == f"{MARKER}\nhands off"


@pytest.mark.parametrize(("tells", "me"), [("graphql", ME), ("nothing", -2)])
def test_a_job_knows_its_own_comment_where_no_user_is_told(
    tells: Literal["graphql", "nothing"], me: int, tmp_path: Path
) -> None:
    with running_forge(Forge("github", {1: f"{MARKER}\nx"}, tells=tells, me=me)) as forge:
        assert comment(forge, tmp_path).stderr == "comment made\n"
        assert comment(forge, tmp_path, "more\n").stderr == "comment updated\n"
        assert forge.comments == {1: f"{MARKER}\nx", 101: f"{MARKER}\nmore\n"}


def test_a_token_is_not_handed_to_another_place(tmp_path: Path) -> None:
    with running_forge(Forge("github", {1: f"{MARKER}\nx"}, tells="nothing")) as forge:
        elsewhere = {"GITHUB_GRAPHQL_URL": "http://127.0.0.1:9/graphql"}
        assert comment(forge, tmp_path, **elsewhere).stderr == "comment made\n"


def test_a_forge_that_does_not_say_whose_the_token_is_is_told_of(tmp_path: Path) -> None:
    comments = json.dumps([{"id": 1, "body": MARKER, "user": None}]).encode()
    with running_forge(Forge("github", answers=[(200, comments), (200, b"[]"), (200, b"[]")])) as forge:
        done = comment(forge, tmp_path)
        assert (done.returncode, forge.comments) == (2, {})
        assert "does not say whose the token is" in done.stderr


@pytest.mark.parametrize("head", [None, "somebody/map"])
def test_a_job_of_a_fork_that_may_not_write_shows_the_plan_in_its_log(head: str | None, tmp_path: Path) -> None:
    event = of_pull_request(tmp_path, head) if head else {}
    with running_forge(Forge("github", may_write=False)) as forge:
        done = comment(forge, tmp_path, **event)
        assert (done.returncode, done.stdout) == (0, f"{FEW}\n")
        assert "may not comment" in done.stderr
        assert forge.comments == {}


def of_pull_request(folder: Path, head: str) -> dict[str, str]:
    """The event of a pull request that comes from this repository."""
    (folder / "event.json").write_text(json.dumps({"pull_request": {"head": {"repo": {"full_name": head}}}}))
    return {"GITHUB_EVENT_PATH": str(folder / "event.json")}


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("github", "give the job the permission pull-requests: write"),
        ("gitlab", "COMMENT_TOKEN wants the scope api and the role Reporter"),
    ],
)
def test_a_job_that_ought_to_be_let_comment_and_is_not_fails(kind: str, hint: str, tmp_path: Path) -> None:
    event = of_pull_request(tmp_path, "example/map")
    with running_forge(Forge("gitlab" if kind == "gitlab" else "github", may_write=False)) as forge:
        done = comment(forge, tmp_path, **event)
        assert (done.returncode, done.stdout) == (2, "")
        assert "does not let this job comment: status 403\n  hint: " + hint in done.stderr


def test_where_the_run_has_a_summary_the_plan_goes_there(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# Before\n")
    with running_forge(Forge("github", may_write=False)) as forge:
        done = comment(forge, tmp_path, GITHUB_STEP_SUMMARY=str(summary))
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == (
        "location-policy: this job may not comment, as is usual for a fork's; the plan is in the summary of the run\n"
    )
    assert summary.read_text() == f"# Before\n{FEW}\n"


@pytest.mark.parametrize(("kind", "token"), [("github", "GITHUB_TOKEN"), ("gitlab", "COMMENT_TOKEN")])
def test_without_a_token_nobody_is_asked(kind: str, token: str, tmp_path: Path) -> None:
    with running_forge(Forge("gitlab" if kind == "gitlab" else "github")) as forge:
        assert comment(forge, tmp_path, **{token: ""}).returncode == 0
        assert forge.asked == []


def test_a_token_that_the_forge_does_not_know_is_told(tmp_path: Path) -> None:
    with running_forge(Forge("github")) as forge:
        done = comment(forge, tmp_path, GITHUB_TOKEN="another")
        assert (done.returncode, done.stdout) == (2, "")
        assert "does not know the token of this job" in done.stderr


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "there is no pull request to comment on here"),
        ({"GITLAB_CI": "true"}, "this job is not about a merge request"),
        ({"GITHUB_ACTIONS": "true"}, "this job is about no ref, not about a pull request"),
        ({"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/heads/main"}, "this job is about refs/heads/main, not about"),
        (
            {"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/pull/7/head"},
            "GITHUB_API_URL is not the URL of a forge's API",
        ),
    ],
)
def test_outside_a_pull_request_it_cannot_be_asked(environment: dict[str, str], told: str, tmp_path: Path) -> None:
    (tmp_path / "plan.md").write_text(FEW)
    done = run_program("comment", tmp_path / "plan.md", environment=environment)
    assert done.returncode == 2
    assert done.stderr.startswith(f"location-policy: {told}")


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (500, b"", "answers with status 500"),
        (200, b"<html>", "is not a list of comments"),
        (200, b'{"message": "no"}', "is not a list of comments"),
        (200, b'[{"body": "x"}]', "is not a list of comments"),
        (200, b'[{"id": 1e999, "body": "x"}]', "is not a list of comments"),
        (200, b'[{"id": 1, "body": "x", "user": {"id": "x"}}]', "is not a list of comments"),
    ],
)
def test_a_forge_in_trouble_is_told_of(status: int, body: bytes, told: str, tmp_path: Path) -> None:
    with running_forge(Forge("github", answers=[(status, body)])) as forge:
        done = comment(forge, tmp_path)
        assert (done.returncode, forge.comments) == (2, {})
        assert told in done.stderr


def test_what_is_too_long_for_a_comment_is_refused(tmp_path: Path) -> None:
    with running_forge(Forge("github")) as forge:
        done = comment(forge, tmp_path, "x" * LONGEST)
        assert done.returncode == 2
        assert "more than the 65,536 of a comment" in done.stderr


def test_a_plan_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = run_program("comment", tmp_path / "plan.md", environment={"GITLAB_CI": "true"})
    assert (done.returncode, done.stderr) == (
        2,
        f"location-policy: {tmp_path / 'plan.md'}: No such file or directory\n",
    )


def test_a_review_does_not_show_its_token() -> None:
    review = review_of(Forge("github", url="https://forge.example.com/api").environment())
    assert repr(review) == "Review(https://forge.example.com/api/repos/example/map/issues/7/comments)"
