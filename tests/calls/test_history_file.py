"""The file of a call history: what is added is read, whole days go, and no more rows are kept than may be."""

from __future__ import annotations

import os
import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from location_policy.calls.history_file import HistoryFile, UnusableHistory, read_history
from location_policy.calls.history_places import put_aside
from location_policy.calls.situation import Situation, merged, rest
from tests.calls.situations import random_situations, situation

DAY = 739_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.sqlite"


def test_what_is_added_is_read_again_exactly(path: Path) -> None:
    chosen = random.Random(19)
    expected: Counter[Situation] = Counter()
    last: dict[Situation, int] = {}
    with closing(HistoryFile(path)) as file:
        for day in (DAY, DAY + 1, DAY + 2):
            for _ in range(3):
                counts = Counter(random_situations(chosen, 200))
                file.add(day, counts)
                expected += counts
                last.update(dict.fromkeys(counts, day))
        found = list(read_history(path, DAY))
    assert {one: (calls, day) for one, calls, day in found} == {one: (expected[one], last[one]) for one in expected}
    assert len(found) == len(expected)
    assert sum(calls for _, calls, _ in read_history(path, DAY + 1)) == 1200


def test_a_day_that_is_over_is_forgotten_with_what_only_it_had(path: Path) -> None:
    with closing(HistoryFile(path)) as file:
        file.add(DAY, {situation(): 2, situation(protocol="sip"): 1})
        file.add(DAY + 1, {situation(): 3})
        file.forget(DAY + 1)
    assert list(read_history(path, 0)) == [(situation(), 3, DAY + 1)]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM situations").fetchone() == (1,)
        assert connection.execute("SELECT day, calls FROM days").fetchall() == [(DAY + 1, 3)]


def test_where_there_are_too_many_the_rare_ones_of_the_day_are_merged_and_no_call_is_lost(path: Path) -> None:
    often = {situation(ms_subnet=f"10.1.{number}.1"): 100 for number in range(20)}
    rare = {situation(ms_subnet=f"10.2.{number // 200}.{number % 200}"): 1 for number in range(600)}
    with closing(HistoryFile(path, most=100)) as file:
        file.add(DAY, often)
        file.add(DAY, rare)
    found = {one: calls for one, calls, _ in read_history(path, DAY)}
    assert len(found) <= 100
    assert sum(found.values()) == 2600
    assert often.items() <= found.items()
    networks = {merged(one) for one in rare}
    assert {one for one in found if one.is_merged} == networks
    assert found.keys() - often.keys() - networks <= rare.keys()


def test_where_networks_are_too_many_too_one_row_for_each_answer_is_left(path: Path) -> None:
    far = {situation(ms_subnet=f"10.{number // 250}.{number % 250}.1"): 1 for number in range(600)}
    with closing(HistoryFile(path, most=100)) as file:
        for _ in range(3):
            file.add(DAY, far)
    found = {one: calls for one, calls, _ in read_history(path, DAY)}
    assert len(found) <= 100
    assert sum(found.values()) == 1800
    assert rest(situation()) in found


def test_what_fails_half_way_adds_nothing(path: Path) -> None:
    with closing(HistoryFile(path)) as file:
        file.add(DAY, {situation(): 1})
        with pytest.raises(OverflowError):
            file.add(DAY, {situation(): 1, situation(view="x"): 2**70})
        file.add(DAY, {situation(): 1})
    assert list(read_history(path, 0)) == [(situation(), 2, DAY)]


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 9")


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE x (y)")


def torn(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 4096)


def text(path: Path) -> None:
    path.write_bytes(b"location,subnet\n" * 1000)


def zeros(path: Path) -> None:
    path.write_bytes(bytes(8192))


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (newer, "it is of version 9, and 1 is known here"),
        (foreign, "it is of another program"),
        (torn, "it is damaged"),
        (text, "it is damaged"),
        (zeros, "it is damaged"),
        (pipe, "it is no file"),
        (folder, "it is no file"),
    ],
)
def test_a_file_that_is_no_history_is_refused_and_can_be_put_aside(
    path: Path, spoil: Callable[[Path], None], why: str
) -> None:
    with closing(HistoryFile(path)) as file:
        file.add(DAY, dict.fromkeys(random_situations(random.Random(1), 500), 1))
    spoil(path)
    with pytest.raises(UnusableHistory, match=why):
        HistoryFile(path)
    put_aside(path)
    assert [one.name for one in path.parent.iterdir()] == ["calls.sqlite.aside"]
    with closing(HistoryFile(path)) as file:
        file.add(DAY, {situation(): 1})
