"""The call history of a service: what is counted is kept, whatever becomes of the disk."""

from __future__ import annotations

import logging
import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from location_policy.calls import history as module
from location_policy.calls.history import CallHistory
from location_policy.calls.recent import recent_calls, today
from location_policy.calls.situation import Situation, merged
from location_policy.lookup import answers, decision
from location_policy.lookup.query_string import Pairs
from tests.calls.situations import ask, random_situations, situation
from tests.support.maps import EDGE, snapshot_of
from tests.support.repositories import SYDNEY
from tests.support.service import wait_until

SNAPSHOT = snapshot_of({"locations.csv": SYDNEY, "policy.toml": EDGE})
NOW = today().toordinal()


@pytest.fixture
def history(tmp_path: Path) -> Iterator[CallHistory]:
    """One that is written when it is asked to."""
    with closing(CallHistory(tmp_path, 30, interval=3600)) as one:
        yield one


def kept(path: Path) -> dict[Situation, int]:
    counts: Counter[Situation] = Counter()
    for found, calls, _ in recent_calls(path, today()):
        counts[found] += calls
    return dict(counts)


def test_equal_requests_are_counted_as_one_situation(history: CallHistory, tmp_path: Path) -> None:
    asked = {"protocol": "MSSIP", "ms-subnet": "10.61.2.0", "remote_address": "10.44.151.5", "location": "London"}
    for number in range(3):
        ask(history, SNAPSHOT, **asked, call_direction="dial_in", request_id=str(number), remote_alias="alice")
    ask(history, SNAPSHOT, **asked | {"location": "dmz"})
    history.save()
    assert kept(tmp_path) == {
        situation(): 3,
        situation(
            node_location="dmz", call_direction="", outcome="answer", location="DMZ", overflow=("Oslo",), view="edge"
        ): 1,
    }


def test_no_name_and_no_id_is_in_the_file(history: CallHistory, tmp_path: Path) -> None:
    ask(history, SNAPSHOT, protocol="sip", remote_alias="alice", local_alias="meet.bob", request_id="644d4edc")
    history.save()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert content
    for secret in (b"alice", b"meet.bob", b"644d4edc"):
        assert secret not in content


def test_what_is_no_call_is_not_counted(history: CallHistory) -> None:
    question = decision.understand(SNAPSHOT.rules, Pairs())
    for answer in (answers.not_allowed("POST"), answers.not_provided("/x"), answers.busy()):
        history.count(question, answer, None, 1)
    assert history.recent(today()) == []
    history.count(question, answers.not_ready(), None, 1)
    assert [(found.outcome, calls) for found, calls, _ in history.recent(today())] == [("not-ready", 1)]


def test_the_thread_writes_what_has_come_together(tmp_path: Path) -> None:
    with closing(CallHistory(tmp_path, 30, interval=0.01).start()) as one:
        ask(one, SNAPSHOT, protocol="sip")
        wait_until(lambda: sum(kept(tmp_path).values()) == 1)


def test_a_service_that_begins_again_goes_on_with_its_file(tmp_path: Path) -> None:
    for number in (1, 2):
        with closing(CallHistory(tmp_path, 30)) as one:
            ask(one, SNAPSHOT, protocol="sip")
        assert list(kept(tmp_path).values()) == [number]
    assert not (tmp_path / "calls-2.sqlite").exists()


def test_two_services_keep_files_of_their_own_and_both_are_read(history: CallHistory, tmp_path: Path) -> None:
    ask(history, SNAPSHOT, protocol="sip")
    history.save()
    with closing(CallHistory(tmp_path, 30)) as other:
        ask(other, SNAPSHOT, protocol="sip")
        assert [calls for _, calls, _ in other.recent(today())] == [2]
    assert (tmp_path / "calls-2.sqlite").exists()


def test_older_days_are_forgotten_and_a_clock_that_is_set_back_deletes_none(tmp_path: Path) -> None:
    with closing(CallHistory(tmp_path, 3)) as one:
        for day in range(NOW - 9, NOW + 9):
            one.take(day, {situation(): 1})
        one.save()
        assert [calls for _, calls, _ in one.recent(date.min)] == [11]


def test_counts_wait_in_memory_while_nothing_can_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = tmp_path / "state"
    with closing(CallHistory(place, 30, interval=3600)) as one, caplog.at_level(logging.INFO):
        for _ in range(3):
            ask(one, SNAPSHOT, protocol="sip")
            one.save()
        assert [calls for _, calls, _ in one.recent(today())] == [3]
        assert len(caplog.messages) == 1
        assert "call history not written" in caplog.text
        place.mkdir()
        one.save()
        assert list(kept(place).values()) == [3]
        assert one.problem is None
        assert len(caplog.messages) == 2


def test_calls_before_midnight_are_of_the_day_that_ends_then(
    history: CallHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(history, SNAPSHOT, protocol="sip")
    monkeypatch.setattr(module, "today", lambda: date.fromordinal(NOW + 1))
    ask(history, SNAPSHOT, protocol="sip")
    history.save()
    ask(history, SNAPSHOT, protocol="sip")
    assert [(calls, last) for _, calls, last in history.recent(date.min)] == [(3, NOW + 1)]
    assert [calls for _, calls, _ in history.recent(date.fromordinal(NOW + 1))] == [1]


def test_calls_are_written_on_where_the_file_was_removed(history: CallHistory, tmp_path: Path) -> None:
    for number in (1, 2):
        ask(history, SNAPSHOT, protocol="sip")
        history.save()
        assert list(kept(tmp_path).values()) == [1], number
        for path in tmp_path.glob("calls*"):
            path.unlink()
    ask(history, SNAPSHOT, protocol="sip")
    assert [calls for _, calls, _ in history.recent(today())] == [1]
    assert {path.name for path in tmp_path.iterdir()} >= {"calls.sqlite", "calls.sqlite.lock"}


def test_a_foreign_file_is_put_aside_and_that_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "calls.sqlite").write_bytes(b"location,subnet\n" * 1000)
    with closing(CallHistory(tmp_path, 30)) as one:
        for _ in range(2):
            ask(one, SNAPSHOT, protocol="sip")
            one.save()
    assert caplog.text.count("put aside") == 1
    assert (tmp_path / "calls.sqlite.aside").read_bytes().startswith(b"location")
    assert list(kept(tmp_path).values()) == [2]


def test_a_file_that_is_torn_while_it_is_written_is_put_aside_too(tmp_path: Path) -> None:
    with closing(CallHistory(tmp_path, 30)) as one:
        one.take(NOW, dict.fromkeys(random_situations(random.Random(1), 900), 1))
        one.save()
        one._shut()
        (tmp_path / "calls.sqlite").write_bytes(b"\0" * 16384)
        ask(one, SNAPSHOT, protocol="sip")
        one.save()
        one.save()
    assert list(kept(tmp_path).values()) == [1]


def test_of_too_many_situations_at_once_the_rest_are_merged(
    history: CallHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_NEW", 20)
    for number in range(100):
        ask(history, SNAPSHOT, protocol="mssip", **{"ms-subnet": f"192.0.{number // 50}.{number % 50}"})
    found = {one: calls for one, calls, _ in history.recent(today())}
    assert sum(found.values()) == 100
    assert len(found) == 22
    none = situation(ms_subnet="192.0.1.7", remote_address="", node_location="", call_direction="")
    assert found[merged(none._replace(outcome="no-match", location=None, overflow=()))] == 50


def test_without_a_state_directory_it_remembers_until_it_ends() -> None:
    with closing(CallHistory(None, 30)) as one:
        ask(one, SNAPSHOT, protocol="sip")
        one.save()
        assert [calls for _, calls, _ in one.recent(today())] == [1]


def test_a_subnet_that_was_sent_in_place_of_an_address_is_none_that_was_merged(
    history: CallHistory, tmp_path: Path
) -> None:
    for _ in range(2):
        ask(history, SNAPSHOT, **{"protocol": "h323", "ms-subnet": "10.61.2.0/24"})
    history.save()
    assert [(one.is_merged, calls) for one, calls in kept(tmp_path).items()] == [(False, 2)]


def test_the_file_and_what_stands_beside_it_are_for_owner_and_group(history: CallHistory, tmp_path: Path) -> None:
    for umask in (0, 0o77):
        before = os.umask(umask)
        try:
            ask(history, SNAPSHOT, protocol="mssip")
            history.save()
        finally:
            os.umask(before)
        modes = {
            path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("calls.sqlite*") if "lock" not in path.name
        }
        assert len(modes) == 3
        assert set(modes.values()) == {0o640}, modes
        history.close()
        for path in tmp_path.glob("calls*"):
            path.unlink()


def test_of_very_many_situations_the_rare_ones_are_told_merged(
    history: CallHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_TOLD", 10)
    often = situation(ms_subnet="10.61.255.255")
    history.take(NOW, {situation(ms_subnet=f"10.61.{at >> 8}.{at & 255}"): 1 for at in range(5_000)} | {often: 3})
    history.save()
    told = history.recent(today())
    assert sum(calls for _, calls, _ in told) == 5_003
    assert 10 <= len(told) <= 12
    assert (often, 3, NOW) in told
    assert any(one.is_merged for one, _, _ in told)
