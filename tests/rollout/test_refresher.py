"""One look at the source after another, in this process, with real repositories."""

from __future__ import annotations

import logging
import os
import re
import socket
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from location_policy import __version__
from location_policy.config.files import FILE_LIMIT, File
from location_policy.net.addresses import parse_address
from location_policy.repository.remote.mirror import Mirror
from location_policy.rollout import last_good
from location_policy.rollout.persistence import LAST_GOOD
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.snapshot_builder import SnapshotBuilder
from location_policy.rollout.state import ActiveState, State
from tests.support.repositories import (
    BAD,
    GOOD,
    force_commit,
    force_entry,
    forge_blob,
    git,
    init,
    make_repository,
    run_git,
)
from tests.support.rollouts import read
from tests.support.service import DEADLINE

OTHER = {"locations/apac.csv": "Perth,10.61.2.0/24\n"}
UNKNOWN = {"locations/apac.csv": "Sidney,10.61.2.0/24\n", "policy.toml": '[locations]\nknown = ["Sydney"]\n'}
"""Good for a version that did not judge names."""


@dataclass
class Following:
    """A process that follows a repository, without the process."""

    repository: Path
    state_directory: Path
    active: ActiveState = field(default_factory=ActiveState)

    def __post_init__(self) -> None:
        self.refresher = Refresher(self.repository, self.active, self.state_directory)

    def look(self) -> State:
        """The state after one more look."""
        self.refresher.refresh()
        return self.active.state

    def restart(self) -> Following:
        """A new process in the place of this one."""
        return Following(self.repository, self.state_directory)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", GOOD)


@pytest.fixture
def following(repository: Path, tmp_path: Path) -> Following:
    (tmp_path / "state").mkdir()
    return Following(repository, tmp_path / "state")


def active_commit(state: State) -> str | None:
    return state.snapshot.commit.id if state.snapshot and state.snapshot.commit else None


def head_of(repository: Path, ref: str = "refs/heads/main") -> str:
    return git("rev-parse", ref, cwd=repository)


def forget(repository: Path, ref: str = LAST_GOOD) -> None:
    git("update-ref", "-d", ref, cwd=repository)


def message(state: State) -> str:
    return state.failure.message if state.failure else ""


# --- following ---


def test_head_is_put_in_force(following: Following, repository: Path) -> None:
    state = following.look()
    assert (state.name, active_commit(state), state.branch) == ("in-sync", head_of(repository), "main")
    assert state.head
    assert state.head.commit.subject == "Force it in"
    assert state.last_checked_at
    assert state.last_changed_at == state.head.seen_at


def test_a_look_that_finds_nothing_new_loads_nothing(following: Following) -> None:
    first, second = following.look(), following.look()
    assert second.snapshot is first.snapshot
    assert second.last_changed_at == first.last_changed_at
    assert second.last_checked_at
    assert first.last_checked_at
    assert second.last_checked_at >= first.last_checked_at


def test_of_two_quick_commits_the_newest_wins(following: Following, repository: Path) -> None:
    following.look()
    passed_by, newest = force_commit(repository, OTHER), force_commit(repository, GOOD)
    assert active_commit(following.look()) == newest != passed_by


def test_a_bad_commit_leaves_the_good_one_in_force_and_tells_every_problem(
    following: Following, repository: Path
) -> None:
    good = active_commit(following.look())
    bad = force_commit(repository, {"locations.csv": "Sydney,10.61.3.0/23\nSydney,10.61.2.0/24/\n"})
    state = following.look()
    assert (state.name, active_commit(state)) == ("rejected", good)
    assert state.failure
    assert state.failure.commit == bad
    assert [problem.code for problem in state.failure.problems] == ["host-bits", "not-a-subnet"]


def test_a_good_commit_ends_a_rejection(following: Following, repository: Path) -> None:
    following.look()
    force_commit(repository, BAD)
    assert following.look().name == "rejected"
    force_commit(repository, OTHER)
    state = following.look()
    assert (state.name, state.failure) == ("in-sync", None)


def test_going_back_to_the_commit_in_force_loads_nothing(following: Following, repository: Path) -> None:
    first = following.look()
    force_commit(repository, BAD)
    following.look()
    git("update-ref", "refs/heads/main", str(active_commit(first)), cwd=repository)
    state = following.look()
    assert (state.name, state.failure) == ("in-sync", None)
    assert state.snapshot is first.snapshot


def test_an_empty_repository_is_waited_for(tmp_path: Path) -> None:
    repository = init(tmp_path / "locations.git", "--empty")
    following = Following(repository, tmp_path)
    state = following.look()
    assert (state.name, state.failure, state.branch) == ("starting", None, "main")
    force_commit(repository, GOOD)
    assert following.look().name == "in-sync"


def test_an_empty_repository_that_goes_away_is_unreachable(tmp_path: Path) -> None:
    repository = init(tmp_path / "locations.git", "--empty")
    following = Following(repository, tmp_path)
    following.look()
    repository.rename(tmp_path / "away")
    assert following.look().name == "unreachable"


def test_a_branch_with_the_whole_name_of_the_unborn_one_in_its_own_is_not_served(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "locations.git", GOOD)
    git("update-ref", "refs/heads/refs/heads/main", "main", cwd=repository)
    git("update-ref", "-d", "refs/heads/main", cwd=repository)
    state = Following(repository, tmp_path / "state").look()
    assert (active_commit(state), state.head) == (None, None)
    assert message(state) == "branch main has no commit; branches here: refs/heads/main"


def test_a_branch_that_is_not_there_is_told_with_those_that_are(
    following: Following, repository: Path, caplog: pytest.LogCaptureFixture
) -> None:
    git("branch", "-m", "main", "trunk", cwd=repository)
    git("symbolic-ref", "HEAD", "refs/heads/main", cwd=repository)
    following.look()
    state = following.look()
    assert (state.name, message(state)) == ("starting", "branch main has no commit; branches here: trunk")
    assert caplog.messages.count("nothing to follow: branch main has no commit; branches here: trunk") == 1


def test_of_very_many_branches_the_first_are_told(following: Following, repository: Path) -> None:
    main = git("rev-parse", "main", cwd=repository)
    lines = "".join(f"create refs/heads/{'b' * 200}-{number:04} {main}\n" for number in range(3_000))
    git("branch", "-m", "main", "a", cwd=repository)
    git("symbolic-ref", "HEAD", "refs/heads/main", cwd=repository)
    assert run_git("update-ref", "--stdin", cwd=repository, stdin=lines.encode()).returncode == 0
    said = message(following.look())
    assert said
    assert said.endswith(f"{'b' * 200}-0018 and 2,981 more")
    assert len(said) < 5_000


def test_a_served_branch_that_is_deleted_keeps_its_last_content(following: Following, repository: Path) -> None:
    good = active_commit(following.look())
    git("branch", "side", cwd=repository)
    git("update-ref", "-d", "refs/heads/main", cwd=repository)
    state = following.look()
    assert (state.name, active_commit(state), state.head) == ("unreachable", good, None)
    assert message(state) == "branch main has no commit; branches here: side"
    git("update-ref", "refs/heads/main", str(good), cwd=repository)
    assert following.look().name == "in-sync"


def test_the_last_branch_that_is_deleted_keeps_its_last_content(following: Following, repository: Path) -> None:
    good = active_commit(following.look())
    git("update-ref", "-d", "refs/heads/main", cwd=repository)
    state = following.look()
    assert (state.name, active_commit(state), message(state)) == ("unreachable", good, "branch main has no commit")


def test_head_pointed_at_another_branch_is_followed(following: Following, repository: Path) -> None:
    following.look()
    other = force_commit(repository, OTHER, "refs/heads/other")
    git("symbolic-ref", "HEAD", "refs/heads/other", cwd=repository)
    state = following.look()
    assert (state.branch, active_commit(state)) == ("other", other)


def test_a_configured_branch_is_followed_whatever_head_names(following: Following, repository: Path) -> None:
    other = force_commit(repository, OTHER, "refs/heads/other")
    git("config", "location-policy.branch", "other", cwd=repository)
    assert active_commit(following.look()) == other


def test_a_detached_head_is_followed(following: Following, repository: Path) -> None:
    git("update-ref", "--no-deref", "HEAD", head_of(repository), cwd=repository)
    (repository / "HEAD").write_text(head_of(repository) + "\n")
    state = following.look()
    assert (state.name, state.branch) == ("in-sync", "HEAD")


def test_packed_refs_are_read_and_a_push_after_packing_too(following: Following, repository: Path) -> None:
    git("pack-refs", "--all", "--prune", cwd=repository)
    assert following.look().name == "in-sync"
    newer = force_commit(repository, OTHER)
    assert active_commit(following.look()) == newer


def test_a_working_copy_is_followed_by_what_is_committed(tmp_path: Path) -> None:
    git("init", "--quiet", "--initial-branch=main", tmp_path / "map", cwd=tmp_path)
    (tmp_path / "map" / "locations.csv").write_text("Sydney,10.61.2.0/24\n")
    git("add", ".", cwd=tmp_path / "map")
    git("commit", "-qm", "x", cwd=tmp_path / "map")
    (tmp_path / "map" / "locations.csv").write_text("not committed")
    state = Following(tmp_path / "map", tmp_path).look()
    assert (state.name, state.hook.state) == ("in-sync", "none")


def test_a_sha256_repository_is_followed_and_survives_a_restart(tmp_path: Path) -> None:
    repository = tmp_path / "locations.git"
    git("init", "--quiet", "--bare", "--object-format=sha256", "--initial-branch=main", repository, cwd=tmp_path)
    good = force_commit(repository, GOOD)
    following = Following(repository, tmp_path)
    assert (len(good), active_commit(following.look())) == (64, good)
    force_commit(repository, BAD)
    state = following.restart().look()
    assert (state.name, active_commit(state)) == ("rejected", good)


def test_the_log_counts_the_rows_of_views_too(
    following: Following, repository: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    rules = '[[view]]\nname = "edge"\nlocation = "DMZ"\n'
    force_commit(repository, {**GOOD, "policy.toml": rules, "views/edge/locations.csv": "Oslo,10.0.0.0/8\n"})
    following.look()
    (line,) = (text for text in caplog.messages if text.startswith("active "))
    assert re.fullmatch(r"active commit=\w+ subnets=3 took=\d\.\d\ds views=1", line)


# --- a source out of reach ---


RESTORE = "mount or restore it: what was served of it goes on meanwhile"
"""What is advised where there is content: a repository made anew would have another history."""


def test_a_repository_moved_away_and_back_is_told_and_then_forgotten(
    following: Following, repository: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    good = active_commit(following.look())
    repository.rename(repository.with_name("away"))
    following.look()
    state = following.look()
    assert (state.name, active_commit(state)) == ("unreachable", good)
    assert message(state) == f"{repository} does not exist"
    assert state.failure
    assert state.failure.hint == RESTORE
    assert "make it with" not in caplog.text
    repository.with_name("away").rename(repository)
    state = following.look()
    assert (state.name, state.failure) == ("in-sync", None)
    told = [text.split(" ")[0] for text in caplog.messages]
    assert (told.count("unreachable"), told.count("reachable")) == (1, 1)


def test_a_repository_replaced_by_rename_is_followed(following: Following, repository: Path, tmp_path: Path) -> None:
    following.look()
    new = tmp_path / "new.git"
    git("clone", "--quiet", "--bare", repository, new, cwd=tmp_path)
    force_commit(new, OTHER)
    repository.rename(tmp_path / "old.git")
    new.rename(repository)
    assert active_commit(following.look()) == head_of(repository)


def test_a_head_of_which_a_part_is_missing_leaves_the_good_one_in_force(
    following: Following, repository: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = active_commit(following.look())
    force_commit(repository, OTHER)
    lose(repository, "refs/heads/main:locations/apac.csv")
    following.look()
    state = following.look()
    assert (state.name, active_commit(state)) == ("unreachable", good)
    assert "cannot be read" in message(state)
    assert sum("cannot be read" in text for text in caplog.messages) == 1


def test_a_head_of_which_a_part_is_missing_at_start_gives_way_to_the_last_good_commit(
    following: Following, repository: Path
) -> None:
    good = active_commit(following.look())
    force_commit(repository, OTHER)
    lose(repository, "refs/heads/main:locations/apac.csv")
    (following.state_directory / last_good.FILE_NAME).unlink()
    state = following.restart().look()
    assert (state.name, active_commit(state)) == ("last-good", good)


def test_a_head_of_which_a_part_is_missing_gives_way_to_what_it_follows_where_nothing_was_served(
    following: Following, repository: Path
) -> None:
    good = git("rev-parse", "refs/heads/main", cwd=repository)
    force_commit(repository, OTHER)
    lose(repository, "refs/heads/main:locations/apac.csv")
    state = following.look()
    assert (state.name, active_commit(state)) == ("last-good", good)
    assert state.failure
    lose(repository, "refs/heads/main")
    state = following.restart().look()
    assert (state.name, active_commit(state)) == ("last-good", good)


def lose(repository: Path, revision: str) -> None:
    blob = git("rev-parse", revision, cwd=repository)
    (repository / "objects" / blob[:2] / blob[2:]).unlink()


def test_a_commit_that_is_lost_is_told_as_lost(following: Following, repository: Path) -> None:
    good = active_commit(following.look())
    new = force_commit(repository, OTHER)
    lose(repository, new)
    state = following.look()
    assert (state.name, active_commit(state)) == ("unreachable", good)
    assert message(state) == f"refs/heads/main names {new}, which is lost: no such commit is here"
    (repository / "refs" / "heads" / "main").write_text("")
    assert message(following.look()) == "refs/heads/main cannot be read: its file names no commit"
    (repository / "refs" / "heads" / "main").write_text(f"{good}\n")
    assert following.look().name == "in-sync"


def test_a_lost_blob_of_what_is_served_from_disk_is_told_until_it_is_back(
    following: Following, repository: Path
) -> None:
    good = active_commit(following.look())
    blob = git("rev-parse", "refs/heads/main:locations/apac.csv", cwd=repository)
    path = repository / "objects" / blob[:2] / blob[2:]
    path.rename(path.with_name("away"))
    later = following.restart()
    for _ in range(3):
        state = later.look()
        assert (state.name, active_commit(state)) == ("unreachable", good)
        assert message(state) == f"object {blob} cannot be read"
    path.with_name("away").rename(path)
    assert later.look().name == "in-sync"


def test_the_state_is_never_last_good_while_head_is_known_to_be_in_force(
    following: Following, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[State] = []
    change = ActiveState.change

    def noting(active: ActiveState, **fields: object) -> State:
        seen.append(change(active, **fields))
        return seen[-1]

    monkeypatch.setattr(ActiveState, "change", noting)
    following.look()
    following.restart().look()
    force_commit(repository, OTHER)
    following.restart().look()
    for state in seen:
        is_in_force = state.head is not None and state.head.commit.id == active_commit(state)
        assert not is_in_force or state.name in ("behind", "in-sync")
    assert [state.name for state in seen if active_commit(state) == head_of(repository)]


def test_what_nobody_expected_is_told_and_ends_nothing(
    repository: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    following = Following(repository, tmp_path / "\0")
    assert "ValueError: " in (message(following.look()) or "")
    assert following.look().name == "in-sync"
    assert [bool(record.exc_info) for record in caplog.records if record.levelno == logging.ERROR] == [True]


def test_a_process_that_cannot_build_a_map_is_told_and_what_was_good_stays_in_force(
    following: Following, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = active_commit(following.look())
    following.refresher._activator._loader = SnapshotBuilder(large=0)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", "/bin/false")
        new = force_commit(repository, OTHER)
        state = following.look()
        assert (state.name, active_commit(state)) == ("unreachable", good)
        assert message(state) == "the process that built the map ended with status 1"
    following.refresher._activator._loader = SnapshotBuilder(large=0)
    state = following.look()
    assert (state.name, active_commit(state), state.failure) == ("in-sync", new, None)


def test_without_a_process_to_build_it_nothing_is_served_until_there_is_one(
    following: Following, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = active_commit(following.look())
    for away in (False, True):
        if away:
            repository.rename(repository.with_name("away"))
        later = following.restart()
        later.refresher._activator._loader = SnapshotBuilder(large=0)
        with monkeypatch.context() as patched:
            patched.setattr(sys, "executable", "/bin/false")
            assert active_commit(later.look()) is None
        later.refresher._activator._loader = SnapshotBuilder(large=0)
        assert active_commit(later.look()) == good


def test_a_git_that_goes_away_is_told(following: Following, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    following.look()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert following.look().name == "unreachable"
    monkeypatch.undo()
    assert following.look().name == "in-sync"


# --- after a restart ---


def test_a_rejected_head_is_rejected_after_a_restart_too(following: Following, repository: Path) -> None:
    good = active_commit(following.look())
    bad = force_commit(repository, BAD)
    state = following.restart().look()
    assert (state.name, active_commit(state)) == ("rejected", good)
    assert state.failure
    assert state.failure.commit == bad


def test_the_last_good_commit_survives_being_forced_away_and_collected(following: Following, repository: Path) -> None:
    good = active_commit(following.look())
    forget(repository, "refs/heads/main")
    force_commit(repository, BAD)
    git("reflog", "expire", "--expire=now", "--all", cwd=repository)
    git("gc", "--quiet", "--prune=now", cwd=repository)
    (following.state_directory / last_good.FILE_NAME).unlink()
    assert active_commit(following.restart().look()) == good


def test_the_last_good_content_survives_without_its_commit(following: Following, repository: Path) -> None:
    good = active_commit(following.look())
    forget(repository)
    forget(repository, "refs/heads/main")
    force_commit(repository, BAD)
    git("gc", "--quiet", "--prune=now", cwd=repository)
    assert run_git("cat-file", "-e", str(good), cwd=repository).returncode
    state = following.restart().look()
    assert (state.name, active_commit(state)) == ("rejected", good)
    assert state.snapshot
    assert state.snapshot.match(parse_address("10.61.2.9"))


def test_what_was_served_last_answers_while_a_remote_says_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mirror = Mirror(f"git://127.0.0.1:{silent.getsockname()[1]}/x.git", tmp_path, None, interval=0)
        mirror.make()
        good = force_commit(mirror.directory, GOOD)
        Following(mirror.directory, tmp_path).look()
        active = ActiveState()
        thread = threading.Thread(target=Refresher(mirror.directory, active, tmp_path, mirror).refresh)
        thread.start()
        silent.settimeout(DEADLINE)
        with silent.accept()[0]:
            assert (active.state.name, active_commit(active.state)) == ("last-good", good)
        thread.join()


def test_without_anything_kept_the_newest_valid_ancestor_is_served(repository: Path, tmp_path: Path) -> None:
    newest = force_commit(repository, OTHER)
    for _ in range(3):
        force_commit(repository, BAD)
    state = Following(repository, tmp_path).look()
    assert (state.name, active_commit(state)) == ("rejected", newest)


def test_an_ancestor_on_a_merged_side_branch_is_not_served(repository: Path, tmp_path: Path) -> None:
    first = force_commit(repository, BAD, "refs/heads/served")
    tree, side = head_of(repository, "refs/heads/served^{tree}"), head_of(repository)
    merge = git("commit-tree", tree, "-p", first, "-p", side, "-m", "x", cwd=repository)
    git("update-ref", "refs/heads/main", merge, cwd=repository)
    assert active_commit(Following(repository, tmp_path).look()) is None


def test_with_nothing_that_can_be_served_head_is_rejected_and_nothing_is_active(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "locations.git", BAD)
    following = Following(repository, tmp_path)
    following.look()
    state = following.look()
    assert (state.name, state.snapshot) == ("rejected", None)


def test_a_commit_that_was_served_keeps_serving_under_newer_rules(following: Following, repository: Path) -> None:
    good = serve_unknown(following, repository)
    state = following.restart().look()
    assert (state.name, active_commit(state)) == ("in-sync", good)


def test_a_commit_that_breaks_an_expectation_is_rejected(following: Following, repository: Path) -> None:
    good = active_commit(following.look())
    force_commit(repository, {**GOOD, "expectations.csv": "10.61.2.0,Perth\n"})
    state = following.look()
    assert (state.name, active_commit(state)) == ("rejected", good)
    assert state.failure
    assert [problem.code for problem in state.failure.problems] == ["broken-expectation"]


def test_a_served_commit_that_breaks_an_expectation_is_served(following: Following, repository: Path) -> None:
    broken = force_commit(repository, {**GOOD, "expectations.csv": "10.61.2.0,Perth\nnowhere,Perth\n"})
    git("update-ref", LAST_GOOD, broken, cwd=repository)
    state = following.look()
    assert (state.name, active_commit(state)) == ("in-sync", broken)


def test_expectations_are_kept_with_the_content_that_is_served(following: Following, repository: Path) -> None:
    expected = {"expectations.csv": "10.61.2.0,Sydney,the office\n"}
    force_commit(repository, {**GOOD, **expected})
    following.look()
    repository.rename(repository.with_name("away"))
    stored = last_good.load(following.state_directory)
    assert stored
    assert {file.path: (file.content or b"").decode() for file in stored.files} == {**GOOD, **expected}
    later = following.restart()
    assert later.look().name == "last-good"


def test_going_back_to_a_commit_that_newer_rules_would_refuse_keeps_it(following: Following, repository: Path) -> None:
    good = serve_unknown(following, repository)
    later = following.restart()
    later.look()
    force_commit(repository, BAD)
    assert later.look().name == "rejected"
    git("update-ref", "refs/heads/main", good, cwd=repository)
    assert later.look().name == "in-sync"


def serve_unknown(following: Following, repository: Path) -> str:
    """As an earlier version would have left it."""
    commit = force_commit(repository, UNKNOWN)
    assert following.look().name == "rejected"
    git("update-ref", LAST_GOOD, commit, cwd=repository)
    return commit


def test_what_an_earlier_version_served_is_served_on_below_a_bad_head_without_content_on_disk(
    following: Following, repository: Path, tmp_path: Path
) -> None:
    unknown = serve_unknown(following, repository)
    force_commit(repository, BAD)
    (tmp_path / "empty").mkdir()
    state = Following(repository, tmp_path / "empty").look()
    assert (state.name, active_commit(state)) == ("rejected", unknown)


def test_what_an_earlier_version_served_is_taken_after_older_content_on_disk(
    following: Following, repository: Path
) -> None:
    good = active_commit(following.look())
    unknown = serve_unknown(following, repository)
    later = following.restart()
    assert later.refresher._activator.serve_stored()
    assert active_commit(later.active.state) == good
    state = later.look()
    assert (state.name, active_commit(state)) == ("in-sync", unknown)


def test_the_content_on_disk_is_served_while_the_repository_is_away(following: Following, repository: Path) -> None:
    good = active_commit(following.look())
    repository.rename(repository.with_name("away"))
    later = following.restart()
    state = later.look()
    assert (state.name, active_commit(state)) == ("last-good", good)
    assert message(state) == f"{repository} does not exist"
    assert state.failure
    assert state.failure.hint == RESTORE
    repository.with_name("away").rename(repository)
    assert later.look().name == "in-sync"


def test_the_last_good_content_is_served_when_the_branch_is_gone(following: Following, repository: Path) -> None:
    good = active_commit(following.look())
    git("update-ref", "-d", "refs/heads/main", cwd=repository)
    state = following.restart().look()
    assert (state.name, active_commit(state), message(state)) == ("last-good", good, "branch main has no commit")


def test_a_torn_state_file_is_told_once_and_not_served(
    following: Following, repository: Path, caplog: pytest.LogCaptureFixture
) -> None:
    following.look()
    forget(repository)
    forget(repository, "refs/heads/main")
    force_commit(repository, BAD)
    path = following.state_directory / last_good.FILE_NAME
    path.write_bytes(path.read_bytes()[:-7])
    later = following.restart()
    later.look()
    assert later.look().snapshot is None
    kept = f"the content kept in {following.state_directory} cannot be used: the file is not whole"
    assert caplog.messages.count(kept) == 1


def test_state_that_no_version_could_read_is_told_once_and_not_served(
    following: Following, repository: Path, caplog: pytest.LogCaptureFixture
) -> None:
    following.look()
    stored = last_good.load(following.state_directory)
    assert stored
    broken = tuple(File(f.path, f.kind, 4, f.blob, b"x,y\n") for f in stored.files)
    last_good.save(following.state_directory, last_good.LastGood(stored.identity, stored.commit, broken))
    repository.rename(repository.with_name("away"))
    later = following.restart()
    later.look()
    state = later.look()
    assert (state.name, state.snapshot) == ("starting", None)
    assert sum("cannot be used: the configuration has 1 error" in text for text in caplog.messages) == 1


def test_the_state_of_another_repository_is_never_served(following: Following, tmp_path: Path) -> None:
    following.look()
    other = make_repository(tmp_path / "other.git", BAD)
    assert Following(other, following.state_directory).look().snapshot is None


def test_a_repository_with_an_id_is_known_wherever_it_is(tmp_path: Path) -> None:
    repository = init(tmp_path / "locations.git")
    (tmp_path / "state").mkdir()
    good = active_commit(Following(repository, tmp_path / "state").look())
    moved = repository.rename(tmp_path / "moved.git")
    forget(moved)
    forget(moved, "refs/heads/main")
    force_commit(moved, BAD)
    assert active_commit(Following(moved, tmp_path / "state").look()) == good


# --- what is kept, and what is looked at besides ---


def test_what_cannot_be_kept_is_told_once_and_served_all_the_same(
    repository: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    following = Following(repository, tmp_path / "file" / "state")
    state = following.look()
    force_commit(repository, OTHER)
    assert following.look().name == "in-sync"
    assert state.not_kept == f"{tmp_path / 'file/state'} cannot be written: Not a directory"
    assert caplog.messages.count(f"nothing is kept for a restart: {state.not_kept}") == 1
    (tmp_path / "file").unlink()
    (tmp_path / "file").mkdir()
    force_commit(repository, GOOD)
    assert following.look().not_kept is None


def test_a_pin_that_cannot_be_written_is_told_once_and_tried_again(
    following: Following, repository: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocking = repository / "refs" / "location-policy"
    blocking.write_text("in the way")
    following.look()
    force_commit(repository, OTHER)
    assert following.look().name == "in-sync"
    assert sum(text.startswith("not kept by a ref") for text in caplog.messages) == 1
    blocking.unlink()
    newest = force_commit(repository, GOOD)
    following.look()
    assert head_of(repository, LAST_GOOD) == newest


def test_the_hook_is_judged_at_the_first_look(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    repository = init(tmp_path / "locations.git")
    state = Following(repository, tmp_path).look()
    assert (state.hook.state, state.hook.version) == ("ok", __version__)
    assert not any("hook" in text for text in caplog.messages)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        ("missing", "hook missing: it does not check pushes"),
        ("not-executable", "hook not-executable: it does not check pushes"),
        ("other-version", "hook other-version: it is of version 0.0.9"),
    ],
)
def test_a_hook_that_is_not_in_force_is_told_once_with_what_mends_it(
    tmp_path: Path, harm: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    repository = init(tmp_path / "locations.git")
    hook = repository / "hooks" / "pre-receive"
    if harm == "missing":
        hook.unlink()
    elif harm == "not-executable":
        hook.chmod(0o644)
    else:
        hook.write_text(hook.read_text().replace(__version__, "0.0.9"))
    following = Following(repository, tmp_path)
    following.look()
    assert following.look().hook.state == harm
    assert caplog.messages.count(f"{told}; fix it with: location-policy init {repository}") == 1


def test_a_file_over_the_limit_is_refused_without_being_read(repository: Path, tmp_path: Path) -> None:
    """Its content is not there at all: who asked for it would be told that it cannot be read."""
    blob = forge_blob(repository, FILE_LIMIT + 1)
    git("update-ref", "refs/heads/main", force_entry(repository, "100644", blob, "locations.csv"), cwd=repository)
    state = Following(repository, tmp_path).look()
    assert state.failure
    assert [problem.code for problem in state.failure.problems] == ["too-large"]


def test_nothing_grows_over_two_hundred_looks(following: Following, repository: Path) -> None:
    following.look()
    before = held()
    for number in range(200):
        if number % 20 == 0:
            force_commit(repository, BAD if number % 40 else GOOD)
        following.look()
    assert held() == before


def held() -> tuple[int, int, str]:
    """Open files, threads, and the children of this process."""
    children = "".join(map(read, Path("/proc/self/task").glob("*/children")))
    return len(os.listdir("/proc/self/fd")), threading.active_count(), children  # noqa: PTH208  counts, no paths
