"""What the comment on a pull request says of its commits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from location_policy.integrations.forges.pull_request_comment import LONGEST
from location_policy.integrations.forges.pull_request_text import SHOWN_LINES, invalid_text, plan_text
from location_policy.plan.as_markdown import MARKER, SIZE_LIMIT

HEAD, BASE = "418c89dcb20e651060b0e3c6be3862576eca80e8", "e611cf4530e6af4a15e5d0bcc581413a65399e05"
PLAN = f"{MARKER}\n**1 range changed**"
PROBLEM = "locations/apac.csv:4:1: error: Perth is not a known location [unknown-location]\n"


def github(folder: Path, head: object = HEAD, base: object = BASE) -> dict[str, str]:
    event = {"pull_request": {"head": {"sha": head}, "base": {"sha": base}}}
    (folder / "event.json").write_text(json.dumps(event))
    return {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(folder / "event.json")}


def gitlab(**more: str) -> dict[str, str]:
    return {"GITLAB_CI": "true", "CI_COMMIT_SHA": HEAD, "CI_MERGE_REQUEST_DIFF_BASE_SHA": BASE, **more}


def test_a_plan_names_the_commit_of_the_request_and_that_which_it_goes_to(tmp_path: Path) -> None:
    told = f"{MARKER}\nCommit `418c89dcb2`, against `e611cf4530`:\n\n**1 range changed**"
    assert plan_text(PLAN, github(tmp_path)) == told
    assert plan_text(PLAN, gitlab()) == told
    assert plan_text(PLAN.removeprefix(f"{MARKER}\n"), gitlab()) == told


def test_of_a_merge_that_gitlab_has_made_the_commit_of_the_branch_is_named() -> None:
    assert "Commit `4444444444`," in plan_text(PLAN, gitlab(CI_MERGE_REQUEST_SOURCE_BRANCH_SHA="4" * 40))


@pytest.mark.parametrize("head", ["HEAD", "`@everyone`", "4" * 41, None, 7, ["4" * 40]])
def test_what_is_no_id_is_not_named(head: object, tmp_path: Path) -> None:
    assert plan_text(PLAN, github(tmp_path, head)) == PLAN
    assert "**The latest commit is not valid.**" in invalid_text(PROBLEM, github(tmp_path, head))


@pytest.mark.parametrize("event", ["", "[]", '{"pull_request": 7}', '{"pull_request": {"head": 7}}'])
def test_a_job_with_another_event_names_none(event: str, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text(event)
    assert plan_text(PLAN, {"GITHUB_EVENT_PATH": str(tmp_path / "event.json")}) == PLAN


def test_an_invalid_commit_is_named_with_what_is_wrong(tmp_path: Path) -> None:
    assert invalid_text(f"{PROBLEM}  hint: write Sydney\n", github(tmp_path)) == (
        f"{MARKER}\n**Commit `418c89dcb2` is not valid.** It would be rejected; what earlier commits of this request"
        f" would have changed counts no longer.\n\n    {PROBLEM}      hint: write Sydney"
    )


def test_a_commit_that_was_not_checked_is_not_said_to_be_wrong() -> None:
    assert "could not be checked: the log of its job says why.**" in invalid_text("", gitlab())


def test_no_line_of_a_problem_ends_the_code_and_their_number_is_bounded() -> None:
    lines = [f"```\n</code> @everyone {number}\n{'x' * 5000}" for number in range(1000)]
    text = invalid_text("\n".join(lines), gitlab())
    body = text.partition("\n\n")[2].splitlines()
    assert all(line.startswith("    ") for line in body[:SHOWN_LINES])
    assert body[SHOWN_LINES:] == ["", "… and 2,970 lines more: `location-policy check`"]
    assert len(text) < LONGEST


def test_a_plan_as_long_as_may_be_has_room_for_its_commits() -> None:
    assert len(plan_text("x" * SIZE_LIMIT, gitlab())) + len(MARKER) < LONGEST
