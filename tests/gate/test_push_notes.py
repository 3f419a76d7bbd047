"""Who has pushed a commit, kept as a note on it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from location_policy.gate import push_notes
from location_policy.gate.overrides import NOTES, Override, overrides, record
from location_policy.gate.push_notes import note_push, pusher_in, with_pushers
from location_policy.gate.ref_updates import Update
from location_policy.gate.verdict import Move, Verdict
from location_policy.repository.repository import open_repository
from tests.support.repositories import GOOD, force_commit, git, make_repository, tip

MOMENT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
OVERRIDE = Override("changed-addresses", "25%", "30%", "new data centre", "alice", MOMENT)
NOTE = "Pushed-By: bob\nPushed-At: 2026-03-01T12:30:00Z"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "map.git", GOOD)


def series(repository: Path, number: int) -> list[str]:
    """The ids of so many more commits on main, oldest first."""
    return [force_commit(repository, GOOD, message=str(at)) for at in range(number)]


def note(repository: Path, *gained: str, by: str = "bob", ref: str = "refs/heads/main") -> None:
    """Note a push that has brought these commits."""
    move = Move(Update("0" * 40, gained[-1], "refs/heads/main"), gained=gained)
    with open_repository(repository) as opened:
        note_push(Verdict((Update("0" * 40, gained[-1], ref),), (move,)), opened, by, MOMENT)


def pushers(repository: Path, *commits: str) -> list[str | None]:
    with open_repository(repository) as opened:
        return [one.pusher for one in with_pushers(opened, map(opened.commit, commits))]


def test_a_push_is_noted_on_every_commit_that_it_brings(repository: Path) -> None:
    before, *gained = tip(repository), *series(repository, 3)
    note(repository, *gained)
    assert pushers(repository, before, *gained) == [None, "bob", "bob", "bob"]
    for commit in gained:
        assert git("log", "-1", "--notes=location-policy", "--format=%N", commit, cwd=repository) == NOTE


def test_who_pushes_a_tip_again_is_noted_after_the_first_and_counts(repository: Path) -> None:
    gained = series(repository, 2)
    note(repository, *gained)
    note(repository, *gained, by="carol")
    assert pushers(repository, *gained) == ["bob", "carol"]
    assert git("notes", f"--ref={NOTES}", "show", gained[1], cwd=repository).startswith(NOTE)


def test_a_note_on_an_override_names_the_pusher_too_and_stays_one(repository: Path) -> None:
    commit = tip(repository)
    with open_repository(repository) as opened:
        record(opened, commit, OVERRIDE)
        assert overrides(opened, [commit]) == {commit: OVERRIDE}
    assert pushers(repository, commit) == ["alice"]
    note(repository, commit)
    with open_repository(repository) as opened:
        assert overrides(opened, [commit]) == {commit: OVERRIDE}
    assert pushers(repository, commit) == ["bob"]


def test_a_dry_run_is_not_noted(repository: Path) -> None:
    note(repository, tip(repository), ref="refs/for/main")
    assert tip(repository, NOTES) == ""


def test_of_very_many_commits_the_newest_are_noted(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_notes, "NOTED", 2)
    gained = series(repository, 3)
    note(repository, *gained)
    assert pushers(repository, *gained) == [None, "bob", "bob"]


def test_a_name_from_outside_stays_one_line_and_steers_nothing(repository: Path) -> None:
    note(repository, tip(repository), by="bob\nPushed-By: carol\x1b[2J")
    assert pushers(repository, tip(repository)) == ["bob\\nPushed-By: carol\\x1b[2J"]


@pytest.mark.parametrize("text", ["", "by hand", "pushed-by: bob", "  Pushed-By: bob", "x Pushed-By: bob"])
def test_what_names_no_pusher_names_none(text: str) -> None:
    assert pusher_in(text) is None


def test_a_note_that_is_lost_hides_no_commit(repository: Path) -> None:
    note(repository, tip(repository))
    blob = git("notes", f"--ref={NOTES}", "list", tip(repository), cwd=repository)
    (repository / "objects" / blob[:2] / blob[2:]).unlink()
    assert pushers(repository, tip(repository)) == [None]
