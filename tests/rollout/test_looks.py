"""A look asks the file system first, and git only when it must; the tip that git tells is seen all the same."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from location_policy.gate.overrides import Override, write_note
from location_policy.repository.remote.mirror import Mirror
from location_policy.repository.repository import Repository, open_repository
from location_policy.rollout import change_detector
from location_policy.rollout import refresher as refresh
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState
from tests.support.repositories import BAD, GOOD, force_commit, git, init, make_repository, run_git

OTHER = {"locations/apac.csv": "Perth,10.61.2.0/24\n"}


@dataclass
class Looking:
    """A process that looks at a repository, without the process; `asked` counts how often git was."""

    place: Path
    state_directory: Path
    mirror: Mirror | None = None
    active: ActiveState = field(default_factory=ActiveState)
    asked: int = 0

    def __post_init__(self) -> None:
        self.refresher = Refresher(self.place, self.active, self.state_directory, self.mirror)

    @contextmanager
    def open(self, place: Path) -> Iterator[Repository]:
        self.asked += 1
        with open_repository(place) as repository:
            yield repository

    def look(self) -> bool:
        """Was git asked?"""
        before = self.asked
        self.refresher.look()
        return self.asked > before

    def rest(self) -> None:
        """Look until git is asked no more."""
        assert any(not self.look() for _ in range(8))

    @property
    def head(self) -> str | None:
        return self.active.state.head.commit.id if self.active.state.head else None


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nothing has to settle for long."""
    monkeypatch.setattr(change_detector, "SETTLING", 0.0)
    return monkeypatch


def looking_at(place: Path, state: Path, patch: pytest.MonkeyPatch, mirror: Mirror | None = None) -> Looking:
    looking = Looking(place, state, mirror)
    patch.setattr(refresh, "open_repository", looking.open)
    return looking


@pytest.fixture
def looking(tmp_path: Path, quick: pytest.MonkeyPatch) -> Looking:
    """One at rest."""
    looking = looking_at(make_repository(tmp_path / "locations.git", GOOD), tmp_path / "state", quick)
    looking.rest()
    return looking


def tip(place: Path, ref: str = "HEAD") -> str:
    return git("rev-parse", ref, cwd=place)


def test_git_is_not_asked_while_nothing_changes(looking: Looking) -> None:
    before = looking.active.state
    assert not any(looking.look() for _ in range(50))
    after = looking.active.state
    assert after.last_checked_at
    assert before.last_checked_at
    assert after.last_checked_at > before.last_checked_at
    assert (after.name, after.snapshot) == ("in-sync", before.snapshot)


def test_a_hurry_asks_git_once(looking: Looking) -> None:
    looking.refresher.hurry()
    assert looking.look()
    assert not looking.look()


def pack_and_move(place: Path) -> None:
    git("pack-refs", "--all", "--prune", cwd=place)
    force_commit(place, OTHER)


def restore_with_old_times(place: Path) -> None:
    """A copy that was made before comes back as `cp -a` brings it."""
    new = force_commit(place, OTHER, "refs/heads/aside")
    path = place / "refs" / "heads" / "main"
    before = path.stat()
    path.write_text(f"{new}\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def point_head_elsewhere(place: Path) -> None:
    force_commit(place, OTHER, "refs/heads/team/one")
    git("symbolic-ref", "HEAD", "refs/heads/team/one", cwd=place)


def detach(place: Path) -> None:
    (place / "HEAD").write_text(force_commit(place, OTHER, "refs/heads/aside") + "\n")


def replace_repository(place: Path) -> None:
    copy = place.with_name("copy.git")
    shutil.copytree(place, copy)
    force_commit(copy, OTHER)
    place.rename(place.with_name("old.git"))
    copy.rename(place)


MOVES: dict[str, Callable[[Path], object]] = {
    "update-ref": lambda place: force_commit(place, OTHER),
    "packed and moved": pack_and_move,
    "restored with old times": restore_with_old_times,
    "another branch": point_head_elsewhere,
    "detached": detach,
    "replaced": replace_repository,
}


@pytest.mark.parametrize("move", MOVES)
def test_each_way_to_move_head_is_seen_at_the_next_look(looking: Looking, move: str) -> None:
    before = looking.head
    MOVES[move](looking.place)
    looking.look()
    assert looking.head == tip(looking.place) != before
    looking.rest()


def test_packing_alone_changes_nothing(looking: Looking) -> None:
    before = looking.active.state.snapshot
    git("pack-refs", "--all", "--prune", cwd=looking.place)
    assert looking.look()
    looking.rest()
    assert looking.active.state.snapshot is before


def test_a_configured_branch_is_seen(looking: Looking) -> None:
    other = force_commit(looking.place, OTHER, "refs/heads/other")
    git("config", "location-policy.branch", "other", cwd=looking.place)
    looking.look()
    assert looking.head == other
    looking.rest()
    newer = force_commit(looking.place, GOOD, "refs/heads/other")
    looking.look()
    assert looking.head == newer


def test_a_config_that_includes_others_is_read_by_git_each_time(looking: Looking, tmp_path: Path) -> None:
    other = force_commit(looking.place, OTHER, "refs/heads/other")
    git("config", "include.path", str(tmp_path / "more"), cwd=looking.place)
    assert all(looking.look() for _ in range(5))
    (tmp_path / "more").write_text("[location-policy]\n\tbranch = other\n")
    looking.look()
    assert looking.head == other


def test_a_linked_working_copy_is_seen_to_move(tmp_path: Path, quick: pytest.MonkeyPatch) -> None:
    repository = make_repository(tmp_path / "locations.git", GOOD)
    force_commit(repository, GOOD, "refs/heads/other")
    linked = tmp_path / "linked"
    git("worktree", "add", "--quiet", linked, "other", cwd=repository)
    looking = looking_at(linked, tmp_path / "state", quick)
    looking.rest()
    for ref in ("refs/heads/other", "refs/heads/third"):
        force_commit(repository, OTHER if looking.head == tip(repository, "other") else GOOD, ref)
        git("symbolic-ref", "HEAD", ref, cwd=linked)
        looking.look()
        assert looking.head == tip(repository, ref)
        looking.rest()


def test_a_repository_of_reftable_is_seen_to_move(tmp_path: Path, quick: pytest.MonkeyPatch) -> None:
    repository = tmp_path / "locations.git"
    done = run_git("init", "--quiet", "--bare", "--ref-format=reftable", repository, cwd=tmp_path)
    if done.returncode:
        pytest.skip("this git knows no reftable")  # before 2.45
    git("symbolic-ref", "HEAD", "refs/heads/main", cwd=repository)  # pragma: no cover  as above
    force_commit(repository, GOOD)  # pragma: no cover
    looking = looking_at(repository, tmp_path / "state", quick)  # pragma: no cover
    looking.rest()  # pragma: no cover
    new = force_commit(repository, OTHER)  # pragma: no cover
    looking.look()  # pragma: no cover
    assert looking.head == new  # pragma: no cover


def test_a_hook_that_goes_is_seen(tmp_path: Path, quick: pytest.MonkeyPatch) -> None:
    looking = looking_at(init(tmp_path / "locations.git"), tmp_path / "state", quick)
    looking.rest()
    before = looking.active.state.hook
    (looking.place / "hooks" / "pre-receive").unlink()
    looking.look()
    assert (before.state, looking.active.state.hook.state) == ("ok", "missing")


def test_a_note_on_what_is_in_force_is_seen(looking: Looking) -> None:
    at = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    text = write_note(Override("subnets", "1 %", "2 %", "moved", "alice", at))
    git("notes", "--ref=refs/notes/location-policy", "add", "-m", text, "main", cwd=looking.place)
    looking.look()
    assert looking.active.state.override


def test_a_rejected_commit_is_not_judged_again_and_again(looking: Looking) -> None:
    force_commit(looking.place, BAD)
    looking.look()
    looking.rest()
    assert looking.active.state.name == "rejected"
    new = force_commit(looking.place, OTHER)
    looking.look()
    assert (looking.active.state.name, looking.head) == ("in-sync", new)


# --- something is wrong: git is asked at each look ---


def test_a_damaged_object_is_looked_for_until_it_is_whole(looking: Looking) -> None:
    new = force_commit(looking.place, OTHER)
    blob = tip(looking.place, "HEAD:locations/apac.csv")
    path = looking.place / "objects" / blob[:2] / blob[2:]
    away = path.rename(looking.place / "away")
    assert all(looking.look() for _ in range(10))
    assert looking.active.state.name == "unreachable"
    away.rename(path)
    looking.look()
    assert (looking.active.state.name, looking.head) == ("in-sync", new)
    looking.rest()


def test_a_repository_out_of_reach_is_looked_for(looking: Looking) -> None:
    looking.place.rename(looking.place.with_name("away"))
    assert all(looking.look() for _ in range(5))
    away = looking.active.state.name
    looking.place.with_name("away").rename(looking.place)
    looking.look()
    assert (away, looking.active.state.name) == ("unreachable", "in-sync")


def test_a_branch_without_a_commit_is_waited_for(tmp_path: Path, quick: pytest.MonkeyPatch) -> None:
    git("init", "--quiet", "--bare", "--initial-branch=main", tmp_path / "locations.git", cwd=tmp_path)
    looking = looking_at(tmp_path / "locations.git", tmp_path / "state", quick)
    assert all(looking.look() for _ in range(5))


def test_what_could_not_be_kept_is_tried_again(tmp_path: Path, quick: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    looking = looking_at(make_repository(tmp_path / "locations.git", GOOD), tmp_path / "file" / "state", quick)
    assert all(looking.look() for _ in range(8))


def test_a_commit_without_a_signature_is_judged_until_it_may_pass(looking: Looking, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("")
    git("config", "location-policy.allowedSigners", str(keys), cwd=looking.place)
    git("config", "location-policy.requireSignatures", "tip", cwd=looking.place)
    looking.look()
    force_commit(looking.place, OTHER)
    assert all(looking.look() for _ in range(8))
    assert looking.active.state.name == "rejected"


def test_a_change_of_the_keys_is_seen(looking: Looking, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("")
    git("config", "location-policy.allowedSigners", str(keys), cwd=looking.place)
    looking.look()
    looking.rest()
    keys.unlink()
    looking.look()
    assert looking.active.state.signatures_problem


# --- a copy of a remote ---


def test_a_copy_asks_git_when_it_fetches(tmp_path: Path, quick: pytest.MonkeyPatch) -> None:
    remote = make_repository(tmp_path / "remote.git", GOOD)
    mirror = Mirror(remote.as_uri(), tmp_path, None, interval=3600)
    mirror.make()
    looking = looking_at(mirror.directory, tmp_path / "state", quick, mirror)
    looking.rest()
    fetched_at = mirror.fetched_at
    assert (looking.head, looking.active.state.last_checked_at) == (tip(remote), fetched_at)
    new = force_commit(remote, OTHER)
    assert not looking.look()
    assert looking.active.state.last_checked_at == fetched_at
    mirror.hurry()
    assert looking.look()
    assert looking.head == new


def test_a_copy_whose_remote_has_nothing_new_is_not_read(tmp_path: Path, quick: pytest.MonkeyPatch) -> None:
    remote = make_repository(tmp_path / "remote.git", GOOD)
    mirror = Mirror(remote.as_uri(), tmp_path, None, interval=0)
    mirror.make()
    looking = looking_at(mirror.directory, tmp_path / "state", quick, mirror)
    looking.rest()
    looks = mirror.looks.ok
    assert not any(looking.look() for _ in range(5))
    assert mirror.looks.ok == looks + 5
    assert looking.active.state.last_checked_at == mirror.fetched_at
    new = force_commit(remote, OTHER)
    assert looking.look()
    assert looking.head == new


# --- any series of changes ---

OPERATIONS = ("move", "move back", "pack", "prune", "point", "detach", "delete", "configure", "restore", "nothing")


def operate(repository: Path, operation: str, commits: list[str], branch: str, number: int) -> None:
    ref, commit = f"refs/heads/{branch}", commits[number]
    if operation in ("move", "move back"):
        git("update-ref", ref, commit, cwd=repository)
    elif operation in ("pack", "prune"):
        git("pack-refs", "--all", *(["--prune"] if operation == "prune" else ["--no-prune"]), cwd=repository)
    elif operation == "point":
        git("symbolic-ref", "HEAD", ref, cwd=repository)
    elif operation == "detach":
        git("update-ref", "--no-deref", "HEAD", commit, cwd=repository)
    elif operation == "delete":
        git("update-ref", "-d", ref, cwd=repository)
    elif operation == "configure":
        git("config", "location-policy.branch", branch if number else "", cwd=repository)
    elif operation == "restore":
        path = repository / ref
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{commit}\n")
        os.utime(path, ns=(1, 1))


def tip_that_git_says(repository: Path) -> str | None:
    branch = run_git("config", "location-policy.branch", cwd=repository).stdout.strip()
    ref = f"refs/heads/{branch}" if branch else "HEAD"
    return run_git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", cwd=repository).stdout.strip() or None


STEPS = some.lists(
    some.tuples(some.sampled_from(OPERATIONS), some.sampled_from(["main", "team/one"]), some.integers(0, 2)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_after_any_changes_of_refs_a_look_sees_the_tip_that_git_says(
    steps: list[tuple[str, str, int]], quick: pytest.MonkeyPatch
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        repository = make_repository(folder / "locations.git", GOOD)
        commits = [force_commit(repository, files, "refs/heads/aside") for files in (GOOD, OTHER, GOOD)]
        looking = looking_at(repository, folder / "state", quick)
        looking.rest()
        for operation, branch, number in steps:
            operate(repository, operation, commits, branch, number)
            looking.look()
            assert looking.head == tip_that_git_says(repository)
            if looking.head:
                looking.rest()
