"""What clients do not read is bounded for all connections together; the one that reads least is cut."""

from __future__ import annotations

import logging

import pytest

from location_policy.server.unread import Unread


class Clock:
    """The time of a loop."""

    def time(self) -> float:
        return 100.0


class Reader:
    """A connection, which is cut or not."""

    def __init__(self) -> None:
        self.loop, self.transport, self.is_cut = Clock(), self, False

    def abort(self) -> None:
        self.is_cut = True


def cut(*readers: Reader) -> list[bool]:
    return [reader.is_cut for reader in readers]


def test_the_one_with_the_most_loses_the_connection_that_has_waited_longest() -> None:
    unread, slow, fair, slower, slowest = Unread(100), Reader(), Reader(), Reader(), Reader()
    unread.add(fair, "user ben", 30)
    for reader in (slow, slower):
        unread.add(reader, "user ana", 35)
    assert cut(slow, slower, fair) == [False, False, False]
    unread.add(slowest, "user ana", 35)
    assert cut(slow, slower, slowest, fair) == [True, False, False, False]


def test_what_was_read_makes_room() -> None:
    unread, one, other = Unread(100), Reader(), Reader()
    unread.add(one, "user ana", 80)
    unread.remove(one)
    unread.remove(one)
    unread.add(other, "user ana", 80)
    unread.add(other, "user ana", 90)  # it waits once more: that counts once
    assert cut(one, other) == [False, False]


def test_an_answer_that_is_too_large_by_itself_is_sent_in_the_place_of_others() -> None:
    unread, one, large = Unread(100), Reader(), Reader()
    unread.add(one, "user ben", 10)
    unread.add(large, "user ana", 400)
    assert cut(one, large) == [True, False]


def test_it_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    unread = Unread(100)
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            unread.add(Reader(), "user ana", 60)
    assert [record.message for record in caplog.records] == [
        "answers of 120 bytes in all are not read: connections are cut"
    ]
