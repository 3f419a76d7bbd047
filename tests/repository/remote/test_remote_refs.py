"""A branch that cannot be followed: each way in which it cannot is one sentence, with what can."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from location_policy.errors import UnknownRevision
from location_policy.repository.remote.mirror import Mirror
from location_policy.repository.remote.naming import fetched_ref
from location_policy.text import escape
from tests.support.repositories import GOOD, force_commit, git, make_repository, tip


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A remote with two branches."""
    repository = make_repository(tmp_path / "remote.git", GOOD)
    force_commit(repository, GOOD, ref="refs/heads/side")
    return repository


def told(remote: Path, branch: str | None, state: Path) -> tuple[str, str | None]:
    """What is said, and the hint, with the remote called URL."""
    mirror = Mirror(remote.as_uri(), state, branch, interval=0)
    mirror.make()
    with pytest.raises(UnknownRevision) as failure:
        mirror.update()
    assert mirror.looks.last_error
    assert mirror.looks.last_error.kind == "branch"
    return failure.value.message.replace(remote.as_uri(), "URL"), failure.value.hint


HINT = "follow one with --branch main"
THERE = "branches there: main, side"


def detach(remote: Path) -> None:
    (remote / "HEAD").write_text(f"{tip(remote)}\n")


@pytest.mark.parametrize(
    ("branch", "prepare", "message"),
    [
        ("nowhere", lambda _: None, f"URL has no branch nowhere; {THERE}"),
        ("v1", lambda remote: git("tag", "v1", "main", cwd=remote), f"v1 is a tag of URL, not a branch; {THERE}"),
        ("a" * 40, lambda _: None, f"{'a' * 40} is no branch of URL, and an id is not followed; {THERE}"),
        ("m*", lambda _: None, f"URL has no branch m*; {THERE}"),
        (
            None,
            lambda remote: git("symbolic-ref", "HEAD", "refs/heads/x", cwd=remote),
            f"HEAD of URL names a branch that is not there; {THERE}",
        ),
        (None, detach, f"HEAD of URL names a commit, not a branch; {THERE}"),
    ],
)
def test_what_cannot_be_followed_is_told(
    remote: Path, tmp_path: Path, branch: str | None, prepare: Callable[[Path], object], message: str
) -> None:
    prepare(remote)
    assert told(remote, branch, tmp_path / "state") == (message, HINT)


def test_the_hint_that_names_a_branch_works(remote: Path, tmp_path: Path) -> None:
    _, hint = told(remote, "nowhere", tmp_path / "state")
    assert hint
    mirror = Mirror(remote.as_uri(), tmp_path / "state", hint.rpartition(" ")[2], interval=0)
    mirror.make()
    mirror.update()
    assert tip(mirror.directory, fetched_ref("refs/heads/main")) == tip(remote)


def test_a_remote_with_tags_alone_has_no_branch_to_follow(remote: Path, tmp_path: Path) -> None:
    git("tag", "v1", "main", cwd=remote)
    for branch in ("main", "side"):
        git("update-ref", "-d", f"refs/heads/{branch}", cwd=remote)
    message, hint = told(remote, "main", tmp_path / "state")
    assert (message, hint) == ("URL has no branch main; branches there: none", "push a branch to it")


def test_of_many_branches_some_are_named(remote: Path, tmp_path: Path) -> None:
    for number in range(20):
        git("update-ref", f"refs/heads/b{number:02}", "main", cwd=remote)
    message, _ = told(remote, "nowhere", tmp_path / "state")
    assert message.endswith("branches there: b00, b01, b02, b03, b04, b05, b06, b07, b08, b09 and 12 more")


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_remote_that_was_emptied_is_no_empty_remote(remote: Path, tmp_path: Path, *, is_restarted: bool) -> None:
    mirror = Mirror(remote.as_uri(), tmp_path / "state", None, interval=0)
    mirror.make()
    mirror.update()
    for branch in ("main", "side"):
        git("update-ref", "-d", f"refs/heads/{branch}", cwd=remote)
    if is_restarted:
        mirror = Mirror(remote.as_uri(), tmp_path / "state", None, interval=0)
    with pytest.raises(UnknownRevision, match="is empty: its branch main is gone"):
        mirror.update()


def test_a_ref_whose_name_ends_as_the_branch_does_is_not_taken_for_it(remote: Path, tmp_path: Path) -> None:
    """`ls-remote` compares the ends of names (git-ls-remote, "<patterns>")."""
    git("update-ref", "refs/heads/refs/heads/only", "main", cwd=remote)
    assert told(remote, "only", tmp_path / "state")[0].startswith("URL has no branch only; ")


def test_a_branch_whose_name_is_not_utf_8_is_told(remote: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"m\xe4in")
    git("update-ref", f"refs/heads/{name}", "main", cwd=remote)
    git("symbolic-ref", "HEAD", f"refs/heads/{name}", cwd=remote)
    message, hint = told(remote, None, tmp_path / "state")
    assert message == f"branch {escape(name)} of URL has a name that is not UTF-8"
    assert hint == "rename it there, or follow another one with --branch"
