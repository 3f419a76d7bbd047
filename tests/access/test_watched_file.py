"""A file that is read again when it changes."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from location_policy.access.watched_file import LARGEST, WatchedFile
from location_policy.errors import CannotStart, UnusableFile
from location_policy.problems import Problem


def read(content: bytes, path: str) -> str:
    if b"wrong" in content:
        raise UnusableFile(path, [Problem(path, number, 1, "bad", "it is wrong", "mend it") for number in (1, 2)])
    return content.decode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("one")
    return tmp_path / "file"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def test_a_change_is_seen_and_told_once(path: Path, log: pytest.LogCaptureFixture) -> None:
    kept = WatchedFile(path, read)
    kept.look()
    assert (kept.value, log.messages) == ("one", [])
    path.write_text("two")
    kept.look()
    kept.look()
    kept.look(asked=True)
    assert (kept.value, log.messages) == ("two", [f"read again file={path}"])


def test_a_broken_file_leaves_the_old_in_force_and_is_told_once(path: Path, log: pytest.LogCaptureFixture) -> None:
    kept = WatchedFile(path, read)
    path.write_text("wrong")
    kept.look()
    kept.look()
    assert (kept.value, len(log.messages)) == ("one", 2)
    assert log.messages[0] == f"the old one stays in use: {path}:1:1: error: it is wrong [bad]"
    kept.look(asked=True)
    assert len(log.messages) == 4
    path.write_text("one")
    kept.look()
    assert kept.value == "one"


def test_a_file_that_goes_and_comes_back_is_told_once(path: Path, log: pytest.LogCaptureFixture) -> None:
    kept = WatchedFile(path, read)
    path.unlink()
    kept.look()
    kept.look()
    assert log.messages == [f"the old one stays in use: {path} cannot be read: No such file or directory"]
    path.write_bytes(b"x" * (LARGEST + 1))
    kept.look()
    assert log.messages[1].endswith("cannot be read: it is larger than 1,048,576 bytes")
    path.write_text("back")
    kept.look()
    assert kept.value == "back"


def test_at_first_it_must_be_right(path: Path) -> None:
    with pytest.raises(CannotStart, match="none cannot be read: No such file"):
        WatchedFile(path.with_name("none"), read)
    path.write_text("wrong")
    with pytest.raises(UnusableFile):
        WatchedFile(path, read)
