"""Commits and trees, read from real repositories, broken ones too."""

from __future__ import annotations

import hashlib
import subprocess
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import ANY

import pytest

from location_policy.config import files
from location_policy.config.files import FILE_LIMIT, PATH_LIMIT
from location_policy.errors import RepositoryError
from location_policy.repository import objects as module
from location_policy.repository.git import PlainGit
from location_policy.repository.objects import COMMIT_LIMIT, TOLD_LIMIT, Objects
from tests.support.repositories import GOOD, force_commit, force_entry, forge_blob, git, make_repository, tip

MISSING = "1" * 40


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "map.git", GOOD)


@pytest.fixture
def objects(repository: Path) -> Iterator[Objects]:
    with Objects(PlainGit(repository)) as objects:
        yield objects


def write(repository: Path, kind: str, content: bytes) -> str:
    """The id of a loose object (gitrepository-layout), right or not."""
    whole = b"%b %d\0%b" % (kind.encode(), len(content), content)
    object_id = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
    path = repository / "objects" / object_id[:2] / object_id[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(whole, 1))
    return object_id


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


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("kind", ["commit", "tree", "blob"])
def test_a_whole_object_under_another_ones_name_is_an_error(tmp_path: Path, object_format: str, kind: str) -> None:
    repository = tmp_path / "map.git"
    git("init", "--bare", "--quiet", "-b", "main", f"--object-format={object_format}", repository, cwd=tmp_path)
    ids = []
    for held in (GOOD, {"locations/apac.csv": "Perth,10.61.2.0/24\n"}):
        commit = force_commit(repository, held)
        name = {"commit": commit, "tree": f"{commit}:locations", "blob": f"{commit}:locations/apac.csv"}[kind]
        ids.append(git("rev-parse", name, cwd=repository))
    loose(repository, ids[1]).write_bytes(loose(repository, ids[0]).read_bytes())
    with Objects(PlainGit(repository)) as objects:
        objects.content(ids[0], kind)
        with pytest.raises(RepositoryError, match=f"object {ids[1]} is not what its id says"):
            objects.content(ids[1], kind)
        objects.content(ids[0], kind)


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


@pytest.mark.parametrize("names", [(b"locations.csv", b"locations.csv"), (b"locations/a.csv",)])
def test_a_tree_in_which_it_is_not_sure_what_is_meant_is_an_error(
    repository: Path, objects: Objects, names: tuple[bytes, ...]
) -> None:
    content = b"".join(b"100644 %b\0" % name + bytes(20) for name in names)
    with pytest.raises(RepositoryError, match="a tree has a name twice, or one with a slash"):
        objects.entries(write(repository, "tree", content))


def branches_of(repository: Path, depth: int) -> str:
    """A tree of which every folder has twice the same one, so many below each other."""
    tree = write(repository, "tree", b"")
    for _ in range(depth):
        tree = write(repository, "tree", b"".join(b"40000 %b\0" % name + bytes.fromhex(tree) for name in (b"a", b"b")))
    return tree


def test_a_tree_without_end_is_walked_as_far_as_the_limit(
    repository: Path, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PATHS_LIMIT", 20_000)
    tree = branches_of(repository, 40)
    started = time.process_time()
    assert [entry.kind for entry in objects.entries(tree)] == ["too-many-paths"]
    assert time.process_time() - started < 1


def test_paths_are_counted_however_often_they_were_walked(
    repository: Path, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PATHS_LIMIT", 100)
    half = branches_of(repository, 5)  # 62 of them
    both = [b"40000 %b\0" % name + bytes.fromhex(half) for name in (b"a", b"b")]
    part, whole = write(repository, "tree", both[0]), write(repository, "tree", b"".join(both))
    assert objects.entries(part) == ()
    assert [entry.kind for entry in objects.entries(whole)] == ["too-many-paths"]
    with Objects(PlainGit(repository)) as fresh:
        assert [entry.kind for entry in fresh.entries(whole)] == ["too-many-paths"]


def test_a_tree_of_more_bytes_than_names_need_is_not_read(
    repository: Path, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TREE_LIMIT", 10)
    assert [entry.kind for entry in objects.entries(branches_of(repository, 1))] == ["too-many-paths"]


def test_more_tables_than_there_may_be_are_not_gathered(
    repository: Path, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FILES_LIMIT", 3)
    blob = bytes.fromhex(write(repository, "blob", b"Sydney,10.61.2.0/24\n"))
    folder = write(repository, "tree", b"".join(b"100644 %d.csv\0" % number + blob for number in range(2)))
    whole = b"".join(b"40000 %b\0" % name + bytes.fromhex(folder) for name in (b"a", b"b", b"c"))
    assert objects.entries(write(repository, "tree", whole)) == (("b/1.csv", "too-many-tables", ANY),)


def test_folders_nested_without_end_are_not_followed(repository: Path, objects: Objects) -> None:
    tree = write(repository, "tree", b"")
    for _ in range(3):
        tree = write(repository, "tree", b"40000 %b\0" % (b"a" * 500) + bytes.fromhex(tree))
    assert [entry.kind for entry in objects.entries(tree)] == ["too-long-path"]
    for _ in range(PATH_LIMIT // 2 + 3):
        tree = write(repository, "tree", b"40000 a\0" + bytes.fromhex(tree))
    assert [entry.kind for entry in objects.entries(tree)] == ["too-long-path"]


def test_many_folders_are_not_all_remembered(
    repository: Path, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 10)
    for _ in range(2):
        assert objects.entries(branches_of(repository, 5)) == ()
        assert len(objects._walked) + len(objects._trees) == 11
    assert objects.entries(branches_of(repository, 0)) == ()
    assert len(objects._walked) == 1


def test_a_partial_clone_is_called_one_and_its_hint_fetches_the_rest(repository: Path, tmp_path: Path) -> None:
    git("config", "uploadpack.allowFilter", "true", cwd=repository)
    git("clone", "--quiet", "--bare", "--filter=blob:none", f"file://{repository}", tmp_path / "ci.git", cwd=tmp_path)
    partial = tmp_path / "ci.git"
    with Objects(PlainGit(partial)) as objects:
        entries = objects.entries(objects.commit(tip(partial)).tree)
        with pytest.raises(RepositoryError, match="the clone is partial, made with --filter") as caught:
            objects.content(entries[0].blob, "blob")
    assert caught.value.hint
    command = caught.value.hint.removeprefix("fetch the rest: ").partition(",")[0]
    git(*command.split(" ")[1:], cwd=partial)
    with Objects(PlainGit(partial)) as objects:
        assert objects.content(entries[0].blob, "blob")


def test_a_folder_of_which_the_mode_is_padded_with_a_zero_is_a_folder(repository: Path, objects: Objects) -> None:
    inner = bytes.fromhex(git("rev-parse", "main:locations", cwd=repository))
    tree = write(repository, "tree", b"040000 locations\0" + inner)
    assert [entry.path for entry in objects.entries(tree)] == ["locations/apac.csv"]
