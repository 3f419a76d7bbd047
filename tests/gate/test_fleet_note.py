"""What a service writes of its followers is read by those beside it, waited for, and passed over when it is old."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from location_policy.gate import fleet_note
from location_policy.gate.fleet_note import FleetNote, read_notes, remove_note, wait_for_followers, write_note
from location_policy.gate.push_log import FOLDER

OLD, NEW = "a" * 40, "b" * 40
DONE = FleetNote(NEW, "", 3, 0, 3, 0.0, ())
LATE = FleetNote(NEW, "", 1, 0, 2, 0.0, ("web-2 answers from aaaaaaaaaa (unreachable)",))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(fleet_note, "PATIENCE", 0.3)
    (tmp_path / "refs").mkdir()
    return tmp_path


def said(repository: Path, commit: str = NEW, **more: bool) -> list[str]:
    return [*wait_for_followers(repository, commit, time.time(), **more)]


def test_where_none_is_followed_nothing_is_said(repository: Path) -> None:
    began = time.monotonic()
    assert said(repository) == []
    assert time.monotonic() - began < 0.2


def test_where_all_have_it_that_is_said_at_once(repository: Path) -> None:
    began = time.time()
    write_note(repository, "1", DONE._replace(since=began + 0.4))
    assert [*wait_for_followers(repository, NEW, began)] == ["active at 3 of 3 replicas after 0.4 s"]
    write_note(repository, "2", DONE._replace(at=1, total=1, since=began + 1.2))
    assert [*wait_for_followers(repository, NEW, began)] == ["active at 4 of 4 replicas after 1.2 s"]
    remove_note(repository, "1")
    assert [*wait_for_followers(repository, NEW, began)] == ["active at 1 of 1 replica after 1.2 s"]


def test_after_the_time_it_is_said_who_has_it_not(repository: Path) -> None:
    write_note(repository, "1", LATE)
    assert said(repository) == [
        "active at 1 of 2 replicas after 0.3 s",
        "  web-2 answers from aaaaaaaaaa (unreachable)",
    ]
    write_note(repository, "1", LATE._replace(refused=1, since=time.time(), late=("web-2 rejects it: it is bad",)))
    began = time.monotonic()
    assert said(repository)[1] == "  web-2 rejects it: it is bad"
    assert time.monotonic() - began < 0.3


def test_where_another_commit_is_in_force_that_is_said_and_of_a_pin_at_once(repository: Path) -> None:
    write_note(repository, "1", DONE._replace(commit=OLD))
    assert said(repository) == ["not active after 0.3 s: aaaaaaaaaa is"]
    write_note(repository, "1", DONE._replace(commit=OLD, held="aaaaaaaaaa is pinned until noon"))
    began = time.monotonic()
    assert said(repository, heeds_pin=True) == ["not active yet: aaaaaaaaaa is pinned until noon"]
    assert time.monotonic() - began < 0.3
    assert said(repository) == ["not active after 0.3 s: aaaaaaaaaa is"]


def test_what_another_has_written_is_shown_escaped_and_no_longer(repository: Path) -> None:
    write_note(repository, "1", LATE._replace(late=["\x1b[2Jweb"] * 9))
    assert said(repository) == ["active at 1 of 2 replicas after 0.3 s", *["  \\x1b[2Jweb"] * 5]
    (repository / FOLDER / "followers-1").write_text(f"{NEW}\t\t{'9' * 5000}\t0\t1\t0")
    assert said(repository) == []


def test_what_is_old_or_no_note_is_passed_over_and_cleared_away(repository: Path) -> None:
    write_note(repository, "1", DONE)
    write_note(repository, "2", DONE)
    for name, content in (("x", b""), ("y", b"\xff" * 100), ("z", b"a\tb\tc\td\te\tf")):
        (repository / FOLDER / f"followers-{name}").write_bytes(content)
    (repository / FOLDER / "followers-link").symlink_to(repository / FOLDER / "followers-1")
    assert len(read_notes(repository)) == 2
    long_ago = time.time() - 100
    os.utime(repository / FOLDER / "followers-2", (long_ago, long_ago))
    assert len(read_notes(repository)) == 1
    remove_note(repository, "3")
    assert not (repository / FOLDER / "followers-2").exists()
    assert len(read_notes(repository)) == 1
