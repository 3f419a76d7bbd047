"""The environments in which servers run the hook."""

from __future__ import annotations

import time

import pytest

from location_policy.gate.forge import GITHUB_SECONDS, HookEnvironment, hook_environment_of

GITLAB = {"GL_ID": "user-7", "GL_USERNAME": "ana", "GL_REPOSITORY": "project-3", "GL_PROJECT_PATH": "net/locations"}
GITOLITE = {"GL_USER": "ana", "GL_REPO": "locations", "GL_ID": "left from somewhere"}
GITEA = {"GITEA_PUSHER_NAME": "ana", "GITEA_REPO_NAME": "locations"}
GITHUB = {"GITHUB_USER_LOGIN": "ana", "GITHUB_REPO_NAME": "net/locations", "GITHUB_VIA": "git push"}


@pytest.mark.parametrize(
    ("environment", "first"),
    [
        ({**GITLAB, "GL_PROTOCOL": "web"}, "GL-HOOK-ERR: no"),
        (GITLAB, "GL-HOOK-ERR: no"),
        ({**GITLAB, "GL_PROTOCOL": "ssh"}, "no"),
        ({**GITLAB, "GL_PROTOCOL": "http"}, "no"),
        (GITOLITE, "no"),
        (GITEA, "no"),
        (GITHUB, "no"),
        ({}, "no"),
    ],
)
def test_a_refusal_on_a_page_of_gitlab_has_its_prefix(environment: dict[str, str], first: str) -> None:
    prefix = first.removesuffix("no")
    lines = [*hook_environment_of(environment).refusal(["no", "", "a.csv:1:1: error: x\n  hint: y"])]
    assert lines == [first, "", f"{prefix}a.csv:1:1: error: x", f"{prefix}  hint: y"]


def test_only_github_enterprise_has_no_time() -> None:
    hook_environment = hook_environment_of(GITHUB)
    assert time.monotonic() < hook_environment.extras_until <= time.monotonic() + GITHUB_SECONDS
    assert not hook_environment.is_late()
    assert HookEnvironment(extras_until=time.monotonic()).is_late()
    assert [hook_environment_of(one).extras_until for one in (GITLAB, GITOLITE, GITEA, {})] == [float("inf")] * 4
