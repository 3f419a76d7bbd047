"""Calls that a follower hands up: once each, bounded, and never believed further than they can be read."""

from __future__ import annotations

import json
import random
import zlib
from base64 import b64decode, b64encode
from collections import Counter
from contextlib import closing

import pytest

from location_policy.calls import hand_up as module
from location_policy.calls import history
from location_policy.calls.hand_up import HEADER, LONGEST, MOST_ROWS, UNPACKED, Batch, HandUp, decode, encode
from location_policy.calls.history import CallHistory
from location_policy.calls.recent import today
from location_policy.calls.situation import Situation
from tests.calls.situations import random_situations, situation

NOW = today().toordinal()
OWN = "0123456789abcdef"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One batch may follow the other."""
    monkeypatch.setattr(module, "EVERY", 0.0)


def counted(history: CallHistory) -> dict[Situation, int]:
    return {found: calls for found, calls, _ in history.recent(today())}


def test_what_is_encoded_is_decoded_again() -> None:
    batch = Batch(7, NOW, Counter(random_situations(random.Random(1), 100)))
    assert decode(encode(batch)) == batch


def test_the_service_above_comes_to_know_every_call_once() -> None:
    above = HandUp()
    with closing(CallHistory(None, 30, above=above)) as below, closing(CallHistory(None, 30)) as gate:
        expected = Counter(random_situations(random.Random(3), 3_000))
        below.take(NOW, expected)
        below.save()
        batches = 0
        while headers := above.headers():
            assert len(headers[HEADER]) <= LONGEST
            for _ in range(2):  # its answer was lost once, so it came again
                assert above.headers() == headers
                gate.hear(OWN, headers[HEADER])
            above.note_answered()
            batches += 1
        assert batches > 1
        assert counted(gate) == counted(below) == expected


def test_more_calls_than_are_believed_at_once_come_with_the_next_batch() -> None:
    above, often = HandUp(), module.LARGEST + 5
    above.add(NOW, {situation(): often})
    with closing(CallHistory(None, 30)) as gate:
        while headers := above.headers():
            gate.hear(OWN, headers[HEADER])
            above.note_answered()
        assert counted(gate) == {situation(): often}


def test_a_follower_that_begins_again_with_its_clock_set_back_is_heard() -> None:
    with closing(CallHistory(None, 30)) as gate:
        for number in (7_000, 7_001, 7_001, 3_000, 3_000, 3_001):
            gate.hear(OWN, encode(Batch(number, NOW, {situation(): 1})))
        assert counted(gate) == {situation(): 4}


def test_a_mirror_hands_on_what_was_handed_to_it() -> None:
    above = HandUp()
    with closing(CallHistory(None, 30, above=above)) as mirror:
        mirror.hear(OWN, encode(Batch(1, NOW, {situation(): 3})))
        mirror.save()
        batch = decode(above.headers()[HEADER])
        assert batch is not None
        assert batch.counts == {situation(): 3}


def test_there_is_at_most_one_batch_a_minute_and_none_soon_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY", 60.0)
    above = HandUp()
    assert above.headers() == {}
    for end in (above.note_answered, above.note_failed):
        above.add(NOW, {situation(): 1})
        above._due = 0.0
        assert HEADER in above.headers()
        end()
        above.add(NOW, {situation(): 1})
        assert above.headers() == {}


def test_a_batch_that_failed_comes_again_with_its_number() -> None:
    above = HandUp()
    above.add(NOW, {situation(): 1})
    first = above.headers()
    above.note_failed()
    above.add(NOW, {situation(): 1})
    above._due = 0.0
    assert above.headers() == first


def test_situations_that_pack_well_go_in_batches_that_are_read_quickly() -> None:
    above = HandUp()
    names = ("x" * 60,) * 9
    expected = {situation(ms_subnet=f"10.0.{one >> 8}.{one & 255}", overflow=names): 1 for one in range(3_000)}
    above.add(NOW, expected)
    found: Counter[Situation] = Counter()
    while headers := above.headers():
        batch = decode(headers[HEADER])
        assert batch is not None
        assert len(zlib.decompress(b64decode(headers[HEADER]))) <= UNPACKED
        found.update(batch.counts)
        above.note_answered()
    assert found == expected


def test_a_batch_of_very_many_situations_is_not_read() -> None:
    rows = [[*situation(), 1]] * (MOST_ROWS + 1)
    text = b64encode(zlib.compress(json.dumps([1, NOW, rows]).encode())).decode()
    assert len(text) < LONGEST
    assert decode(text) is None


def test_what_is_longer_than_a_batch_does_not_wait_to_be_read() -> None:
    with closing(CallHistory(None, 30)) as gate:
        for text in ("A" * (LONGEST + 1), "A" * LONGEST):
            gate.hear(OWN, text)
        assert [len(text) for _, text in gate._heard] == [LONGEST]


def test_what_is_heard_takes_a_processor_only_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "HEARING", 0.0)
    with closing(CallHistory(None, 30)) as gate:
        gate.hear(OWN, encode(Batch(1, NOW, {situation(): 1})))
        assert counted(gate) == {}
        monkeypatch.setattr(history, "HEARING", 2.0)
        assert counted(gate) == {situation(): 1}


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 50)
    above = HandUp()
    for day in range(5):
        above.add(NOW + day, {situation(ms_subnet=f"10.{one // 200}.{one % 200}.1"): 1 for one in range(2_000)})
    assert list(above._waiting) == [NOW + 3, NOW + 4]
    for waiting in above._waiting.values():
        assert len(waiting) <= 60
        assert sum(waiting.values()) == 2_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "====",
        "é",
        "A" * (LONGEST + 4),
        encode(Batch(1, NOW, {situation(): 1}))[:-8],
        encode(Batch(1, NOW, {situation(location=7): 1})),
        encode(Batch(1, NOW, {situation(view="x" * 1_000): 1})),
        encode(Batch(1, NOW, {situation(): -1})),
        encode(Batch(1, NOW, {situation(): 10**12})),
        encode(Batch(0, NOW, {situation(): 1})),
    ],
)
def test_what_is_no_batch_is_passed_over(text: str) -> None:
    assert decode(text) is None


@pytest.mark.parametrize("day", [1, NOW - 3, NOW + 2])
def test_a_batch_of_another_time_is_passed_over(day: int) -> None:
    with closing(CallHistory(None, 10_000)) as gate:
        gate.hear(OWN, encode(Batch(1, day, {situation(): 1})))
        assert counted(gate) == {}
