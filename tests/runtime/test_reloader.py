"""When files are reloaded: at each interval, and at SIGHUP."""

from __future__ import annotations

import threading

import pytest

from location_policy.runtime.reloader import Reloader
from tests.support.service import wait_until


def test_it_looks_at_once_and_again_and_again() -> None:
    seen: list[bool] = []
    reloader = Reloader([lambda *, asked: seen.append(asked)], interval=0.01)
    reloader.start()
    wait_until(lambda: len(seen) > 2)
    reloader.stop()
    assert not any(seen)


def test_who_wants_to_know_does_not_wait_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    asked_for = threading.Event()

    def look(*, asked: bool) -> None:
        if asked:
            asked_for.set()

    reloader = Reloader([look], interval=3600)
    reloader.start()
    reloader.hurry()
    assert asked_for.wait(20)
    reloader.stop()
    assert caplog.messages == ["SIGHUP: users, roles and certificates were read again, and the source is looked at"]
