"""A commit that is held in force by hand: in this process, with real repositories, clones and fetches."""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from location_policy.edits import pin as editing
from location_policy.gate.pin import REASON, keep_pin, parse_reason
from location_policy.gate.ref_updates import PIN
from location_policy.repository.new_commits import Author
from location_policy.repository.remote.mirror import Mirror
from location_policy.repository.repository import open_repository
from location_policy.rollout import journal, pinned
from location_policy.rollout.doctor import examine
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState
from location_policy.rollout.status_notifier import describe
from location_policy.text import moment_text
from tests.repository.remote.git_remote import served_remote
from tests.rollout.served import ALICE, HOUR, OTHER, THIRD, Served, first, mirrored
from tests.support.maps import many_rows
from tests.support.program import run_program
from tests.support.repositories import BAD, GOOD, force_commit, git, make_repository, run_git, tip
from tests.support.service import wait_until
from tests.support.signing import SshKey, force_signed, needs_ssh


@pytest.fixture(params=[None, 1000.0], ids=["local", "mirror"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Served:
    """One that has served two commits."""
    made = Served(make_repository(tmp_path / "locations.git", GOOD, keeps_log=True), tmp_path / "state", request.param)
    made.look()
    made.commit(OTHER)
    made.look()
    return made


@pytest.fixture
def local(tmp_path: Path) -> Served:
    made = Served(make_repository(tmp_path / "locations.git", GOOD, keeps_log=True), tmp_path / "state")
    made.look()
    made.commit(OTHER)
    made.look()
    return made


# --- held, and let go ---


def test_an_older_commit_is_in_force_at_once_and_head_waits(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    old, head = first(served), tip(served.place)
    caplog.set_level(logging.INFO)
    state = served.pin(old)
    assert served.told == ("pinned", old)
    assert state.pin
    assert (state.pin.commit, state.pin.by, state.pin.reason) == (old, "Alice", "APAC is down")
    assert state.head
    assert state.head.relation
    assert (state.head.commit.id, state.head.relation.base, state.head.relation.gained) == (head, old, 1)
    new = served.commit(THIRD)
    served.look()
    served.look()
    assert served.told == ("pinned", old)
    assert [text for text in caplog.messages if text.startswith("waiting")] == [
        f"waiting commit={new}: {state.pin.told()}"
    ]


def test_it_is_let_go_by_hand_and_head_is_put_in_force(served: Served) -> None:
    old, head = first(served), tip(served.place)
    served.pin(old)
    state = served.unpin()
    assert served.told == ("in-sync", head)
    assert (state.pin, state.failure) == (None, None)
    assert tip(served.directory, PIN) == ""
    assert served.pins == [("pinned", old, "Alice", "APAC is down"), ("unpinned", old, "Bob", "")]


@pytest.mark.parametrize("clock", ["wall", "monotonic"])
def test_it_ends_when_its_time_is_over_by_either_clock(
    local: Served, monkeypatch: pytest.MonkeyPatch, clock: str
) -> None:
    old, head = first(local), tip(local.place)
    local.pin(old)
    if clock == "wall":  # as where it is set forward
        monkeypatch.setattr(pinned, "now", lambda: datetime.now(UTC) + HOUR)
    else:  # and where it is set back
        later = time.monotonic() + HOUR.total_seconds()
        monkeypatch.setattr(time, "monotonic", lambda: later)
        monkeypatch.setattr(pinned, "now", lambda: datetime.now(UTC) - timedelta(days=3))
    local.look()
    assert local.told == ("in-sync", head)
    monkeypatch.undo()
    local.look()
    assert (local.told, tip(local.place, PIN)) == (("in-sync", head), "")
    assert local.pins[1:] == [("unpinned", old, "", "")]


def test_a_clock_that_was_set_back_before_a_start_makes_none_longer_than_it_was_given(
    local: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.pin(first(local))
    later = local.restart()
    monkeypatch.setattr(pinned, "now", lambda: datetime.now(UTC) - timedelta(days=30))
    later.look()
    assert later.told[0] == "pinned"
    at = time.monotonic() + HOUR.total_seconds() + 2
    monkeypatch.setattr(time, "monotonic", lambda: at)
    later.look()
    assert later.told == ("in-sync", tip(local.place))


def test_a_restart_keeps_it_and_tells_it_once_in_the_journal(served: Served) -> None:
    old = first(served)
    served.pin(old)
    later = served.restart()
    later.look()
    assert later.told == ("pinned", old)
    assert later.active.loads["active"] == 1  # nothing else was active meanwhile
    assert len(later.pins) == 1
    shutil.rmtree(served.state_directory / "last-good", ignore_errors=True)
    (served.state_directory / "last-good").unlink(missing_ok=True)
    bare = served.restart()
    bare.look()
    assert bare.told == ("pinned", old)


def test_what_has_ended_while_nothing_served_is_taken_away_at_the_start(local: Served) -> None:
    old, head = first(local), tip(local.place)
    local.pin(old)
    with open_repository(local.place) as repository:
        editing.unpin(repository, ALICE)
    later = local.restart()
    later.look()
    assert (later.told, tip(local.place, PIN)) == (("in-sync", head), "")
    assert later.pins[1:] == [("unpinned", old, "Alice", "")]
    again = local.restart()
    again.look()
    assert len(again.pins) == 2


def test_a_pin_while_head_is_broken_works(served: Served) -> None:
    old = first(served)
    bad = served.commit(BAD)
    assert served.look().name == "rejected"
    state = served.pin(old)
    assert (served.told, state.failure) == (("pinned", old), None)
    served.unpin()
    assert served.told == ("rejected", old)
    assert served.active.state.failure
    assert served.active.state.failure.commit == bad


def test_of_two_pins_the_last_one_stands(local: Served) -> None:
    old, head = first(local), tip(local.place)
    with open_repository(local.place) as repository:
        for commit, by in ((old, ALICE), (head, Author("Bob", "bob@example.com"))):
            keep_pin(repository, commit, by, HOUR, "why")
    state = local.look()
    assert local.told == ("pinned", head)
    assert state.pin
    assert state.pin.by == "Bob"
    local.pin(old)
    assert local.told == ("pinned", old)


def test_what_was_forced_away_can_be_held_and_is_dropped_again_after_it(local: Served) -> None:
    old, gone = first(local), tip(local.place)
    git("update-ref", "refs/heads/main", old, cwd=local.place)
    head = local.commit(THIRD)
    local.look()
    local.pin(gone)
    assert local.told == ("pinned", gone)
    local.unpin()
    assert local.told == ("in-sync", head)
    assert [event.commit for event in journal.read(local.state_directory) if event.kind == "dropped"] == [gone, gone]


def test_its_time_passes_also_while_the_repository_is_gone(local: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    old, head = first(local), tip(local.place)
    local.pin(old)
    away = local.place.rename(local.place.with_name("away.git"))
    assert local.look().name == "pinned"
    monkeypatch.setattr(pinned, "now", lambda: datetime.now(UTC) + HOUR)
    local.look()
    assert local.told == ("unreachable", old)
    monkeypatch.undo()
    away.rename(local.place)
    local.look()
    assert local.told == ("in-sync", head)
    assert local.pins[1:] == [("unpinned", old, "", "")]


def test_the_service_manager_is_told_until_when(local: Served) -> None:
    state = local.pin(first(local))
    assert state.pin
    assert describe(state).startswith(f"pinned until {moment_text(state.pin.until)}: answers from commit ")


# --- a mirror ---


def test_after_it_a_fetch_is_judged_as_a_move_from_the_pinned_commit(tmp_path: Path) -> None:
    limited = {"locations.csv": many_rows(200), "policy.toml": '[limits]\nremoved-subnets = "10%"\n'}
    served = mirrored(tmp_path, limited)
    old = tip(served.place)
    for rows in (185, 170):  # each within the limit, both together are not
        served.commit({**limited, "locations.csv": many_rows(rows)})
        served.look()
        assert served.told == ("in-sync", tip(served.place))
    served.pin(old)
    assert tip(served.directory) == old
    head = served.commit({**limited, "locations.csv": many_rows(169)})
    served.unpin()
    assert served.told == ("rejected", old)
    assert served.active.state.failure
    assert "limits.removed-subnets" in served.active.state.failure.message
    assert served.active.state.failure.commit == head


def test_it_goes_back_to_what_the_mirror_has_had_without_a_limit(tmp_path: Path) -> None:
    limited = {"locations.csv": many_rows(200), "policy.toml": '[limits]\nremoved-subnets = "10%"\n'}
    served = mirrored(tmp_path, limited)
    old = tip(served.place)
    for rows in (185, 170):
        served.commit({**limited, "locations.csv": many_rows(rows)})
        served.look()
    served.pin(old)
    served.unpin()
    assert served.told == ("in-sync", tip(served.place))


def test_doctor_names_the_commit_of_the_remote_beside_the_pinned_one(tmp_path: Path) -> None:
    served = mirrored(tmp_path, GOOD)
    old, head = tip(served.place), served.commit(OTHER)
    served.look()
    served.pin(old)
    found = {one.topic: one.said for one in examine(served.directory, served.state_directory, is_mirror=True)}
    assert f"branch main of the remote is at commit {head[:10]}, and waits" in found["fetched"]
    assert found["serve"] == f"commit {old[:10]}, 2 subnets, as long as it is pinned"


def test_it_does_not_wait_for_a_remote_that_is_away(tmp_path: Path) -> None:
    served = mirrored(tmp_path, GOOD)
    old, head = tip(served.place), served.commit(OTHER)
    served.look()
    away = served.place.rename(tmp_path / "away.git")
    assert served.look().name == "unreachable"
    state = served.pin(old)
    assert served.told == ("pinned", old)
    assert state.failure  # the remote is away all the same
    again = served.restart()
    again.look()
    assert again.told == ("pinned", old)
    again.unpin()
    assert again.told == ("unreachable", head)
    away.rename(served.place)
    again.look()
    assert again.told == ("in-sync", head)


def test_it_does_not_wait_for_a_remote_that_hangs(tmp_path: Path) -> None:
    with served_remote(make_repository(tmp_path / "remote.git", GOOD)) as remote:
        active, mirror = ActiveState(), Mirror(remote.url, tmp_path / "state", None, 0.0, standstill=60.0)
        mirror.make()
        refresher = Refresher(mirror.directory, active, tmp_path / "state", mirror)
        refresher.look()
        old, new = active.commit, force_commit(remote.repository, OTHER)
        refresher.look()
        assert old
        assert active.commit == new
        remote.only, remote.cut_after, remote.hangs = "command=ls-refs", 0, True
        look = threading.Thread(target=refresher.look)
        look.start()
        with open_repository(mirror.directory) as repository:
            keep_pin(repository, old, ALICE, HOUR, "APAC is down")
            wait_until(lambda: active.commit == old)
            editing.unpin(repository, ALICE)
            wait_until(lambda: active.commit == new)
        assert look.is_alive()
        mirror.close()
        look.join()
        assert (active.state.name, active.commit) == ("unreachable", new)


def test_what_was_only_fetched_is_not_held(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    limited = {"locations.csv": many_rows(200), "policy.toml": '[limits]\nremoved-subnets = "10%"\n'}
    served = mirrored(tmp_path, limited)
    good = tip(served.place)
    refused = served.commit({**limited, "locations.csv": many_rows(100)})
    assert served.look().name == "rejected"
    served.pin(refused)
    assert served.told == ("rejected", good)
    told = f"ignored pin: commit {refused[:10]} was rejected when it came, and was never active"
    assert told in caplog.messages
    asked = ("pin", refused, "--for", "1h", "--reason", "x")
    by_hand = ("--repo", served.place.as_uri(), "--state-dir", served.state_directory)
    assert "was rejected when it came" in run_program(*asked, *by_hand).stderr
    served.commit(limited)  # of which it is a part from now on
    served.pin(refused, reason="now it is merged")
    assert served.told == ("in-sync", tip(served.place))
    assert caplog.messages.count(told) == 2
    invalid = served.commit(BAD)
    assert served.look().name == "rejected"
    assert "host-bits" in run_program("pin", invalid, *asked[2:], *by_hand).stderr


# --- what is no pin ---


def write_pin(repository: Path, text: str) -> None:
    done = run_git("hash-object", "-t", "tag", "-w", "--literally", "--stdin", cwd=repository, stdin=text.encode())
    assert done.returncode == 0, done.stderr
    git("update-ref", PIN, done.stdout.strip(), cwd=repository)


def text_of(commit: str, *, reason: str = "why", days: int = 1, until: str | None = None) -> str:
    at = datetime.now(UTC).replace(microsecond=0)
    end = until or (at + timedelta(days=days)).isoformat().replace("+00:00", "Z")
    head = f"object {commit}\ntype commit\ntag pin\ntagger A <a@b> {int(at.timestamp())} +0000\n"
    return f"{head}\n{reason}\n\nUntil: {end}\n"


@pytest.mark.parametrize("case", ["commit", "foreign", "huge", "days", "date", "lost", "invalid", "elsewhere"])
def test_what_cannot_be_used_is_told_once_and_head_serves(
    local: Served, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    old, head = first(local), tip(local.place)
    bad = force_commit(local.place, BAD, ref="refs/heads/side")
    texts = {
        "foreign": f"object {old}\ntype commit\ntag v1\ntagger A <a@b> 1700000000 +0000\n\nVersion 1\n",
        "huge": text_of(old, reason="x" * 5000),
        "days": text_of(old, days=8),
        "date": text_of(old, until="2026-02-31T00:00:00Z"),
        "lost": text_of("5" * 40),
        "invalid": text_of(bad),
        "elsewhere": text_of(force_commit(local.place, THIRD, ref="refs/heads/other")),
    }
    if case == "commit":
        git("update-ref", PIN, old, cwd=local.place)
    else:
        if case == "invalid":
            git("update-ref", "refs/heads/main", bad, cwd=local.place)
            git("update-ref", "refs/heads/main", head, cwd=local.place)
        write_pin(local.place, texts[case])
    for _ in range(3):
        local.refresher.refresh()
    assert local.told == ("in-sync", head)
    assert sum(text.startswith("ignored pin: ") for text in caplog.messages) == 1
    local.pin(old)
    assert local.told == ("pinned", old)


def test_a_pin_that_is_lost_under_way_ends_it(local: Served) -> None:
    old, head = first(local), tip(local.place)
    local.pin(old)
    git("update-ref", "-d", PIN, cwd=local.place)
    local.look()
    assert local.told == ("in-sync", head)
    assert local.pins[1:] == [("unpinned", old, "", "")]


@needs_ssh
def test_what_is_not_signed_is_not_held_unless_it_was_served(local: Served, alice: SshKey, signers: Path) -> None:
    served, between = tip(local.place), local.commit(THIRD)
    head = force_signed(local.place, alice)
    for key, value in (("requireSignatures", "tip"), ("allowedSigners", str(signers))):
        git("config", f"location-policy.{key}", value, cwd=local.place)
    local.look()
    local.pin(between)
    assert local.told == ("in-sync", head)
    local.pin(served)
    assert local.told == ("pinned", served)


# --- what is kept ---


def test_the_ref_names_a_tag_that_people_can_read_and_no_secret_is_in_it(local: Served) -> None:
    with open_repository(local.place) as repository:
        reason = "see https://bob:secret@example.com/x?token=1"
        with pytest.raises(ValueError, match="at most 500"):
            parse_reason("x" * (REASON + 1))
        keep_pin(repository, tip(local.place), Author("Ann <x>\n", "a@b"), HOUR, parse_reason(reason))
    shown = git("for-each-ref", "--format=%(objecttype) %(taggername) %(contents)", PIN, cwd=local.place)
    assert shown.startswith("tag Ann x see https://example.com/x\n\nUntil: ")
    assert run_git("fsck", "--strict", cwd=local.place).returncode == 0


def test_a_journal_that_an_earlier_version_wrote_is_read(tmp_path: Path) -> None:
    line = {"at": "2026-11-30T00:00:00+00:00", "event": "active", "commit": "5" * 40}
    (tmp_path / journal.FILE_NAME).write_text(json.dumps(line) + "\n")
    (event,) = journal.read(tmp_path)
    assert (event.by, event.reason) == ("", "")
