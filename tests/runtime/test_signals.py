"""A signal that is to end the process waits for the block that it comes in."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from types import FrameType

import pytest

from location_policy.runtime.signals import ending_later


class Ended(Exception):
    """What the handler of these tests raises."""


@pytest.fixture(autouse=True)
def _handler() -> Iterator[None]:
    def end(number: int, _: FrameType | None) -> None:
        raise Ended(number)

    before = signal.signal(signal.SIGTERM, end)
    yield
    signal.signal(signal.SIGTERM, before)


def test_it_comes_once_after_the_block() -> None:
    done = []

    def work() -> None:
        with ending_later():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)
            done.append(1)
        done.append(2)  # pragma: no cover  the signal comes before

    with pytest.raises(Ended):
        work()
    assert done == [1]
    with pytest.raises(Ended):  # as before the block
        signal.raise_signal(signal.SIGTERM)


def test_an_error_in_the_block_goes_its_way() -> None:
    with pytest.raises(ValueError, match="mine"), ending_later():
        raise ValueError("mine")


def test_in_another_thread_nothing_is_changed() -> None:
    found = []

    def work() -> None:
        with ending_later():
            found.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [before]
