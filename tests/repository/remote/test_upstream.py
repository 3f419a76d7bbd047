"""Two services behind one name."""

from __future__ import annotations

import pytest

from location_policy.repository.remote.failures import RemoteError
from location_policy.repository.remote.upstream import TWICE, OneService, ServiceTip

URL = "https://up.example.com/locations.git"
NEW, OLD = "2" * 40, "1" * 40
A, B = "a" * 16, "b" * 16


class Clock:
    """Seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def take(rule: OneService, service: str, commit: str) -> None:
    """What a service tells; one commit lies ahead of the other."""
    rule.require(URL, ServiceTip("main", commit, service), lambda: commit == NEW)


def test_the_older_of_two_is_followed_back_once_in_a_minute() -> None:
    clock = Clock()
    rule = OneService(clock)
    for service, commit in ((A, NEW), (B, OLD), (A, NEW)):
        take(rule, service, commit)
    with pytest.raises(RemoteError, match=f"is two services that disagree, {A} and {B}: 1111111111 is not taken"):
        take(rule, B, OLD)
    take(rule, A, NEW)
    clock.now = TWICE
    take(rule, B, OLD)


def test_one_service_goes_back_as_often_as_it_likes() -> None:
    rule = OneService()
    for commit in (NEW, OLD, NEW, OLD, NEW, OLD):
        take(rule, A, commit)


def test_two_that_agree_and_two_of_which_each_is_ahead_are_followed() -> None:
    rule = OneService()
    for service, commit in ((A, OLD), (B, OLD), (A, OLD), (B, NEW), (A, NEW)):
        take(rule, service, commit)
