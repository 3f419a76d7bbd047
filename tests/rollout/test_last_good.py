"""The content that was served last, on disk: whole or absent, and of which repository."""

from __future__ import annotations

import hashlib
import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

from location_policy.config.files import File
from location_policy.rollout.last_good import FILE_NAME, Identity, LastGood, kept_identity, load, save
from tests.support.maps import COMMIT, files_of
from tests.support.repositories import GOOD

HERE = Identity("a1", "/srv/locations.git")
CONTENT = LastGood(HERE, COMMIT, tuple(files_of({**GOOD, "policy.toml": ""})))


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    save(tmp_path, CONTENT)
    assert load(tmp_path) == CONTENT


def test_a_content_in_many_places_is_kept_once(tmp_path: Path) -> None:
    many = LastGood(HERE, COMMIT, tuple(files_of({f"locations/{name}.csv": "# map\n" * 1_000 for name in "abcdef"})))
    save(tmp_path, many)
    assert load(tmp_path) == many
    assert (tmp_path / FILE_NAME).stat().st_size < 10_000


def test_what_was_kept_in_the_format_of_before_is_loaded(tmp_path: Path) -> None:
    content = LastGood(HERE, COMMIT, tuple(files_of({"locations/a.csv": "# a\n", "locations/b.csv": "# a\n"})))
    save(tmp_path, content)
    text = (tmp_path / FILE_NAME).read_bytes().partition(b"\n")[2]
    rest = text.replace(b'"format": 2', b'"format": 1') + b"# a\n"
    (tmp_path / FILE_NAME).write_bytes(sha256(rest).hexdigest().encode() + b"\n" + rest)
    assert load(tmp_path) == content


def test_where_nothing_was_saved_there_is_nothing(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    assert load(tmp_path / "missing") is None


def test_a_path_of_any_bytes_is_kept(tmp_path: Path) -> None:
    path = b"locations/\xff.csv".decode(errors="surrogateescape")
    content = LastGood(HERE, COMMIT, tuple(files_of({path: b"\x00\n"})))
    save(tmp_path, content)
    assert load(tmp_path) == content


def test_files_that_were_not_read_are_not_kept(tmp_path: Path) -> None:
    link = File("locations/link.csv", "symlink", 0)
    save(tmp_path, LastGood(HERE, COMMIT, (*CONTENT.files, link)))
    assert load(tmp_path) == CONTENT


def test_the_directory_is_made_where_it_is_missing(tmp_path: Path) -> None:
    save(tmp_path / "a", CONTENT)
    assert load(tmp_path / "a") == CONTENT


def test_nothing_is_left_beside_the_file(tmp_path: Path) -> None:
    save(tmp_path, CONTENT)
    save(tmp_path, CONTENT)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("cut", [1, 64, 66, 400])
def test_a_torn_file_is_refused(tmp_path: Path, cut: int) -> None:
    save(tmp_path, CONTENT)
    path = tmp_path / FILE_NAME
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(ValueError, match="not whole"):
        load(tmp_path)


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    save(tmp_path, CONTENT)
    path = tmp_path / FILE_NAME
    path.write_bytes(path.read_bytes().replace(b"10.61.2.0", b"10.61.9.0"))
    with pytest.raises(ValueError, match="not whole"):
        load(tmp_path)


def test_the_file_of_another_version_is_refused(tmp_path: Path) -> None:
    rest = json.dumps({"format": 99}).encode() + b"\n"
    (tmp_path / FILE_NAME).write_bytes(sha256(rest).hexdigest().encode() + b"\n" + rest)
    with pytest.raises(ValueError, match="format 99 is of another version"):
        load(tmp_path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(ValueError, match="is not a regular file"):
        load(tmp_path)


def test_a_link_is_not_followed_and_is_replaced(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).symlink_to(tmp_path / "other")
    with pytest.raises(ValueError, match="last-good is a symbolic link"):
        load(tmp_path)
    save(tmp_path, CONTENT)
    assert load(tmp_path) == CONTENT
    assert not (tmp_path / "other").exists()


def test_a_place_that_cannot_be_written_keeps_what_it_has(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(OSError, match="directory"):
        save(tmp_path, CONTENT)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (Identity("a1", "/moved"), True),
        (Identity("b2", "/srv/locations.git"), False),
        (Identity("", "/srv/locations.git"), True),
        (Identity("", "/moved"), False),
    ],
)
def test_a_repository_is_known_by_its_id_and_without_one_by_its_place(other: Identity, *, is_same: bool) -> None:
    assert HERE.is_same(other) is is_same
    assert other.is_same(HERE) is is_same


def test_the_copy_of_a_remote_is_known_wherever_its_state_directory_is() -> None:
    here, other = "/srv/state/mirror-0123456789ab.git", "/srv/state/mirror-ba9876543210.git"
    moved = Identity("", "/mnt/state/mirror-0123456789ab.git")
    assert Identity("", here).is_same(moved)
    assert Identity("", here).is_here(moved)
    assert not Identity("", other).is_here(moved)


@pytest.mark.parametrize("header", [b'{"format": 1}', b'{"format": 1, "repository": {"x": 1}}', b"[]", b"no json"])
def test_the_work_of_another_version_is_told_apart(tmp_path: Path, header: bytes) -> None:
    rest = header + b"\n"
    (tmp_path / FILE_NAME).write_bytes(hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest)
    with pytest.raises(ValueError, match=r"another version|Expecting value"):
        load(tmp_path)


def test_a_repository_that_was_moved_away_does_not_come_back_as_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        save(tmp_path / "locations.git" / "location-policy", CONTENT)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(10)
def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / FILE_NAME)
    assert kept_identity(tmp_path) is None
