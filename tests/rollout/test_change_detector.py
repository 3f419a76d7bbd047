"""When git is asked: at first, when a file has changed, for a while after that, and now and then to be sure."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from location_policy.repository.fingerprint import DecidingFiles
from location_policy.rollout import change_detector
from location_policy.rollout.change_detector import CERTAIN, SETTLING, ChangeDetector


@dataclass
class Clock:
    """The monotonic clock, as it is set."""

    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now


@dataclass
class Source:
    """One file that decides, and who watches it."""

    path: Path
    clock: Clock
    detector: ChangeDetector = field(default_factory=ChangeDetector)

    def ask_git(self, *more: Path) -> None:
        self.detector.end(self.detector.begin(), DecidingFiles((self.path, *more), ()))

    def rest(self) -> None:
        """Until nothing is asked any more."""
        while self.detector.has_changed():
            self.ask_git()
            self.clock.now += 1.0

    def replace(self) -> None:
        """As git moves a ref."""
        new = self.path.with_suffix(".lock")
        new.write_text("x")
        new.replace(self.path)


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    clock = Clock()
    monkeypatch.setattr(change_detector, "time", clock)
    source = Source(tmp_path / "HEAD", clock)
    source.replace()
    return source


def test_git_is_asked_at_first(source: Source) -> None:
    assert source.detector.has_changed()


def test_at_rest_git_is_not_asked(source: Source) -> None:
    source.rest()
    source.clock.now += CERTAIN / 2
    assert not source.detector.has_changed()


def test_a_change_is_seen_at_once(source: Source) -> None:
    source.rest()
    source.replace()
    assert source.detector.has_changed()


def test_after_a_change_git_is_asked_for_a_while(source: Source) -> None:
    source.rest()
    source.replace()
    changed_at = source.clock.now
    asked = []
    while source.detector.has_changed():
        asked.append(source.clock.now - changed_at)
        source.ask_git()
        source.clock.now += 0.7
    assert asked[-1] >= SETTLING
    assert len(asked) > 2


def test_git_is_asked_now_and_then_to_be_sure(source: Source) -> None:
    source.rest()
    source.clock.now += CERTAIN
    assert source.detector.has_changed()
    source.ask_git()
    assert not source.detector.has_changed()


def test_what_changes_while_git_is_asked_is_seen_next(source: Source) -> None:
    source.rest()
    begun = source.detector.begin()
    source.replace()
    source.detector.end(begun, DecidingFiles((source.path,), ()))
    assert source.detector.has_changed()


def test_other_files_that_decide_are_looked_at_once_more(source: Source, tmp_path: Path) -> None:
    source.rest()
    source.ask_git(tmp_path / "more")
    source.clock.now += 2 * SETTLING
    assert source.detector.has_changed()


def test_files_that_are_not_all_known_are_never_trusted(source: Source) -> None:
    source.rest()
    for _ in range(5):
        source.detector.end(source.detector.begin(), DecidingFiles((source.path,), (), is_complete=False))
        source.clock.now += 1.0
    assert source.detector.has_changed()
