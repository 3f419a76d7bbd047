"""Commits and trees, read from real repositories, broken ones too."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from location_policy.config.files import FILE_LIMIT
from location_policy.errors import RepositoryError
from location_policy.repository import objects as module
from location_policy.repository.git import PlainGit
from location_policy.repository.objects import COMMIT_LIMIT, TOLD_LIMIT, Objects
from tests.support.repositories import GOOD, force_commit, force_entry, forge_blob, git, make_repository, run_git, tip

MISSING = "1" * 40


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "map.git", GOOD)


@pytest.fixture
def objects(repository: Path) -> Iterator[Objects]:
    with Objects(PlainGit(repository)) as objects:
        yield objects


def write(repository: Path, kind: str, content: bytes) -> str:
    command = ("hash-object", "-t", kind, "-w", "--literally", "--stdin")
    return run_git(*command, cwd=repository, stdin=content).stdout.strip()


def loose(repository: Path, object_id: str) -> Path:
    path = repository / "objects" / object_id[:2] / object_id[2:]
    path.chmod(0o644)
    return path


def commit_text(repository: Path, head: bytes, message: bytes = b"Subject\n") -> str:
    tree = git("rev-parse", "main^{tree}", cwd=repository).encode()
    return write(repository, "commit", b"tree %b\n%b\n%b" % (tree, head, message))


def test_a_commit_is_read_whole(repository: Path, objects: Objects) -> None:
    head = b"author Ana Lima <a@b.c> 5 +0100\ncommitter Bo <b@b.c> 1700000000 -0500\n"
    commit = objects.commit(commit_text(repository, head, b"\nA subject\non two lines\n\nA body\n"))
    assert (commit.subject, commit.author) == ("A subject on two lines", "Ana Lima")
    assert commit.committed_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("encoding", "raw", "read"),
    [
        (b"iso-8859-1", b"Stra\xdfe", "Straße"),
        (b"utf-8", b"Stra\xdfe", "Stra�e"),
        (b"no-such-thing", "Straße".encode(), "Straße"),
        (b"Latin_1", b"Stra\xdfe", "Straße"),
        (b"idna", b"Stra\xdfe", "Stra�e"),
        (b"windows-1252", b"Stra\xdfe", "Stra�e"),
        (b"rot13", b"Street", "Street"),
        (b"a\0b", b"Street", "Street"),
    ],
)
def test_a_subject_is_read_in_its_encoding(
    repository: Path, objects: Objects, encoding: bytes, raw: bytes, read: str
) -> None:
    head = b"author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\nencoding %b\n" % encoding
    assert objects.commit(commit_text(repository, head, raw)).subject == read


@pytest.mark.parametrize("encoding", [b"punycode", b"utf-8", b"latin-1", b"utf-7", b"unicode_escape"])
def test_a_long_subject_takes_no_time_and_is_told_in_part(repository: Path, objects: Objects, encoding: bytes) -> None:
    head = b"author %b <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\nencoding %b\n" % (b"A" * 100_000, encoding)
    commit_id = commit_text(repository, head, b"\n" + b"-abcdefgh" * 400_000)
    started = time.process_time()
    commit = objects.commit(commit_id)
    assert time.process_time() - started < 0.2
    assert (len(commit.subject), commit.subject[-2:]) == (TOLD_LIMIT + 1, "b…")
    assert commit.author == "A" * TOLD_LIMIT + "…"
    assert len(objects.message(commit_id)) < COMMIT_LIMIT
    assert objects.commit(tip(repository)).subject == "Force it in"


@pytest.mark.parametrize("head", [b"", b"author <a@b>\ncommitter x\n", b"committer A <a@b> 9999999999999999 +0\n"])
def test_a_commit_with_odd_people_and_times_is_read_all_the_same(
    repository: Path, objects: Objects, head: bytes
) -> None:
    commit = objects.commit(commit_text(repository, head))
    assert (commit.author, commit.committed_at) == ("", datetime(1970, 1, 1, tzinfo=UTC))


def test_the_first_of_two_equal_fields_counts(repository: Path, objects: Objects) -> None:
    head = b"author A <a@b> 1 +0000\ngpgsig x\n author B <a@b> 1 +0000\nauthor C <a@b> 1 +0000\n"
    assert objects.commit(commit_text(repository, head)).author == "A"


def test_a_commit_without_a_tree_is_an_error(repository: Path, objects: Objects) -> None:
    with pytest.raises(RepositoryError, match="names no tree"):
        objects.commit(write(repository, "commit", b"author A <a@b> 1 +0000\n\nx"))


@pytest.mark.parametrize("form", ["main^{{tree}}", "{0:.7}", "{0} x", "{0}0", ""])
def test_a_tree_is_named_by_its_whole_id_only(repository: Path, objects: Objects, form: str) -> None:
    text = form.format(git("rev-parse", "main^{tree}", cwd=repository))
    with pytest.raises(RepositoryError, match="names no tree"):
        objects.commit(write(repository, "commit", f"tree {text}\n\nSubject\n".encode()))


def test_a_tree_that_ends_in_half_an_id_is_an_error(repository: Path, objects: Objects) -> None:
    blob = bytes.fromhex(write(repository, "blob", b"Sydney,10.61.2.0/24\n"))
    with pytest.raises(RepositoryError, match="cannot be parsed"):
        objects.entries(write(repository, "tree", b"100644 locations.csv\0" + blob[:10]))


def test_a_tag_is_no_commit(repository: Path, objects: Objects) -> None:
    tag = write(repository, "tag", b"object %b\ntype commit\ntag v1\n\nx" % tip(repository).encode())
    with pytest.raises(RepositoryError, match="is a tag, not a commit"):
        objects.commit(tag)


def test_what_is_left_unread_after_an_error_is_no_answer(repository: Path, objects: Objects) -> None:
    forged = write(repository, "blob", b"x commit 14\ntree forged\n\nx\n")
    for _ in range(2):
        with pytest.raises(RepositoryError, match="is a blob, not a tree"):
            objects.entries(forged)
    assert objects.commit(tip(repository)).subject == "Force it in"


def test_an_object_that_is_not_there_is_an_error(objects: Objects) -> None:
    with pytest.raises(RepositoryError, match=f"object {MISSING} cannot be read"):
        objects.size(MISSING)


def test_the_size_is_told_where_the_content_cannot_be_read(repository: Path, objects: Objects) -> None:
    blob = forge_blob(repository, FILE_LIMIT + 1)
    assert objects.size(blob) == FILE_LIMIT + 1
    with pytest.raises(RepositoryError, match=f"object {blob} cannot be read"):
        objects.content(blob, "blob")


def test_a_corrupted_object_is_an_error(repository: Path, objects: Objects) -> None:
    path = loose(repository, tip(repository))
    path.write_bytes(path.read_bytes()[:20] + bytes(20))
    with pytest.raises(RepositoryError, match="cannot be read"):
        objects.commit(tip(repository))


def test_a_large_object_that_is_cut_off_is_an_error(repository: Path, objects: Objects) -> None:
    blob = forge_blob(repository, FILE_LIMIT * 8)
    with pytest.raises(RepositoryError, match="cannot be read"):
        objects.content(blob, "blob")


def test_a_git_that_has_ended_is_an_error(repository: Path) -> None:
    with Objects(PlainGit(repository)) as objects:
        assert objects.size(tip(repository))
        process = objects._conversation
        assert isinstance(process, subprocess.Popen)
        process.kill()
        process.wait()
        with pytest.raises(RepositoryError, match=f"git ended before object {MISSING} was read"):
            objects.size(MISSING)


def test_only_what_concerns_the_configuration_is_found(repository: Path, objects: Objects) -> None:
    files = {"policy.toml": "", "locations/a/b.csv": "x", "locations/a/b.txt": "x", "docs/README": "x", "x.csv": ""}
    commit = objects.commit(force_commit(repository, files))
    assert [entry.path for entry in objects.entries(commit.tree)] == ["locations/a/b.csv", "policy.toml", "x.csv"]


@pytest.mark.parametrize(("mode", "kind"), [("120000", "symlink"), ("160000", "submodule"), ("100755", "file")])
def test_the_kind_of_an_entry_is_told(repository: Path, objects: Objects, mode: str, kind: str) -> None:
    commit = objects.commit(force_entry(repository, mode, MISSING, "locations/a.csv"))
    assert objects.entries(commit.tree) == (("locations/a.csv", kind, MISSING),)


def test_a_name_that_is_not_utf8_is_kept(repository: Path, objects: Objects) -> None:
    tree = write(repository, "tree", b"100644 \xff.csv\0" + bytes(20))
    assert objects.entries(tree)[0].path == "\udcff.csv"


def test_a_tree_that_cannot_be_parsed_is_an_error(repository: Path, objects: Objects) -> None:
    with pytest.raises(RepositoryError, match="a tree cannot be parsed"):
        objects.entries(write(repository, "tree", b"100644 x"))


def test_folders_without_end_are_an_error(repository: Path, objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FOLDERS_LIMIT", 1_000)
    tree = write(repository, "tree", b"")
    for _ in range(11):
        tree = write(repository, "tree", b"".join(b"40000 %b\0" % name + bytes.fromhex(tree) for name in (b"a", b"b")))
    with pytest.raises(RepositoryError, match="has more than 1,000 folders"):
        objects.entries(tree)


def test_folders_nested_without_end_are_an_error(repository: Path, objects: Objects) -> None:
    text = "feature done\ncommit refs/heads/deep\ncommitter A <a@b> 1 +0000\ndata 1\nx"
    deep = "a/" * 1_500
    run_git(
        "fast-import",
        "--quiet",
        cwd=repository,
        stdin=f"{text}\nM 100644 inline {deep}b.csv\ndata 1\nx\ndone\n".encode(),
    )
    with pytest.raises(RepositoryError, match="nested too deeply"):
        objects.entries(git("rev-parse", "deep^{tree}", cwd=repository))
