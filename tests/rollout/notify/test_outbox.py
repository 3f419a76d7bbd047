"""The queue of changes that are to be delivered: bounded, tried again, and soon at its end."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from location_policy.integrations.notify.delivery import NotDelivered
from location_policy.integrations.notify.event import KINDS, Event, Kind
from location_policy.repository.remote.schedule import Schedule
from location_policy.rollout.notify import outbox as queue
from location_policy.rollout.notify.changes import Change
from location_policy.rollout.notify.outbox import MOST, Outbox
from tests.integrations.notify.receiving import EVENT, HIDDEN, Say, hangs, receiver_of, running_receiver, status
from tests.support.service import wait_until


def change(kind: Kind = "active", value: str = "") -> Change:
    return Change(kind, value, replace(EVENT, kind=kind, id=f"msg_{kind}{value}"))


class Sending:
    """Takes events, once it has answered so; and what was done."""

    def __init__(self, *answers: NotDelivered) -> None:
        self.answers = list(answers)
        self.seen: list[str] = []
        self.done: list[Change] = []
        self.gate = threading.Event()
        self.gate.set()
        self.outbox = Outbox(lambda: "hooks.example.com", self.send, self.done.append, Schedule(0.01))

    def send(self, event: Event) -> NotDelivered | None:
        self.gate.wait(10)
        self.seen.append(event.id)
        return self.answers.pop(0) if self.answers else None


@pytest.fixture
def sending() -> Iterator[Sending]:
    one = Sending()
    one.outbox.start()
    yield one
    one.gate.set()
    one.outbox.stop()


def test_what_is_not_taken_is_tried_again_as_the_same_and_then_the_next(sending: Sending) -> None:
    sending.answers += [NotDelivered("status 500")] * 3
    sending.outbox.put(change("refused"))
    sending.outbox.put(change("active"))
    wait_until(lambda: len(sending.done) == 2)
    assert sending.seen == ["msg_refused"] * 4 + ["msg_active"]
    assert (sending.outbox.sent, sending.outbox.failed, sending.outbox.waiting) == (2, 0, 0)
    assert sending.outbox.last_error
    assert sending.outbox.last_error.message == "status 500"


def test_what_can_never_be_taken_is_given_up_and_told(sending: Sending, caplog: pytest.LogCaptureFixture) -> None:
    sending.answers.append(NotDelivered("status 404", is_final=True))
    sending.outbox.put(change("refused"))
    wait_until(lambda: sending.outbox.failed == 1)
    assert "not notified to=hooks.example.com event=refused: status 404" in caplog.text
    wait_until(lambda: len(sending.done) == 1)


def test_a_receiver_that_stays_away_is_told_of_once_and_given_up_in_the_end(
    sending: Sending, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending.answers += [NotDelivered("status 502")] * 5
    sending.outbox.put(change("refused"))
    wait_until(lambda: sending.outbox.sent == 1)
    assert caplog.text.count("status 502; it is tried again") == 1
    monkeypatch.setattr(queue, "PATIENCE", 0.0)
    sending.answers += [NotDelivered("status 502")] * 5
    sending.outbox.put(change("active"))
    wait_until(lambda: sending.outbox.failed == 1)


def test_a_receiver_is_left_alone_as_long_as_it_asks(sending: Sending) -> None:
    sending.answers.append(NotDelivered("status 429", after=0.3))
    began = time.monotonic()
    sending.outbox.put(change())
    wait_until(lambda: sending.outbox.sent == 1)
    assert time.monotonic() - began >= 0.3


def test_a_flood_is_bounded_and_the_newest_of_each_kind_is_told(sending: Sending) -> None:
    sending.gate.clear()
    sending.outbox.put(change("reachable", "first"))
    wait_until(lambda: not sending.outbox._queue)
    for kind in KINDS:
        for number in range(200):
            sending.outbox.put(change(kind, str(number)))
    assert sending.outbox.waiting == MOST + 1
    sending.gate.set()
    wait_until(lambda: sending.outbox.waiting == 0)
    assert sending.outbox.dropped == len(KINDS) * 200 - MOST
    assert {f"msg_{kind}199" for kind in KINDS} <= set(sending.seen)
    assert max(Counter(sending.seen).values()) == 1


def test_to_put_never_waits_for_a_receiver(sending: Sending) -> None:
    sending.gate.clear()
    began = time.monotonic()
    for number in range(1_000):
        sending.outbox.put(change(value=str(number)))
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("say", [hangs, status(429, Retry_After="600"), status(500)], ids=["hangs", "429", "500"])
def test_it_ends_soon_whatever_a_receiver_does(say: Say) -> None:
    with running_receiver(None, *[say] * 100) as inbox:
        outbox = Outbox(lambda: "127.0.0.1", receiver_of(inbox.url).send, lambda _: None, Schedule(60)).start()
        outbox.put(change())
        wait_until(lambda: len(inbox.says) < 100)
        began = time.monotonic()
        outbox.stop()
        assert time.monotonic() - began < 2.5
        assert outbox.waiting == 1


def test_a_fault_of_ours_ends_nothing_and_tells_no_value(sending: Sending, caplog: pytest.LogCaptureFixture) -> None:
    def send(event: Event) -> NotDelivered | None:
        raise ValueError(HIDDEN) if event.kind == "refused" else KeyError(HIDDEN)

    outbox = Outbox(lambda: "hooks.example.com", send, sending.done.append).start()
    outbox.put(change("refused"))
    outbox.put(change("active"))
    wait_until(lambda: outbox.failed == 2)
    outbox.stop()
    assert HIDDEN not in caplog.text
    assert "ValueError" in caplog.text
