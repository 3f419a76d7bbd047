"""Another history is not taken in silence, and the same one is, however it came."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from location_policy.repository.remote.mirror import Mirror
from location_policy.repository.repository import open_repository
from location_policy.rollout import last_good
from location_policy.rollout.persistence import LAST_GOOD
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.startup_preview import preview_start
from location_policy.rollout.state import ActiveState, State
from tests.support.program import run_program
from tests.support.repositories import BAD, GOOD, force_commit, git, init, make_repository, tip

PERTH = {"locations.csv": "Perth,10.61.2.0/24\n"}
SAMPLE = {"locations.csv": "Sydney,10.61.0.0/16\n"}


@dataclass
class Following:
    """A process that follows a repository, without the process."""

    repository: Path
    state_directory: Path
    active: ActiveState = field(default_factory=ActiveState)

    def __post_init__(self) -> None:
        self.refresher = Refresher(self.repository, self.active, self.state_directory)

    def look(self) -> tuple[str, str | None]:
        """The state after one more look, and the commit in force."""
        self.refresher.refresh()
        return self.told

    @property
    def state(self) -> State:
        return self.active.state

    @property
    def told(self) -> tuple[str, str | None]:
        commit = self.state.snapshot.commit if self.state.snapshot else None
        return self.state.name, commit.id if commit else None

    def message(self) -> str:
        return self.state.failure.message if self.state.failure else ""

    def restart(self) -> Following:
        """A new process in the place of this one; it does what was foretold of it."""
        later = Following(self.repository, self.state_directory)
        with open_repository(self.repository) as opened:
            foretold = preview_start(opened, self.repository, self.state_directory)
        name, commit = later.look()
        assert (foretold.served and foretold.served.id) == commit
        assert (foretold.refusal is None) == (name in ("in-sync", "starting"))
        return later


@pytest.fixture
def following(tmp_path: Path) -> Following:
    """It has served the second commit of a repository that has an id."""
    repository = init(tmp_path / "locations.git", "--empty")
    for files in (GOOD, PERTH):
        force_commit(repository, files)
    following = Following(repository, tmp_path / "state")
    following.look()
    return following


def make_anew(repository: Path, *, with_id: bool = True) -> str:
    """The repository is lost, and a new one stands in its place."""
    repository.rename(repository.with_name("lost.git"))
    if with_id:
        init(repository, "--empty")
    else:
        make_repository(repository, SAMPLE)
    return force_commit(repository, SAMPLE)


def forget(repository: Path, ref: str = LAST_GOOD) -> None:
    git("update-ref", "-d", ref, cwd=repository)


@pytest.mark.parametrize("with_id", [True, False])
def test_a_repository_made_anew_is_rejected_with_both_named_until_it_is_accepted(
    following: Following, with_id: bool
) -> None:
    old = tip(following.repository)
    new = make_anew(following.repository, with_id=with_id)
    for process in (following, following.restart(), following.restart().restart()):
        assert process.look() == ("rejected", old)
        assert f"commit {new[:10]} " in process.message()
        assert f"commit {old[:10]}, which was served last" in process.message()
        later = force_commit(following.repository, SAMPLE)
        assert process.look() == ("rejected", old)
        new = later
    done = run_program("accept-history", "--repo", following.repository)
    assert (done.returncode, done.stderr) == (0, "")
    assert process.look() == ("in-sync", new)
    assert process.restart().told == ("in-sync", new)
    force_commit(following.repository, BAD)
    assert process.restart().told == ("rejected", new)


def test_the_command_that_the_message_names_is_the_one_that_helps(following: Following) -> None:
    make_anew(following.repository)
    following.look()
    command = following.message().rpartition("it waits for: location-policy ")[2].split(" ")
    assert run_program(*command).returncode == 0
    assert following.look()[0] == "in-sync"


def test_an_orphan_branch_in_place_of_the_served_one_is_rejected(following: Following) -> None:
    old = tip(following.repository)
    orphan = force_commit(following.repository, SAMPLE, "refs/heads/orphan")
    git("update-ref", "refs/heads/main", orphan, cwd=following.repository)
    assert following.look() == ("rejected", old)
    assert following.restart().told == ("rejected", old)
    git("update-ref", "refs/heads/main", old, cwd=following.repository)
    assert following.look() == ("in-sync", old)


def test_another_branch_of_the_same_repository_is_followed_by_the_word_of_its_administrator(
    following: Following,
) -> None:
    other = force_commit(following.repository, SAMPLE, "refs/heads/other")
    git("symbolic-ref", "HEAD", "refs/heads/other", cwd=following.repository)
    assert following.look() == ("in-sync", other)


def test_a_history_that_was_forced_from_an_older_commit_on_is_the_same(following: Following) -> None:
    git("update-ref", "refs/heads/main", "main~1", cwd=following.repository)
    forced = force_commit(following.repository, SAMPLE)
    forget(following.repository)
    git("gc", "--quiet", "--prune=now", cwd=following.repository)
    assert following.restart().told == ("in-sync", forced)


def test_an_older_backup_with_its_id_is_the_same_history(following: Following, tmp_path: Path) -> None:
    shutil.copytree(following.repository, tmp_path / "backup.git")
    force_commit(following.repository, GOOD)
    following.look()
    shutil.rmtree(following.repository)
    (tmp_path / "backup.git").rename(following.repository)
    assert following.look() == ("in-sync", tip(following.repository))


def test_the_same_commit_is_the_same_history_whatever_the_id(following: Following, tmp_path: Path) -> None:
    git("clone", "--quiet", "--bare", following.repository, tmp_path / "copy.git", cwd=tmp_path)
    init(tmp_path / "copy.git")
    following.repository.rename(tmp_path / "lost.git")
    (tmp_path / "copy.git").rename(following.repository)
    assert following.restart().told == ("in-sync", tip(following.repository))
    new = force_commit(following.repository, GOOD)
    assert following.restart().told == ("in-sync", new)


def test_a_shallow_clone_that_knows_no_parent_is_taken(tmp_path: Path) -> None:
    origin = make_repository(tmp_path / "origin.git", GOOD)
    place, state = tmp_path / "clone.git", tmp_path / "state"
    for _ in range(2):
        force_commit(origin, PERTH)
        git("clone", "--quiet", "--bare", "--depth=1", origin.as_uri(), place, cwd=tmp_path)
        following = Following(place, state)
        assert following.look() == ("in-sync", tip(origin))
        shutil.rmtree(place)


def test_the_first_commit_of_an_empty_repository_is_taken(tmp_path: Path) -> None:
    following = Following(init(tmp_path / "locations.git", "--empty"), tmp_path / "state")
    assert following.look() == ("starting", None)
    assert following.restart().look() == ("starting", None)
    first = force_commit(following.repository, GOOD)
    assert following.look() == ("in-sync", first)


def test_an_empty_repository_in_place_of_one_that_was_served_leaves_its_content_in_force(
    following: Following,
) -> None:
    old = tip(following.repository)
    following.repository.rename(following.repository.with_name("lost.git"))
    init(following.repository, "--empty")
    assert following.look() == ("unreachable", old)
    force_commit(following.repository, SAMPLE)
    assert following.look() == ("rejected", old)


def test_a_repository_that_gets_an_id_only_now_is_the_same(tmp_path: Path) -> None:
    following = Following(make_repository(tmp_path / "locations.git", GOOD), tmp_path / "state")
    following.look()
    init(following.repository)
    new = force_commit(following.repository, PERTH)
    assert following.look() == ("in-sync", new)
    assert following.restart().told == ("in-sync", new)


def test_ancestors_of_a_head_of_another_history_are_not_served(following: Following) -> None:
    forget(following.repository)
    path = following.state_directory / last_good.FILE_NAME
    stored = last_good.load(following.state_directory)
    assert stored
    make_anew(following.repository)
    broken = last_good.LastGood(stored.identity, stored.commit, (), stored.roots)
    last_good.save(following.state_directory, broken)
    later = Following(following.repository, following.state_directory)
    assert later.look() == ("rejected", None)
    path.unlink()
    assert following.restart().look()[0] == "in-sync"


def test_a_lost_ancestor_is_no_other_history(following: Following) -> None:
    lost = git("rev-parse", "main~1", cwd=following.repository)
    (following.repository / "objects" / lost[:2] / lost[2:]).unlink()
    new = git("commit-tree", "main^{tree}", "-p", "main", "-m", "x", cwd=following.repository)
    git("update-ref", "refs/heads/main", new, cwd=following.repository)
    assert following.look() == ("in-sync", new)


def test_a_remote_is_followed_when_it_is_forced_and_not_when_it_is_another(tmp_path: Path) -> None:
    remote, state = make_repository(tmp_path / "remote.git", GOOD), tmp_path / "state"
    for files in (PERTH, GOOD):
        force_commit(remote, files)
    mirror = Mirror(remote.as_uri(), state, None, interval=0)
    mirror.make()
    active = ActiveState()
    refresher = Refresher(mirror.directory, active, state, mirror)
    refresher.look()
    git("update-ref", "refs/heads/main", "main~1", cwd=remote)
    forced = force_commit(remote, SAMPLE)
    refresher.look()
    assert (active.state.name, tip(mirror.directory, LAST_GOOD)) == ("in-sync", forced)
    git("update-ref", "-d", "refs/heads/main", cwd=remote)
    other = force_commit(remote, SAMPLE)
    refresher.look()
    assert (active.state.name, tip(mirror.directory, LAST_GOOD)) == ("rejected", forced)
    done = run_program("accept-history", "--repo", remote.as_uri(), "--state-dir", state)
    assert done.returncode == 0, done.stderr
    refresher.look()
    assert (active.state.name, tip(mirror.directory, LAST_GOOD)) == ("in-sync", other)


def test_without_a_commit_there_is_nothing_to_accept(tmp_path: Path) -> None:
    done = run_program("accept-history", "--repo", init(tmp_path / "locations.git", "--empty"))
    assert done.returncode == 2
    assert "branch main has no commit" in done.stderr


def test_doctor_tells_of_another_history_and_how_to_accept_it(following: Following) -> None:
    make_anew(following.repository)
    asked = ("--repo", following.repository, "--state-dir", following.state_directory)
    done = run_program("doctor", *asked)
    assert "commit" in done.stdout
    assert f"location-policy accept-history --repo {following.repository}" in done.stdout
    assert run_program("accept-history", "--repo", following.repository).returncode == 0
    Following(following.repository, following.state_directory).look()
    assert "accept-history" not in run_program("doctor", *asked).stdout
