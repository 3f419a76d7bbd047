"""Who pushes."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from location_policy.errors import RepositoryError
from location_policy.gate.pusher import NAMES, pusher, server_variable
from location_policy.repository.repository import Repository, open_pushed_repository
from tests.support.repositories import GOOD, git, make_repository
from tests.support.unprivileged import NOBODY

SENT = {name: f"by {name}" for name in NAMES} | {"GL_ID": "user-7", "SSH_CONNECTION": "10.0.0.1 50000 10.0.0.2 22"}
"""All that a client of ssh can set, where sshd lets it."""
ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    with open_pushed_repository(make_repository(tmp_path / "map.git", GOOD)) as opened:
        yield opened


def test_what_a_client_of_ssh_sets_names_nobody(repository: Repository) -> None:
    assert pusher(SENT, repository) == ME


@pytest.mark.parametrize("name", NAMES)
def test_a_variable_counts_where_the_config_or_the_hook_of_the_server_names_it(
    repository: Repository, name: str
) -> None:
    assert pusher(SENT, repository, name) == f"by {name}"
    repository.set_config("location-policy.pusher", name)
    assert pusher(SENT, repository) == f"by {name}"
    assert pusher({}, repository) == ME


def test_a_variable_that_no_server_sets_is_refused(repository: Repository) -> None:
    repository.set_config("location-policy.pusher", "USER")
    with pytest.raises(RepositoryError, match=r"location-policy\.pusher is USER, not one of GL_USERNAME, "):
        pusher({"USER": "mallory"}, repository)


def test_a_web_server_names_its_user_to_a_repository_of_its_own(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pusher({"REMOTE_USER": "alice"}, repository) == "alice"
    assert pusher({**SENT, "REMOTE_USER": "alice"}, repository) == ME
    monkeypatch.setattr(os, "getuid", lambda: NOBODY)
    assert pusher({"REMOTE_USER": "alice"}, repository) == "nobody"


def test_a_user_without_a_name_is_a_number(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_001)
    assert pusher({}, repository) == "uid 4000000001"


def test_a_server_is_known_by_its_hooks(tmp_path: Path) -> None:
    gitea, gitolite, other = (tmp_path / name for name in ("gitea", "repositories", "other"))
    (gitea / "pre-receive.d").mkdir(parents=True)
    (gitea / "pre-receive.d" / "gitea").touch()
    gitolite.mkdir()
    (gitolite / "update").symlink_to(tmp_path / ".gitolite" / "hooks" / "common" / "update")
    assert [server_variable(folder) for folder in (gitea, gitolite, other)] == ["GITEA_PUSHER_NAME", "GL_USER", None]


def test_the_config_is_that_of_the_repository(repository: Repository) -> None:
    git("config", "location-policy.pusher", "GL_USER", cwd=repository.directory)
    assert pusher({"GL_USER": "ana", "GL_USERNAME": "mallory"}, repository) == "ana"
