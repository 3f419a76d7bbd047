"""A change pushed to a forge by HTTPS, real nginx and git http-backend, with a token that may, and one that may not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from location_policy.errors import NotPushed
from location_policy.repository.new_commits import PROGRAM
from location_policy.repository.remote.credentials import RemoteAccess
from location_policy.repository.remote.mirror import Mirror
from location_policy.repository.remote.naming import fetched_ref
from location_policy.repository.repository import open_repository
from tests.forge.looks import looking
from tests.forge.servers import TOKEN, USER, HttpsForge, https, https_forge
from tests.support.repositories import GOOD, git, make_repository, tip

pytestmark = https

BRANCH = "location-policy/ana/20261124T194000Z"


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpsForge]:
    root = tmp_path_factory.mktemp("root")
    repository = make_repository(root / "locations.git", {**GOOD, "README.md": "what is not read\n"})
    git("config", "uploadpack.allowFilter", "true", cwd=repository)
    (repository / "hooks" / "post-receive").write_text(
        "#!/bin/sh\necho 'Create a merge request: https://127.0.0.1/new'\n"
    )
    (repository / "hooks" / "post-receive").chmod(0o755)
    with https_forge(tmp_path_factory.mktemp("forge") / "nginx", root) as forge:
        yield forge


@pytest.fixture
def mirror(forge: HttpsForge, tmp_path: Path) -> Mirror:
    file = tmp_path / "git-credentials"
    file.write_text(f"{forge.url.replace('://', f'://{USER}:{TOKEN}@')}\n")
    file.chmod(0o600)
    return looking(forge.repository(), tmp_path / "state", RemoteAccess(credentials=file, ca=forge.ca))


def commit_in(mirror: Mirror) -> str:
    with open_repository(mirror.directory) as repository:
        before = repository.find_commit(tip(mirror.directory, fetched_ref("refs/heads/main")))
        tree = repository.change_files(before.tree, {"locations.csv": b"Perth,10.61.2.0/24\n"})
        return repository.make_commit(tree, (before.id,), "Move it\n", PROGRAM)


def test_a_token_that_may_push_opens_a_branch_and_its_link_comes_back(forge: HttpsForge, mirror: Mirror) -> None:
    repository, made = forge.root / "locations.git", commit_in(mirror)
    git("config", "http.receivepack", "true", cwd=repository)
    assert mirror.push(made, [BRANCH]) == (BRANCH, ["Create a merge request: https://127.0.0.1/new"])
    assert tip(repository, f"refs/heads/{BRANCH}") == made


def test_a_token_that_may_only_read_is_told_with_what_it_needs(forge: HttpsForge, mirror: Mirror) -> None:
    git("config", "http.receivepack", "false", cwd=forge.root / "locations.git")
    with pytest.raises(NotPushed) as refused:
        mirror.push(commit_in(mirror), [f"{BRANCH}-2"])
    assert re.search(rf"{BRANCH}-2 was not pushed to {forge.url}/locations.git: .*403", refused.value.message)
    in_clone = f"or change the map in a clone: git clone {forge.repository()}"
    assert refused.value.hint == f"let the token or the deploy key of the service write there, {in_clone}"
    assert TOKEN not in f"{refused.value.message}{refused.value.hint}{refused.value.said}"
