"""Looks that are asked for: numbered, shared, repeated after a knock, and what became of each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from location_policy.gate.pin import keep_pin
from location_policy.repository.new_commits import Author
from location_policy.repository.remote.mirror import Mirror
from location_policy.repository.repository import open_repository
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState
from location_policy.rollout.sync import syncs as module
from location_policy.rollout.sync.sync_file import hold, holder, keep_sync, kept_sync
from location_policy.rollout.sync.syncs import KEPT, Sync, Syncs
from tests.support.repositories import BAD, GOOD, force_commit, git, make_repository, tip
from tests.support.service import wait_until


class Looks:
    """A mirror of a remote that is looked at when a test says so, and what was asked of it."""

    def __init__(self, remote: Path, folder: Path) -> None:
        mirror = self.mirror = Mirror(remote.as_uri(), folder, "main", interval=1000)
        mirror.make()
        active = ActiveState()
        refresher = Refresher(mirror.directory, active, folder, mirror)
        self.told: list[Sync] = []
        self.hurries = 0

        def hurry() -> None:
            self.hurries += 1
            mirror.hurry()

        self.syncs = Syncs(active, hurry, self.told.append)
        self.look: Callable[[], None] = self.syncs.around(refresher.look)

    def asked(self, *, is_knock: bool = False) -> Sync:
        """What becomes of one that is asked for now."""
        number = self.syncs.ask(is_knock=is_knock)
        self.look()
        found = self.syncs.find(number)
        assert found
        return found


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "remote.git", GOOD)


@pytest.fixture
def looks(remote: Path, tmp_path: Path) -> Looks:
    made = Looks(remote, tmp_path / "state")
    made.look()
    return made


def test_what_is_asked_for_finds_a_new_tip_though_no_fetch_is_due(looks: Looks, remote: Path) -> None:
    new = force_commit(remote, {"locations.csv": "Perth,10.61.2.0/24\n"})
    looks.look()
    sync = looks.asked()
    assert (sync.tip, sync.result, sync.message) == (new, "in-force", None)
    assert sync.began_at
    assert sync.looked_at
    assert sync.asked_at <= sync.began_at <= sync.looked_at
    assert looks.told == [sync]


def test_what_is_not_valid_is_refused_with_its_problems(looks: Looks, remote: Path) -> None:
    bad = force_commit(remote, BAD)
    sync = looks.asked()
    assert (sync.tip, sync.result) == (bad, "refused")
    assert sync.problems
    assert sync.message
    assert sync.fields()["total"] == len(sync.problems)


def test_an_older_tip_waits_for_a_later_look(looks: Looks, remote: Path) -> None:
    old, new = tip(remote), force_commit(remote, {"locations.csv": "Perth,10.61.2.0/24\n"})
    assert looks.asked().tip == new
    git("update-ref", "refs/heads/main", old, cwd=remote)
    sync = looks.asked()
    assert (sync.tip, sync.result) == (old, "waiting")
    assert sync.message == "it waits: it is taken once a later look says the same"


def test_a_source_without_a_commit_was_reached(tmp_path: Path) -> None:
    git("init", "--quiet", "--bare", tmp_path / "empty.git", cwd=tmp_path)
    sync = Looks(tmp_path / "empty.git", tmp_path / "state").asked()
    assert (sync.tip, sync.result, sync.message, sync.hint) == (
        None,
        "waiting",
        "the source has no commit yet",
        "push one",
    )


def test_a_remote_that_is_away_is_unreachable(looks: Looks, remote: Path) -> None:
    remote.rename(remote.with_name("away.git"))
    assert looks.asked().result == "unreachable"


def test_all_who_ask_before_a_look_share_it(looks: Looks) -> None:
    assert {looks.syncs.ask(is_knock=True) for _ in range(1000)} == {1}
    looks.look()
    assert looks.hurries == 1
    assert looks.syncs.ask() == 2


def test_who_asks_amid_a_look_gets_the_next_one() -> None:
    numbers: list[int] = []
    active = ActiveState()
    syncs = Syncs(active, lambda: None, lambda _: None)
    look = syncs.around(lambda: numbers.append(syncs.ask()))
    syncs.ask()
    look()
    look()
    assert numbers == [2, 3]


def test_knocks_cause_no_two_looks_in_a_second_and_none_is_lost(
    looks: Looks, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[None] = []
    looks.syncs.wake = lambda: woken.append(None)
    monkeypatch.setattr(module, "APART", 2.0)
    assert looks.asked(is_knock=True).number == 1
    new = force_commit(remote, {"locations.csv": "Perth,10.61.2.0/24\n"})
    waiting = looks.asked(is_knock=True)
    assert (waiting.number, waiting.result, looks.hurries) == (2, None, 1)
    wait_until(lambda: len(woken) == 3)
    looks.look()
    found = looks.syncs.find(2)
    assert found
    assert (found.tip, looks.hurries) == (new, 2)


def test_a_look_that_is_asked_for_waits_for_no_knock(looks: Looks) -> None:
    looks.asked(is_knock=True)
    looks.syncs.ask(is_knock=True)
    assert looks.asked().result == "in-force"


def test_no_more_than_the_last_ones_are_remembered(looks: Looks) -> None:
    for _ in range(KEPT + 1):
        looks.syncs.ask()
        looks.syncs._take()
    assert looks.syncs.find(1) is None
    assert looks.syncs.find(2)


def test_after_a_knock_that_finds_nothing_new_it_looks_again(
    looks: Looks, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN", (0.0, 0.0, 1000.0))
    old = looks.asked(is_knock=True)
    assert (old.tip, old.result) == (tip(remote), "in-force")
    looks.look()
    new = force_commit(remote, {"locations.csv": "Perth,10.61.2.0/24\n"})
    looks.look()
    found = looks.syncs.find(old.number)
    assert found
    assert found.tip == new
    looks.look()
    assert looks.hurries == 3


def test_a_knock_that_finds_something_new_is_looked_at_once(
    looks: Looks, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN", (0.0,))
    force_commit(remote, {"locations.csv": "Perth,10.61.2.0/24\n"})
    looks.asked(is_knock=True)
    looks.look()
    assert looks.hurries == 1


def test_the_process_that_serves_is_known_by_its_lock(tmp_path: Path) -> None:
    assert holder(tmp_path) is None
    lock = hold(tmp_path)
    assert lock is not None
    assert (tmp_path / "serving").stat().st_mode & 0o777 == 0o640


def test_what_became_of_it_is_kept_for_commands(looks: Looks, tmp_path: Path) -> None:
    sync = looks.asked()
    keep_sync(tmp_path, sync)
    assert kept_sync(tmp_path) == sync.fields()
    (tmp_path / "sync.json").write_text("[")
    assert kept_sync(tmp_path) == {}
    keep_sync(tmp_path / "gone", sync)


def test_while_a_commit_is_held_by_hand_what_is_found_waits(looks: Looks, remote: Path) -> None:
    held = tip(remote)
    with open_repository(looks.mirror.directory) as repository:
        pin = keep_pin(repository, held, Author("Alice", "alice@example.com"), timedelta(hours=1), "why")
    sync = looks.asked()
    assert (sync.tip, sync.result, sync.message) == (held, "in-force", pin.told())
    new = force_commit(remote, {"locations.csv": "Perth,10.61.2.0/24\n"})
    sync = looks.asked()
    assert (sync.tip, sync.result, sync.message) == (new, "pinned", f"it waits: {pin.told()}")
