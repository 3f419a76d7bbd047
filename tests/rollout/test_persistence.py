"""What is in force is kept for a restart, and what could not be kept is tried again without a new commit."""

from __future__ import annotations

import resource
import shutil
import time
from pathlib import Path

import pytest

from location_policy.cli.terminal.default_paths import state_beside
from location_policy.rollout import last_good, persistence
from location_policy.rollout.persistence import LAST_GOOD
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState
from tests.support.maps import many_rows
from tests.support.repositories import BAD, GOOD, force_commit, git, make_repository, tip


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", GOOD)


def test_what_could_not_be_kept_is_kept_when_it_can_be(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "AGAIN", 0.0)
    blocking = repository / "refs" / "location-policy"
    blocking.write_text("in the way")
    (tmp_path / "state").write_text("in the way")
    active = ActiveState()
    refresher = Refresher(repository, active, tmp_path / "state")
    refresher.refresh()
    assert active.state.not_kept
    blocking.unlink()
    (tmp_path / "state").unlink()
    refresher.refresh()
    assert active.state.not_kept is None
    kept = last_good.load(tmp_path / "state")
    assert kept
    assert kept.commit.id == tip(repository) == tip(repository, LAST_GOOD)


def test_it_is_not_tried_again_at_every_look(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    active = ActiveState()
    refresher = Refresher(repository, active, tmp_path / "state")
    refresher.refresh()
    (tmp_path / "state").unlink()
    began = time.monotonic()
    refresher.refresh()
    assert active.state.not_kept
    assert time.monotonic() - began < persistence.AGAIN


def test_content_whose_commit_the_repository_has_no_more_stays_as_it_is_kept(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "AGAIN", 0.0)
    active = ActiveState()
    Refresher(repository, active, tmp_path / "state").refresh()
    good = tip(repository)
    for ref in (LAST_GOOD, "refs/heads/main"):
        git("update-ref", "-d", ref, cwd=repository)
    force_commit(repository, BAD)
    git("gc", "--quiet", "--prune=now", cwd=repository)
    active = ActiveState()
    active.change(not_kept="it was full at start")
    Refresher(repository, active, tmp_path / "state").refresh()
    assert (active.state.name, active.state.not_kept) == ("rejected", "it was full at start")
    kept = last_good.load(tmp_path / "state")
    assert kept
    assert kept.commit.id == good


def test_a_state_directory_that_goes_away_under_way_is_made_anew(repository: Path, tmp_path: Path) -> None:
    active = ActiveState()
    refresher = Refresher(repository, active, tmp_path / "state")
    refresher.look()
    shutil.rmtree(tmp_path / "state")
    refresher.look()
    kept = last_good.load(tmp_path / "state")
    assert kept
    assert (kept.commit.id, active.state.not_kept) == (tip(repository), None)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_state_directory_that_goes_away_for_good_is_told_once(
    repository: Path, tmp_path: Path, is_there: bool, caplog: pytest.LogCaptureFixture
) -> None:
    state = tmp_path / "worktree" / "state"
    state.parent.mkdir()
    active = ActiveState()
    refresher = Refresher(repository, active, state)
    refresher.look()
    shutil.rmtree(state.parent)
    if not is_there:
        repository.rename(tmp_path / "away.git")
    for _ in range(3):
        refresher.hurry()
        refresher.look()
    why = "cannot be written: No such file or directory" if is_there else "has lost what was kept there"
    assert active.state.not_kept == f"{state} {why}"
    assert caplog.messages.count(f"nothing is kept for a restart: {active.state.not_kept}") == 1


def test_a_linked_working_copy_keeps_its_state_in_the_repository_that_it_shares(
    repository: Path, tmp_path: Path
) -> None:
    git("worktree", "add", "--quiet", tmp_path / "link", "main", cwd=repository)
    assert state_beside(tmp_path / "link") == repository / "location-policy"
    assert state_beside(repository) == repository / "location-policy"


def test_a_file_that_cannot_be_written_whole_leaves_what_was_kept(repository: Path, tmp_path: Path) -> None:
    active = ActiveState()
    refresher = Refresher(repository, active, tmp_path / "state")
    refresher.refresh()
    before = last_good.load(tmp_path / "state")
    commit = force_commit(repository, {"locations.csv": many_rows(1000)})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        refresher.refresh()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert active.state.not_kept == f"{tmp_path / 'state'} cannot be written: File too large"
    assert active.state.name == "in-sync"
    assert tip(repository, LAST_GOOD) == commit
    assert last_good.load(tmp_path / "state") == before
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["journal.jsonl", "last-good"]
