"""Who pushes."""

from __future__ import annotations

import os
import pwd

import pytest

from location_policy.gate.pusher import NAMES, pusher


def test_the_first_name_that_a_server_gives_counts() -> None:
    given = {name: f"by {name}" for name in NAMES}
    assert pusher(given) == "by GL_USERNAME"
    assert pusher({**given, "GL_USERNAME": ""}) == "by GITEA_PUSHER_NAME"
    assert pusher({"REMOTE_USER": "alice", "GL_USER": "bob"}) == "bob"
    assert pusher({"REMOTE_USER": "alice"}) == "alice"


def test_without_a_name_it_is_the_user_that_git_runs_as() -> None:
    assert pusher({}) == pwd.getpwuid(os.getuid()).pw_name


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_001)
    assert pusher({}) == "uid 4000000001"
