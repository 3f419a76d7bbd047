"""A pin, and the notes on a limit, that outlive what they are kept in: a copy, its objects, or their refs."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from location_policy.edits import pin as editing
from location_policy.gate.ref_updates import PIN
from location_policy.repository.remote.backup import pin_file
from location_policy.repository.repository import open_repository
from location_policy.rollout import pinned
from location_policy.rollout.doctor import examine
from tests.rollout.served import ALICE, HOUR, OTHER, THIRD, Served, first, kept, mirrored
from tests.support.maps import many_rows
from tests.support.program import run_program
from tests.support.repositories import GOOD, Files, force_commit, git, make_repository, run_git, tip

LIMITED: Files = {"locations.csv": many_rows(200), "policy.toml": '[limits]\nremoved-subnets = "10%"\n'}


def tear(copy: Path, text: str = "") -> None:
    (copy / PIN).write_text(text)


def lose_tag(copy: Path) -> None:
    (copy / PIN).write_text(f"{'5' * 40}\n")


LOSSES: dict[str, Callable[[Path], object]] = {
    "the copy": shutil.rmtree,
    "its objects": lambda copy: shutil.rmtree(copy / "objects"),
    "its refs": lambda copy: shutil.rmtree(copy / "refs"),
    "the ref": lambda copy: (copy / PIN).unlink(),
    "an empty ref": tear,
    "a torn ref": lambda copy: tear(copy, "5f66882"),
    "the tag": lose_tag,
}


@pytest.fixture
def served(tmp_path: Path) -> Served:
    """One that follows a remote, and has served two commits."""
    made = mirrored(tmp_path, GOOD)
    made.commit(OTHER)
    made.look()
    return made


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_pin_outlives_what_the_copy_has_lost(
    served: Served, loss: str, restarts: bool, caplog: pytest.LogCaptureFixture
) -> None:
    old, head = first(served), tip(served.place)
    pin = served.pin(old).pin
    LOSSES[loss](served.directory)
    found = served.restart() if restarts else served
    for _ in range(3):
        found.look()
        assert found.told == ("pinned", old)
    assert (found.active.state.pin, kept(found.directory)) == (pin, pin)
    assert not any(text.startswith("unpinned") for text in caplog.messages)
    assert "pin" in caplog.text
    again = found.restart()  # of which the copy is whole again
    again.look()
    assert again.told == ("pinned", old)
    new = served.commit(THIRD)
    assert again.look().name == "pinned"
    again.unpin()
    assert again.told == ("in-sync", new)
    assert head != new
    assert not pin_file(served.directory).exists()
    assert [kind for kind, *_ in again.pins] == ["pinned", "unpinned"]


@pytest.mark.parametrize("loss", LOSSES)
def test_it_ends_by_time_also_where_the_copy_was_lost(
    served: Served, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    head = tip(served.place)
    served.pin(first(served))
    LOSSES[loss](served.directory)
    monkeypatch.setattr(pinned, "now", lambda: datetime.now(UTC) + HOUR)
    for _ in range(3):
        served.look()
    assert served.told == ("in-sync", head)
    assert not pin_file(served.directory).exists()
    again = served.restart()
    again.look()
    assert again.told == ("in-sync", head)


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("loss", ["the copy", "its objects"])
def test_it_holds_while_the_remote_is_away_and_can_be_ended(
    served: Served, tmp_path: Path, restarts: bool, loss: str
) -> None:
    old = first(served)
    served.pin(old)
    away = served.place.rename(tmp_path / "away.git")
    LOSSES[loss](served.directory)
    found = served.restart() if restarts else served
    for _ in range(3):
        found.look()
    assert found.told == ("pinned", old)
    assert found.active.state.failure  # the remote is away all the same
    if loss == "the copy":
        found.unpin()
        assert found.told[1] == old
        assert found.told[0] in ("unreachable", "last-good")
    away.rename(served.place)
    for _ in range(2):
        found.look()
    assert found.told == (("in-sync", tip(served.place)) if loss == "the copy" else ("pinned", old))


def test_a_pinned_commit_that_the_remote_has_no_more_goes_on_being_served(served: Served) -> None:
    gone = tip(served.place)
    git("update-ref", "refs/heads/main", first(served), cwd=served.place)
    head = served.commit(THIRD)
    served.look()
    served.pin(gone)
    git("reflog", "expire", "--expire=now", "--all", cwd=served.place)
    git("prune", "--expire=now", cwd=served.place)
    shutil.rmtree(served.directory)
    for found in (served, served.restart()):
        for _ in range(3):
            found.look()
        assert found.told == ("pinned", gone)
    found.unpin()
    assert found.told == ("in-sync", head)


@pytest.mark.parametrize("text", ["", "object 5f66882\n"])
def test_where_the_copy_is_lost_and_what_is_kept_beside_it_is_torn_what_is_active_stays(
    served: Served, text: str
) -> None:
    old, head = first(served), tip(served.place)
    served.pin(old)
    shutil.rmtree(served.directory)
    pin_file(served.directory).write_text(text)
    found = served.restart()
    for _ in range(3):
        found.look()
        assert found.told == ("rejected", old)
        assert found.active.state.failure
        assert "cannot be read: which commit it holds is lost" in found.active.state.failure.message
    found.unpin()
    assert found.told == ("in-sync", head)
    assert not pin_file(served.directory).exists()


def test_a_pin_that_no_service_has_taken_yet_outlives_the_copy(served: Served) -> None:
    old = first(served)
    with open_repository(served.directory) as repository:
        editing.pin(repository, repository.commit(old), ALICE, HOUR, "why")
    shutil.rmtree(served.directory)
    later = served.restart()
    later.look()
    assert later.told == ("pinned", old)


def test_head_waits_for_a_pinned_commit_that_is_nowhere(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    gone = tip(served.place)
    git("update-ref", "refs/heads/main", first(served), cwd=served.place)
    last = served.commit(THIRD)
    served.look()
    with open_repository(served.directory) as repository:
        editing.pin(repository, repository.commit(gone), ALICE, HOUR, "why")
    git("reflog", "expire", "--expire=now", "--all", cwd=served.place)
    git("prune", "--expire=now", cwd=served.place)
    shutil.rmtree(served.directory)
    served.commit({**OTHER, "policy.toml": ""})
    later = served.restart()
    for _ in range(2):
        later.look()
    assert later.told == ("rejected", last)
    failure = later.active.state.failure
    assert failure
    assert "is not here: what was active last stays" in failure.message
    assert sum("is not here: what was" in text for text in caplog.messages) == 1
    later.unpin()
    assert later.told == ("in-sync", tip(served.place))


def test_a_pin_of_an_earlier_version_is_kept_beside_the_copy_too(served: Served) -> None:
    served.pin(first(served))
    pin_file(served.directory).unlink()
    served.look()
    assert pin_file(served.directory).read_bytes().startswith(b"object ")


def test_the_commands_end_a_pin_that_is_kept_beside_the_copy_alone(served: Served) -> None:
    old = first(served)
    served.pin(old)
    (served.directory / PIN).unlink()
    by_url = ("--repo", served.place.as_uri(), "--state-dir", served.state_directory)
    assert run_program("unpin", *by_url).stdout.startswith(f"unpinned: {old[:10]}")
    assert served.look().name == "in-sync"
    assert "nothing is pinned" in run_program("unpin", *by_url).stderr


# --- torn, with nothing beside it ---


@pytest.fixture
def local(tmp_path: Path) -> Served:
    made = Served(make_repository(tmp_path / "locations.git", GOOD, keeps_log=True), tmp_path / "state")
    made.look()
    made.commit(OTHER)
    made.look()
    return made


@pytest.mark.parametrize("loss", ["an empty ref", "a torn ref", "the tag"])
def test_a_torn_pin_is_told_and_what_it_held_stays(local: Served, loss: str, caplog: pytest.LogCaptureFixture) -> None:
    old, head = first(local), tip(local.place)
    local.pin(old)
    LOSSES[loss](local.place)
    for _ in range(3):
        local.refresher.refresh()
    assert local.told == ("pinned", old)
    assert "cannot be read" in (local.active.state.pin_problem or "")
    assert sum("cannot be read" in text for text in caplog.messages) == 1
    later = local.restart()
    later.look()
    later.refresher.refresh()
    assert later.told == ("rejected", old)
    failure = later.active.state.failure
    assert failure
    assert (failure.commit, failure.hint) == (head, "pin it anew, or location-policy unpin")
    assert "cannot be read" in {one.topic: one.said for one in examine(local.place, local.state_directory)}["pin"]
    assert f"commit {old[:10]}" in {one.topic: one.said for one in examine(local.place, local.state_directory)}["serve"]
    assert run_program("unpin", "--repo", local.place).returncode == 0
    later.look()
    assert later.told == ("in-sync", head)


def test_a_torn_pin_is_replaced_by_a_new_one(local: Served) -> None:
    old = first(local)
    tear(local.place, "5f6")
    later = local.restart()
    assert later.pin(old).name == "pinned"
    assert later.active.state.pin_problem is None


def test_what_a_torn_pin_held_is_let_go_when_its_time_is_over(local: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    head = tip(local.place)
    local.pin(first(local))
    tear(local.place)
    monkeypatch.setattr(pinned, "now", lambda: datetime.now(UTC) + HOUR)
    for _ in range(2):
        local.refresher.refresh()
    assert local.told == ("in-sync", head)
    assert not (local.place / PIN).exists()


# --- notes ---


def overridden(served: Served) -> str:
    """A commit over a limit, which says why it may be, in force."""
    message = "Remove half\n\nAllow-Large-Change: the office has closed\n"
    commit = force_commit(served.place, {**LIMITED, "locations.csv": many_rows(100)}, message=message)
    served.look()
    assert served.told == ("in-sync", commit)
    return commit


def reason(served: Served) -> str | None:
    override = served.active.state.override
    return override.reason if override else None


@pytest.mark.parametrize("loss", ["the copy", "its objects", "its refs"])
def test_why_a_limit_was_overridden_outlives_the_copy(tmp_path: Path, loss: str) -> None:
    served = mirrored(tmp_path, LIMITED)
    overridden(served)
    LOSSES[loss](served.directory)
    for _ in range(3):
        served.look()
    assert reason(served) == "the office has closed"
    later = served.restart()
    later.look()
    assert reason(later) == "the office has closed"
    assert run_git("rev-parse", "--verify", "refs/notes/location-policy", cwd=served.directory).returncode == 0


@pytest.mark.parametrize("is_lost", [False, True])
def test_it_is_told_after_a_start_while_the_remote_is_away(tmp_path: Path, is_lost: bool) -> None:
    served = mirrored(tmp_path, LIMITED)
    commit = overridden(served)
    served.place.rename(tmp_path / "away.git")
    if is_lost:
        shutil.rmtree(served.directory)
    later = served.restart()
    for _ in range(2):
        later.look()
    assert later.told == ("last-good", commit)
    assert reason(later) == "the office has closed"


def test_a_state_directory_that_cannot_be_written_keeps_no_pin_beside(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("location_policy.repository.remote.backup.write_pin", refuse)
    caplog.set_level(logging.INFO)
    assert served.pin(first(served)).name == "pinned"
    served.look()
    assert "cannot be kept beside it: Permission denied" in (served.active.state.pin_problem or "")
    assert sum("cannot be kept beside it" in text for text in caplog.messages) == 1
