"""The files of call histories that no service uses any more."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from location_policy.calls.history import CallHistory
from location_policy.calls.history_file import HistoryFile, read_history
from location_policy.calls.recent import today
from tests.calls.situations import situation

NOW = today().toordinal()
LONG_AGO = time.time() - 40 * 24 * 60 * 60


def make(path: Path, days: Sequence[int]) -> Path:
    with closing(HistoryFile(path)) as file:
        for day in days:
            file.add(day, {situation(): 1})
    return path


def spoil(path: Path, written: float) -> Path:
    path.write_bytes(b"location,subnet\n" * 1000)
    os.utime(path, (written, written))
    return path


def begin(folder: Path) -> None:
    """A service that writes once."""
    with closing(CallHistory(folder, 30)) as one:
        one.take(NOW, {situation(): 1})
        one.save()


def test_old_days_go_from_a_file_that_no_service_uses_and_a_file_without_calls_goes(tmp_path: Path) -> None:
    some, none = make(tmp_path / "calls-2.sqlite", [NOW - 60, NOW - 5]), make(tmp_path / "calls-3.sqlite", [NOW - 60])
    begin(tmp_path)
    assert list(read_history(some, 0)) == [(situation(), 1, NOW - 5)]
    assert not none.exists()


def test_the_file_of_another_service_is_left_to_it(tmp_path: Path) -> None:
    with closing(CallHistory(tmp_path, 90)) as other:
        for day in (NOW - 60, NOW):
            other.take(day, {situation(): 1})
        other.save()
        begin(tmp_path)
        assert list(read_history(tmp_path / "calls.sqlite", 0)) == [(situation(), 2, NOW)]


@pytest.mark.parametrize("name", ["calls.sqlite.aside", "calls-2.sqlite", "calls-4.sqlite.aside"])
def test_what_cannot_be_read_goes_once_it_is_as_old_as_calls_become(tmp_path: Path, name: str) -> None:
    path = spoil(tmp_path / name, time.time() - 24 * 60 * 60)
    for _ in range(2):
        begin(tmp_path)
    assert path.exists()
    spoil(path, LONG_AGO)
    begin(tmp_path)
    assert not path.exists()
    assert (tmp_path / "calls.sqlite").exists()


def test_a_folder_in_place_of_a_file_is_nothing_to_be_deleted(tmp_path: Path) -> None:
    (tmp_path / "calls.sqlite.aside").mkdir()
    os.utime(tmp_path / "calls.sqlite.aside", (LONG_AGO, LONG_AGO))
    begin(tmp_path)
    assert (tmp_path / "calls.sqlite.aside").is_dir()
