"""git in a closed environment, as the hook and as the service run it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from location_policy.errors import GitUnavailable, RepositoryError
from location_policy.repository.git import Git, GitFailed, PlainGit, PythonGit
from location_policy.repository.git_process import MEMORY, require_git
from tests.support.repositories import GOOD, force_commit, make_repository, tip
from tests.support.rollouts import read

Open = Callable[[Path], AbstractContextManager[Git]]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "map.git", GOOD)


@pytest.fixture(params=["plain", "python"])
def open_git(request: pytest.FixtureRequest) -> Open:
    return PythonGit if request.param == "python" else lambda path: nullcontext(PlainGit(path))


def test_output_comes_as_it_is(repository: Path, open_git: Open) -> None:
    with open_git(repository) as git:
        blob = git.run("hash-object", "-w", "--stdin", stdin=b"\xff\n\n").decode().strip()
        assert git.run("cat-file", "blob", blob) == b"\xff\n\n"


def test_a_failure_says_what_git_said(repository: Path, open_git: Open) -> None:
    with open_git(repository) as git, pytest.raises(GitFailed) as caught:
        git.run("cat-file", "blob", "nothing\u202e")
    assert caught.value.message == "git cat-file failed: Not a valid object name nothing\\u202e"
    assert caught.value.status == 128


def test_of_what_is_said_on_standard_error_no_more_is_kept_than_the_last(
    repository: Path, open_git: Open, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nhead -c 400000000 /dev/zero >&2\nprintf '\\nfatal: at last\\n' >&2\nexit 3\n")
    program.chmod(0o755)
    with open_git(repository) as git:
        tracemalloc.start()
        with pytest.raises(GitFailed, match="git -c failed: at last"):
            git.run("-c", f"alias.flood=!{program}", "flood")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < 4 * 1024 * 1024


def test_names_are_not_read_from_a_mailmap_that_was_pushed(repository: Path, open_git: Open) -> None:
    commit = force_commit(repository, {**GOOD, ".mailmap": "Mallory <m@example.com> <alice@example.com>\n"})
    with open_git(repository) as git:
        assert git.run("log", "--no-walk", "--format=%aN", commit) == b"Alice\n"
        assert b"author Alice\n" in git.run("blame", "--porcelain", commit, "--", "locations/apac.csv")


def test_a_failure_without_a_word_says_its_status(repository: Path, open_git: Open) -> None:
    with open_git(repository) as git, pytest.raises(GitFailed, match="git rev-parse failed: status 1"):
        git.run("rev-parse", "--verify", "--quiet", "nothing")


def test_variables_can_be_given_for_one_run(repository: Path, open_git: Open) -> None:
    identity = {"GIT_COMMITTER_NAME": "Alice", "GIT_COMMITTER_EMAIL": "a@b.c", "GIT_COMMITTER_DATE": "1700000000 +0000"}
    with open_git(repository) as git:
        assert git.run("var", "GIT_COMMITTER_IDENT", environment=identity) == b"Alice <a@b.c> 1700000000 +0000\n"


def test_the_settings_of_machine_and_user_do_not_count(
    repository: Path, open_git: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text("[location-policy]\n\tbranch = evil\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    with open_git(repository) as git, pytest.raises(GitFailed):
        git.run("config", "location-policy.branch")


def test_a_conversation_is_held_and_ended(repository: Path, open_git: Open) -> None:
    with open_git(repository) as git, git.converse("cat-file", "--batch-check") as conversation:
        conversation.stdin.write(b"HEAD^{tree}\n")
        conversation.stdin.flush()
        assert b" tree " in conversation.stdout.readline()


def test_a_repository_that_is_moved_while_git_writes_does_not_come_back(
    repository: Path, open_git: Open, tmp_path: Path
) -> None:
    away = tmp_path / "away.git"
    commit = tip(repository)
    with open_git(repository) as git:
        with git.converse("update-ref", "--stdin") as conversation:
            conversation.stdin.write(b"start\n")
            conversation.stdin.flush()
            assert conversation.stdout.readline() == b"start: ok\n"
            repository.rename(away)
            conversation.stdin.write(f"create refs/own/deep/name {commit}\ncommit\n".encode())
            conversation.stdin.flush()
            conversation.stdout.readline()
        assert not repository.exists()
        with pytest.raises(GitFailed):
            git.run("update-ref", "refs/own/deep/name", commit)
    assert not repository.exists()
    away.rename(repository)


def test_without_git_there_is_one_sentence(
    repository: Path, open_git: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with open_git(repository) as git:
        with pytest.raises(GitUnavailable, match="git cannot be run"):
            git.run("version")
        with pytest.raises(GitUnavailable, match="git cannot be run"):
            git.converse("cat-file").__enter__()
    with pytest.raises(GitUnavailable, match="git cannot be run"):
        require_git()


@pytest.mark.parametrize("version", ["2.35.9", "1.99"])
def test_a_git_that_is_too_old_is_told(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "git"
    program.write_text(f"#!/bin/sh\necho git version {version}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitUnavailable, match=f"git version {version} is too old"):
        require_git()


@pytest.mark.parametrize("version", ["2.36.0", "2.55.0.windows.1", "3.0.0-rc1", "2.39.5 (Apple Git-154)"])
def test_a_git_that_is_new_enough_passes(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "git"
    program.write_text(f"#!/bin/sh\necho 'git version {version}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    require_git()


def test_what_is_no_repository_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="cannot be opened: its config, or what else git needs of it, is damaged"):
        PythonGit(tmp_path)


def test_the_quarantine_of_a_push_is_seen_only_where_asked(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(repository / "elsewhere"))
    assert PlainGit(repository).run("rev-parse", "--verify", "main^{commit}")
    with pytest.raises(GitFailed):
        PlainGit(repository, quarantine=True).run("rev-parse", "--verify", "main^{commit}")


def test_many_uses_leave_no_child_and_no_file_open(repository: Path) -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    def use() -> None:
        with PythonGit(repository) as git, git.converse("cat-file", "--batch-command"):
            git.run("rev-parse", "HEAD")

    def children() -> list[str]:
        return "".join(map(read, Path("/proc/self/task").glob("*/children"))).split()

    use()
    before = open_files(), children()
    for _ in range(30):
        use()
    assert (open_files(), children()) == before


@pytest.mark.parametrize("kind", [PlainGit, PythonGit])
def test_git_may_take_so_much_memory(tmp_path: Path, kind: type[PlainGit | PythonGit]) -> None:
    git = kind(make_repository(tmp_path / "map.git", GOOD))
    limit = "awk '/^Max data size/ { print $4 }' /proc/$PPID/limits"  # that of git, which has started this
    said = git.run("-c", f"alias.limit=!cat >/dev/null; {limit}; git config core.bigFileThreshold", "limit")
    assert said == b"%d\n32m\n" % MEMORY
