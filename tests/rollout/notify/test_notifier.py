"""Changes of a repository that is followed, each told once, by real looks at it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from location_policy.gate.pin import keep_pin
from location_policy.integrations.notify.event import KINDS, Sender
from location_policy.repository.new_commits import Author
from location_policy.repository.repository import open_repository
from location_policy.rollout.notify.notifier import Notifier
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState, now
from tests.integrations.notify.receiving import Inbox, receiver_of, running_receiver, status
from tests.support.repositories import BAD, GOOD, force_commit, git, make_repository
from tests.support.service import wait_until

BETTER = {"locations/apac.csv": "Perth,10.61.2.0/24\n"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", GOOD)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with running_receiver() as one:
        yield one


class Following:
    """A service without its process: each look asks the repository, and then tells."""

    def __init__(self, repository: Path, inbox: Inbox, ends: datetime | None = None) -> None:
        self.active = ActiveState()
        self.ends = ends
        state = repository.parent / "state"
        state.mkdir(exist_ok=True)
        refresher = Refresher(repository, self.active, state)
        sender, kept = Sender("policy-1", str(repository)), state / "told.json"
        self.notifier = Notifier(self.active, receiver_of(inbox.url), KINDS, sender, kept, lambda: self.ends)
        self.look = self.notifier.around(refresher.refresh)

    def is_idle(self) -> bool:
        return self.notifier.outbox.waiting == 0


@contextmanager
def following(repository: Path, inbox: Inbox, ends: datetime | None = None) -> Iterator[Following]:
    """From its first look on; at the end all is delivered."""
    one = Following(repository, inbox, ends)
    one.notifier.outbox.start()
    one.look()
    yield one
    wait_until(one.is_idle)
    one.notifier.outbox.stop()


def pin(repository: Path, seconds: int) -> None:
    commit = git("rev-parse", "main", cwd=repository)
    with open_repository(repository) as opened:
        keep_pin(opened, commit, Author("bob", "bob@example.com"), timedelta(seconds=seconds), "it broke calls")


def test_what_comes_in_force_is_told_once_also_over_a_restart(repository: Path, inbox: Inbox) -> None:
    with following(repository, inbox) as service:
        service.look()
        newer = force_commit(repository, BETTER)
        service.look()
        service.notifier.look()
    inbox.wait_for("active", "active")
    data = inbox.messages[1].json()["data"]
    assert (data["commit"], data["branch"], data["repository"]) == (newer, "main", str(repository))
    assert data["took"] >= 0
    with following(repository, inbox) as service:
        service.look()
    inbox.wait_for("active", "active")


def test_a_refused_commit_is_told_with_its_problems_and_what_is_served(repository: Path, inbox: Inbox) -> None:
    good = git("rev-parse", "main", cwd=repository)
    with following(repository, inbox) as service:
        bad = force_commit(repository, BAD)
        service.look()
        service.look()
    inbox.wait_for("active", "refused")
    data = inbox.messages[1].json()["data"]
    assert (data["commit"], data["active"], data["total"]) == (bad, good, len(data["problems"]))
    assert data["problems"][0]["path"] == "locations/apac.csv"
    with following(repository, inbox) as service:
        service.look()
        force_commit(repository, BETTER)
        service.look()
        git("update-ref", "refs/heads/main", bad, cwd=repository)
        service.look()
    inbox.wait_for("active", "refused", "active", "refused")


def test_a_repository_that_goes_and_comes_back_is_told_twice_in_all(repository: Path, inbox: Inbox) -> None:
    with following(repository, inbox) as service:
        away = repository.rename(repository.with_name("away.git"))
        service.look()
        service.look()
        away.rename(repository)
        service.look()
    inbox.wait_for("active", "unreachable", "reachable")
    assert inbox.messages[1].json()["data"]["message"]


def test_that_it_is_back_is_told_by_the_service_that_comes_after(repository: Path, inbox: Inbox) -> None:
    with following(repository, inbox) as service:
        away = repository.rename(repository.with_name("away.git"))
        service.look()
    with following(repository, inbox):
        pass
    inbox.wait_for("active", "unreachable")
    away.rename(repository)
    with following(repository, inbox):
        pass
    inbox.wait_for("active", "unreachable", "reachable")


def test_a_look_that_does_not_come_back_is_told_while_it_hangs(repository: Path, inbox: Inbox) -> None:
    with following(repository, inbox) as service:
        service.active.change(asked_at=-100.0)
        service.notifier.look()
    inbox.wait_for("active", "unreachable")


def test_what_a_look_under_way_has_changed_so_far_is_not_told(repository: Path, inbox: Inbox) -> None:
    with following(repository, inbox) as service:
        state = service.active.state
        with service.active.asking():
            service.active.change(head=None)  # as where a pin is put in force before HEAD is read
            service.notifier.look()
            service.active.change(head=state.head)
        service.notifier.look()
    inbox.wait_for("active")


def test_a_pin_is_told_and_its_end(repository: Path, inbox: Inbox) -> None:
    with following(repository, inbox) as service:
        pin(repository, 3600)
        service.look()
    with following(repository, inbox) as service:
        git("update-ref", "-d", "refs/location-policy/pin", cwd=repository)
        service.look()
    inbox.wait_for("active", "pinned", "unpinned")
    data = inbox.messages[1].json()["data"]
    assert (data["by"], data["reason"], data["commit"]) == (
        "bob",
        "it broke calls",
        inbox.messages[2].json()["data"]["commit"],
    )


def test_a_certificate_is_told_of_once_in_its_last_fourteen_days(repository: Path, inbox: Inbox) -> None:
    with following(repository, inbox, now() + timedelta(days=15)) as service:
        service.notifier.look()
        service.ends = now() + timedelta(days=13)
        service.notifier.look()
        service.notifier.look()
    with following(repository, inbox, service.ends) as service:
        service.ends = now() + timedelta(days=90)
        service.notifier.look()
    inbox.wait_for("active", "certificate")
    assert inbox.messages[1].json()["data"]["ends"]


def test_what_was_not_delivered_before_a_restart_is_told_after_it(repository: Path) -> None:
    with running_receiver(None, *[status(503, Retry_After="60")] * 2) as inbox:
        first = Following(repository, inbox)
        first.notifier.outbox.start()
        first.look()
        wait_until(lambda: len(inbox.messages) == 1)
        first.notifier.outbox.stop()
        inbox.says.clear()
        with following(repository, inbox):
            pass
        assert inbox.kinds == ["active", "active"]
        assert inbox.messages[0].json()["data"]["commit"] == inbox.messages[1].json()["data"]["commit"]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"active": 1}'])
def test_a_file_of_what_was_told_that_cannot_be_used_counts_as_none(
    content: str, repository: Path, inbox: Inbox
) -> None:
    with following(repository, inbox):
        pass
    (repository.parent / "state" / "told.json").write_text(content)
    with following(repository, inbox):
        pass
    inbox.wait_for("active", "active")


def test_where_nothing_can_be_kept_all_is_told_all_the_same(repository: Path, inbox: Inbox) -> None:
    with following(repository, inbox) as service:
        shutil.rmtree(repository.parent / "state")
        force_commit(repository, BETTER)
        service.look()
    inbox.wait_for("active", "active")


def test_only_what_a_receiver_is_for_is_told_to_it(repository: Path, inbox: Inbox) -> None:
    one = Following(repository, inbox)
    other = Notifier(
        one.active, receiver_of(inbox.url), ("refused",), replace(Sender("p", "r")), repository / "x", lambda: None
    )
    one.look()
    other.look()
    assert (one.notifier.outbox.waiting, other.outbox.waiting) == (1, 0)
