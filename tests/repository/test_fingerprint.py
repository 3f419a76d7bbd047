"""What the file system says of the files that decide what a repository serves, beside what git says."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from location_policy.repository.fingerprint import DecidingFiles, deciding_files
from tests.support.repositories import GOOD, force_commit, git, make_repository

NOTES = "refs/notes/location-policy"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    made = make_repository(tmp_path / "locations.git", GOOD)
    force_commit(made, {"locations.csv": "Perth,10.0.0.0/8\n"}, "refs/heads/other")
    return made


def files_of(directory: Path, ref: str = "refs/heads/main") -> DecidingFiles:
    return deciding_files(directory, (ref, NOTES))


def overwrite_with_old_times(repository: Path) -> None:
    """As `tar` or `cp -a` restore a file: other content of the same size in the same inode, with the old times."""
    path = repository / "refs" / "heads" / "main"
    before = path.stat()
    path.write_text(git("rev-parse", "refs/heads/other", cwd=repository) + "\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.stat().st_ino == before.st_ino


def write_list_of_tables(repository: Path) -> None:
    (repository / "reftable").mkdir()
    (repository / "reftable" / "tables.list").write_text("0x01-0x02-af.ref\n")


CHANGES: dict[str, Callable[[Path], object]] = {
    "update-ref": lambda path: git("update-ref", "refs/heads/main", "refs/heads/other", cwd=path),
    "deleted": lambda path: git("update-ref", "-d", "refs/heads/main", cwd=path),
    "pack-refs": lambda path: git("pack-refs", "--all", cwd=path),
    "another branch": lambda path: git("symbolic-ref", "HEAD", "refs/heads/other", cwd=path),
    "detached": lambda path: git("update-ref", "--no-deref", "HEAD", "refs/heads/other", cwd=path),
    "old times": overwrite_with_old_times,
    "config": lambda path: git("config", "location-policy.branch", "other", cwd=path),
    "config of a working copy": lambda path: (path / "config.worktree").write_text("[core]\n"),
    "noted": lambda path: git("notes", f"--ref={NOTES}", "add", "-m", "x", "main", cwd=path),
    "reftable": write_list_of_tables,
    "objects away": lambda path: (path / "objects").rename(path / "away"),
    "may not be read": lambda path: (path / "HEAD").chmod(0),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_may_change_an_answer_of_git_changes_the_fingerprint(repository: Path, change: str) -> None:
    files = files_of(repository)
    before = files.fingerprint()
    CHANGES[change](repository)
    assert files.fingerprint() != before


def test_what_git_reads_leaves_the_fingerprint(repository: Path) -> None:
    files = files_of(repository)
    before = files.fingerprint()
    for command in (["log"], ["for-each-ref"], ["rev-parse", "HEAD"], ["config", "--list"]):
        git(*command, cwd=repository)
    force_commit(repository, GOOD, "refs/heads/third")
    assert files.fingerprint() == before


def test_a_packed_ref_that_moves_changes_it(repository: Path) -> None:
    git("pack-refs", "--all", "--prune", cwd=repository)
    files = files_of(repository)
    before = files.fingerprint()
    git("update-ref", "refs/heads/main", "refs/heads/other", cwd=repository)
    assert files.fingerprint() != before


@pytest.mark.parametrize("alias", ["HEAD", "refs/heads/main"])
def test_refs_that_stand_for_others_are_followed(repository: Path, alias: str) -> None:
    git("symbolic-ref", "refs/heads/alias", "refs/heads/other", cwd=repository)
    git("symbolic-ref", alias, "refs/heads/alias", cwd=repository)
    files = files_of(repository)
    before = files.fingerprint()
    force_commit(repository, GOOD, "refs/heads/other")
    moved = files.fingerprint()
    assert moved != before
    git("symbolic-ref", "refs/heads/alias", "refs/heads/third", cwd=repository)
    assert files.fingerprint() != moved


def test_refs_that_stand_for_each_other_end(repository: Path) -> None:
    for name, target in (("a", "b"), ("b", "a")):
        (repository / "refs" / "heads" / name).write_text(f"ref: refs/heads/{target}\n")
    assert files_of(repository, "refs/heads/a").fingerprint()


def test_a_linked_working_copy_has_its_own_head_and_the_refs_of_its_repository(repository: Path) -> None:
    git("worktree", "add", "--quiet", repository.parent / "linked", "other", cwd=repository)
    own = repository / "worktrees" / "linked"
    files = files_of(own, "refs/heads/other")
    before = files.fingerprint()
    force_commit(repository, GOOD, "refs/heads/other")
    moved = files.fingerprint()
    assert moved != before
    git("symbolic-ref", "HEAD", "refs/heads/third", cwd=repository.parent / "linked")
    assert files.fingerprint() != moved


def test_a_repository_in_the_place_of_another_is_another(repository: Path, tmp_path: Path) -> None:
    files = files_of(repository)
    before = files.fingerprint()
    shutil.copytree(repository, tmp_path / "copy.git", copy_function=shutil.copy2)
    repository.rename(tmp_path / "old.git")
    (tmp_path / "copy.git").rename(repository)
    assert files.fingerprint() != before


def test_a_config_that_includes_another_is_not_told_whole(repository: Path) -> None:
    assert files_of(repository).is_complete
    git("config", "include.path", "/etc/more", cwd=repository)
    assert not files_of(repository).is_complete


def test_names_that_no_file_has_are_borne(repository: Path) -> None:
    files = deciding_files(repository, ("refs/heads/\0", "refs/heads/" + "x" * 300))
    assert files.fingerprint() == files.fingerprint()
    assert deciding_files(repository / "missing", ("refs/heads/main",)).is_complete


def test_the_folders_are_those_that_are_there(repository: Path) -> None:
    refs = repository / "refs"
    assert set(files_of(repository).folders()) == {repository, refs, refs / "heads"}
    assert set(files_of(repository, "refs/heads/team/one").folders()) == {repository, refs, refs / "heads"}
    force_commit(repository, GOOD, "refs/heads/team/one")
    assert refs / "heads" / "team" in files_of(repository, "refs/heads/team/one").folders()
