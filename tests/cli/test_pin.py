"""`location-policy pin` and `unpin`: what may be held, what is said, and what a service makes of it."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from location_policy.cli.commands.doctor import doctor
from location_policy.cli.commands.pin import pin, unpin
from location_policy.edits.pin import check_pinnable
from location_policy.errors import InvalidConfiguration, LocationPolicyError, NotPinnable, NotWritable
from location_policy.gate.pin import read_pin
from location_policy.gate.ref_updates import PIN
from location_policy.repository.repository import open_repository
from location_policy.text import moment_text, parse_duration
from tests.support.program import run_program
from tests.support.repositories import BAD, GOOD, commit_series, force_commit, git, make_repository, tip
from tests.support.service import Service, started_service
from tests.support.signing import needs_ssh
from tests.support.unprivileged import NOBODY

HOUR = timedelta(hours=1)
NEXT = {"locations.csv": "Perth,10.61.2.0/24\n"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One with two good commits and a bad one in between."""
    made = make_repository(tmp_path / "locations.git", GOOD, keeps_log=True)
    force_commit(made, BAD)
    force_commit(made, NEXT)
    return made


def pinned(repository: Path) -> tuple[str, str] | None:
    with open_repository(repository) as opened:
        found = read_pin(opened)
    return (found.commit, found.reason) if found else None


def test_it_says_what_is_held_until_when_and_what_waits(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held = tip(repository, "main~2")
    pin("main~2", HOUR, " APAC\n is down ", str(repository), None)
    assert pinned(repository) == (held, "APAC is down")
    with open_repository(repository) as opened:
        kept = read_pin(opened)
    assert kept
    assert capsys.readouterr().out.splitlines() == [
        f"pinned until {moment_text(kept.until)}: {held[:10]} Force it in (Alice)",
        f"what branch main names waits, until then or until: location-policy unpin --repo {repository}",
    ]
    unpin(str(repository), None)
    assert capsys.readouterr().out.splitlines() == [f"unpinned: {held[:10]}", "what branch main names counts again"]
    with pytest.raises(LocationPolicyError, match="nothing is pinned"):
        unpin(str(repository), None)


def test_what_is_not_valid_or_not_of_the_branch_is_not_held(repository: Path) -> None:
    with pytest.raises(InvalidConfiguration):
        pin("main~1", HOUR, "why", str(repository), None)
    side = force_commit(repository, {"locations.csv": "Oslo,10.0.0.0/8\n"}, ref="refs/heads/side")
    with pytest.raises(NotPinnable, match="is not of the served branch"):
        pin(side, HOUR, "why", str(repository), None)
    with pytest.raises(LocationPolicyError, match="there is no revision"):
        pin("5" * 40, HOUR, "why", str(repository), None)
    with pytest.raises(LocationPolicyError, match="from 1 second to 7 days"):
        pin("main", timedelta(days=8), "why", str(repository), None)
    with pytest.raises(LocationPolicyError, match="a reason is one line"):
        pin("main", HOUR, " ", str(repository), None)
    assert pinned(repository) is None


def test_a_commit_that_came_below_another_is_not_held_since_nothing_has_judged_a_move_to_it(repository: Path) -> None:
    old = tip(repository)
    through, back = commit_series(repository, [{"locations.csv": "Oslo,10.0.0.0/8\n"}, NEXT])
    for _ in range(3):
        force_commit(repository, GOOD)
    with pytest.raises(NotPinnable, match="came below another commit, and was never active"):
        pin(through, HOUR, "why", str(repository), None)
    for named in (old, back):
        pin(named, HOUR, "why", str(repository), None)
        assert pinned(repository) == (named, "why")


def test_what_is_older_than_the_log_of_the_branch_may_be_held(tmp_path: Path) -> None:
    made = make_repository(tmp_path / "locations.git", GOOD)
    older = tip(made)
    force_commit(made, NEXT)
    git("config", "core.logAllRefUpdates", "always", cwd=made)
    force_commit(made, GOOD)
    pin(older, HOUR, "why", str(made), None)
    assert pinned(made) == (older, "why")


@needs_ssh
def test_what_is_not_signed_is_not_held(repository: Path, signers: Path) -> None:
    for key, value in (("requireSignatures", "tip"), ("allowedSigners", str(signers))):
        git("config", f"location-policy.{key}", value, cwd=repository)
    with pytest.raises(NotPinnable, match="is not signed"):
        pin("main", HOUR, "why", str(repository), None)


def test_what_stands_there_and_is_no_pin_is_taken_away(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git("update-ref", PIN, "main", cwd=repository)
    assert doctor(str(repository), None, "text") == 1
    mend = f"location-policy unpin --repo {repository}"
    assert f"pin: {PIN} names {tip(repository)[:10]}, which is no pin\n  fix: {mend}" in capsys.readouterr().out
    unpin(str(repository), None)
    assert capsys.readouterr().out.startswith("what stood there was no pin: it is gone\n")
    assert tip(repository, PIN) == ""


def test_another_user_s_repository_is_not_written(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    with open_repository(repository) as opened, pytest.raises(NotWritable, match="could not use what another user"):
        check_pinnable(opened, opened.commit(tip(repository)), (), ())


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1h30m", 5400), ("7d", 604_800), (" 2H ", 7200)]
)
def test_a_duration_is_a_number_and_its_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "2", "h", "2w", "-1h", "1m2h", "1.5h", "2h reason", "٢h"])
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="write 30m, 2h, 1h30m or 7d"):
        parse_duration(text)
    done = run_program("pin", "main", "--for", "tomorrow", "--reason", "x") if text == "" else None
    assert done is None or (done.returncode == 2 and "write 30m, 2h, 1h30m or 7d" in done.stderr)


# --- a service ---


def held_in(service: Service) -> str:
    return str(service.status()["active"]["commit"])


def test_a_service_holds_it_at_once_over_a_restart_and_until_it_is_let_go(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "locations.git", GOOD, keeps_log=True)
    old, head = tip(repository), force_commit(repository, NEXT)
    here = ("--repo", repository, "--state-dir", tmp_path / "state")
    with started_service(*here, cwd=tmp_path) as service:
        service.wait_for("in-sync")
        done = run_program("pin", old[:10], "--for", "1h", "--reason", "APAC is down", *here)
        assert done.returncode == 0, done.stderr
        service.wait_for("pinned")
        assert held_in(service) == old
    with started_service(*here, cwd=tmp_path) as service:
        service.wait_for("pinned")
        assert held_in(service) == old
        told = service.status()["pin"]
        assert (told["commit"], told["reason"]) == (old, "APAC is down")
        synced = run_program("sync", *here)
        assert (synced.returncode, synced.stdout.partition(": it waits")[0]) == (1, f"pinned: {head[:10]}")
        doctor = run_program("doctor", *here)
        assert f"pin: {old[:10]} is pinned until" in doctor.stdout
        assert run_program("unpin", *here).returncode == 0
        service.wait_for("in-sync")
    shown = json.loads(run_program("history", *here, "--format", "json").stdout)["commits"]
    (events,) = (one["service"] for one in shown if one["commit"] == old)
    assert [event["event"] for event in events if "pinned" in event["event"]] == ["pinned", "unpinned"]


def test_a_mirror_is_held_by_its_url_and_its_state_directory(tmp_path: Path) -> None:
    remote = make_repository(tmp_path / "remote.git", GOOD)
    old, state = tip(remote), tmp_path / "state"
    here = ("--repo", remote.as_uri(), "--state-dir", state)
    with started_service(*here, "--fetch-interval", "1", cwd=tmp_path) as service:
        service.wait_for("in-sync")
        head = force_commit(remote, NEXT)
        service.wait_for("in-sync", head)
        done = run_program("pin", "main~1", "--for", "1h", "--reason", "APAC is down", *here)
        assert done.returncode == 0, done.stderr
        service.wait_for("pinned")
        assert held_in(service) == old
        assert run_program("unpin", *here).returncode == 0
        service.wait_for("in-sync")
        assert held_in(service) == head
