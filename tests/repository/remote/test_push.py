"""A commit pushed to a new branch of a real remote, which says something, refuses, hangs, or has the branch already."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

import pytest

from location_policy.errors import NotPushed, RepositoryError
from location_policy.repository.new_commits import PROGRAM
from location_policy.repository.remote import push
from location_policy.repository.remote.mirror import Mirror
from location_policy.repository.remote.naming import fetched_ref
from location_policy.repository.repository import open_repository
from tests.support.repositories import GOOD, Files, git, make_repository, run_git, tip
from tests.support.service import wait_until

BRANCH = "location-policy/ana/20261124T194000Z"
NAMES = (BRANCH, f"{BRANCH}-2")
BESIDE: Files = {"README.md": "what is not read\n", "video/one.bin": b"\0" * 100, "locations/README": "nor this\n"}


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A remote that takes filters, as forges do, with more in it than a map."""
    repository = make_repository(tmp_path / "remote.git", {**GOOD, **BESIDE})
    git("config", "uploadpack.allowFilter", "true", cwd=repository)
    return repository


@pytest.fixture
def mirror(remote: Path, tmp_path: Path) -> Mirror:
    made = Mirror(remote.as_uri(), tmp_path / "state", None, interval=0)
    made.make()
    made.update()
    return made


def hook(remote: Path, name: str, script: str) -> None:
    """Let the remote do this at a push."""
    path = remote / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def commit_in(mirror: Mirror, rows: str = "Perth,10.61.2.0/24\n") -> str:
    """A commit of the copy on top of what the remote has."""
    with open_repository(mirror.directory) as repository:
        before = repository.find_commit(tip(mirror.directory, fetched_ref("refs/heads/main")))
        tree = repository.change_files(before.tree, {"locations.csv": rows.encode()})
        return repository.make_commit(tree, (before.id,), "Move it\n", PROGRAM)


def refs(repository: Path) -> str:
    return git("for-each-ref", "--format=%(refname) %(objectname)", cwd=repository)


def test_a_commit_of_the_copy_is_a_branch_of_the_remote_and_of_nothing_else(mirror: Mirror, remote: Path) -> None:
    before, made = (refs(mirror.directory), refs(remote)), commit_in(mirror)
    assert run_git("cat-file", "-e", f"{made}:README.md", cwd=mirror.directory, GIT_ALLOW_PROTOCOL="").returncode
    assert mirror.push(made, NAMES) == (BRANCH, [])
    assert refs(mirror.directory) == before[0]
    assert refs(remote).splitlines() == sorted([*before[1].splitlines(), f"refs/heads/{BRANCH} {made}"])
    changed = git("diff", "--name-only", "main", BRANCH, cwd=remote)
    assert changed == "locations.csv"
    git("fsck", "--full", "--strict", cwd=remote)


def test_what_the_remote_says_is_told(mirror: Mirror, remote: Path) -> None:
    hook(remote, "post-receive", "echo; echo 'Create a pull request:'; printf '  https://h/x\\033[2J\\n'")
    assert mirror.push(commit_in(mirror), NAMES).said == ["Create a pull request:", "  https://h/x\x1b[2J"]


def test_a_branch_that_is_there_is_left_alone_and_another_name_taken(mirror: Mirror, remote: Path) -> None:
    git("branch", BRANCH, "main", cwd=remote)  # from which ours would be a fast-forward
    made = commit_in(mirror)
    assert mirror.push(made, NAMES).branch == NAMES[1]
    assert (tip(remote, f"refs/heads/{BRANCH}"), tip(remote, f"refs/heads/{NAMES[1]}")) == (tip(remote), made)
    with pytest.raises(NotPushed, match=f"has branches {BRANCH} to {BRANCH}-2 already"):
        mirror.push(commit_in(mirror, "Oslo,10.61.2.0/24\n"), NAMES)


def test_the_same_commit_is_pushed_once(mirror: Mirror, remote: Path) -> None:
    made = commit_in(mirror)
    assert {mirror.push(made, NAMES).branch for _ in range(2)} == {BRANCH}
    assert refs(remote).count(made) == 1


def test_two_at_once_are_two_branches(mirror: Mirror, remote: Path) -> None:
    commits = [commit_in(mirror, f"{name},10.61.2.0/24\n") for name in ("Oslo", "Rome")]
    threads = [threading.Thread(target=mirror.push, args=(made, NAMES)) for made in commits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {tip(remote, f"refs/heads/{name}") for name in NAMES} == set(commits)


def test_a_remote_that_has_moved_takes_a_branch_all_the_same(mirror: Mirror, remote: Path) -> None:
    made = commit_in(mirror)
    git(
        "update-ref",
        "refs/heads/main",
        git("commit-tree", "main^{tree}", "-p", "main", "-m", "More", cwd=remote),
        cwd=remote,
    )
    assert mirror.push(made, NAMES).branch == BRANCH


def test_a_refusal_is_told_with_what_the_remote_says(mirror: Mirror, remote: Path) -> None:
    hook(remote, "pre-receive", "echo 'GL-HOOK-ERR: push to a fork'; printf 'no\\033[2J\\n'; seq 100; exit 1")
    before = refs(remote)
    with pytest.raises(NotPushed) as refused:
        mirror.push(commit_in(mirror), NAMES)
    url = remote.as_uri()
    assert refused.value.message == f"{url} does not take branch {BRANCH}: pre-receive hook declined"
    assert refused.value.said[:3] == ("GL-HOOK-ERR: push to a fork", "no\\x1b[2J", "1")
    assert len(refused.value.said) == push.SHOWN_LINES
    assert refs(remote) == before


@pytest.mark.parametrize("taken", ["location-policy", "location-policy/ana"])
def test_a_branch_with_the_name_of_the_folder_is_told_and_the_hint_works(
    mirror: Mirror, remote: Path, tmp_path: Path, taken: str
) -> None:
    git("branch", taken, "main", cwd=remote)
    made = commit_in(mirror)
    with pytest.raises(NotPushed) as refused:
        mirror.push(made, NAMES)
    assert f"has a branch {taken}, beside which git makes no branch {BRANCH}" in refused.value.message
    git("clone", "--quiet", remote, tmp_path / "clone", cwd=tmp_path)
    for command in (refused.value.hint or "").removeprefix("rename it, in a clone: ").split(" && "):
        git(*command.split(" ")[1:], cwd=tmp_path / "clone")
    assert mirror.push(made, NAMES).branch == BRANCH


def test_a_remote_that_is_away_is_told(mirror: Mirror, remote: Path) -> None:
    made = commit_in(mirror)
    remote.rename(remote.with_name("away.git"))
    with pytest.raises(NotPushed, match=f"branch {BRANCH} was not pushed to file:.*does not appear to be a git repo"):
        mirror.push(made, NAMES)


def test_a_push_without_end_is_ended_and_it_is_said_that_it_may_be_there(
    mirror: Mirror, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(remote, "pre-receive", "sleep 60")
    monkeypatch.setattr(push, "SECONDS", 0.5)
    began = time.monotonic()
    with pytest.raises(NotPushed, match="it is not known whether branch") as late:
        mirror.push(commit_in(mirror), NAMES)
    assert time.monotonic() - began < 10
    assert late.value.hint == "look there before you try again"
    assert BRANCH not in refs(remote)


def test_a_remote_that_is_away_is_waited_for(mirror: Mirror, remote: Path, tmp_path: Path) -> None:
    made = commit_in(mirror)
    remote.rename(tmp_path / "away.git")
    with pytest.raises(NotPushed, match="was not pushed") as away:
        mirror.push(made, NAMES)
    again = "nothing has changed: confirm it once more when the remote answers"
    assert (away.value.hint or "").startswith(f"{again}; see the path: is it mounted")


def test_a_push_ends_with_the_service_and_there_is_none_after_it(mirror: Mirror, remote: Path) -> None:
    hook(remote, "pre-receive", f"touch {remote}/begun; sleep 60")
    made, told = commit_in(mirror), list[str]()

    def work() -> None:
        try:
            mirror.push(made, NAMES)
        except RepositoryError as error:
            told.append(error.message)

    thread = threading.Thread(target=work)
    thread.start()
    wait_until((remote / "begun").exists)
    mirror.close()
    thread.join(10)
    work()
    assert [re.sub(".*: ", "", one) for one in told] == ["it was ended with the service"] * 2
