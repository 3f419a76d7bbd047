"""A fetch is a push: what a remote names is in force only once it has passed, in this process, with real fetches."""

from __future__ import annotations

import logging
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from location_policy.gate.overrides import override_of
from location_policy.gate.pre_receive import judge
from location_policy.gate.push_notes import with_pushers
from location_policy.gate.ref_updates import Update
from location_policy.problems import errors_in
from location_policy.repository.remote.copy_path import mirror_directory
from location_policy.repository.remote.mirror import Mirror
from location_policy.repository.remote.naming import fetched_ref
from location_policy.repository.repository import open_pushed_repository, open_repository
from location_policy.rollout import fetched as fetching
from location_policy.rollout import journal
from location_policy.rollout.persistence import LAST_GOOD
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState, State
from location_policy.web.ops.status import status
from tests.support.app import SETTINGS, client_of
from tests.support.maps import MOMENT, count_loads, many_rows
from tests.support.program import run_program
from tests.support.repositories import BAD, GOOD, Files, force_commit, git, make_repository, tip
from tests.support.signing import SshKey, force_signed, needs_ssh

LIMITED: Files = {"locations.csv": many_rows(200), "policy.toml": '[limits]\nremoved-subnets = "10%"\n'}
CUT: Files = {**LIMITED, "locations.csv": many_rows(120)}
OWNED: Files = {
    "locations.csv": "Sydney,10.9.0.0/16\n",
    "owners.csv": "10.9.0.0/16,bob@example.com\n",
    "policy.toml": '[checks]\nowner-approval = "error"\n',
}
MOVED: Files = {**OWNED, "locations.csv": "Perth,10.9.0.0/16\n"}
HOW = "end the message of a merge, or of an empty commit, with the line"


@dataclass
class Followed:
    """A remote, and a process that follows it, without the process."""

    remote: Path
    state_directory: Path
    interval: float = 0.0
    branch: str | None = None
    settings: dict[str, str] = field(default_factory=dict)
    active: ActiveState = field(default_factory=ActiveState)

    def __post_init__(self) -> None:
        self.mirror = Mirror(
            self.remote.as_uri(), self.state_directory, self.branch, self.interval, settings=self.settings
        )
        self.mirror.make()
        self.place = self.mirror.directory
        self.refresher = Refresher(self.place, self.active, self.state_directory, self.mirror)

    def look(self) -> State:
        """The state after one more fetch."""
        self.mirror.hurry()
        self.refresher.look()
        return self.active.state

    def restart(self) -> Followed:
        return Followed(self.remote, self.state_directory, self.interval, self.branch, self.settings)

    @property
    def told(self) -> tuple[str, str | None, str]:
        """The state, the commit in force, and where the branch of the copy is."""
        return self.active.state.name, in_force(self.active.state), tip(self.place)

    def set_back(self, commit: str) -> None:
        """Force the branch of the remote."""
        git("update-ref", "refs/heads/main", commit, cwd=self.remote)


def in_force(state: State) -> str | None:
    return state.snapshot.commit.id if state.snapshot and state.snapshot.commit else None


def taken(commit: str) -> tuple[str, str, str]:
    return "in-sync", commit, commit


def held(commit: str) -> tuple[str, str, str]:
    return "rejected", commit, commit


def follow(folder: Path, files: Files = GOOD, **options: float) -> Followed:
    """One that has taken the first commit of a remote."""
    followed = Followed(make_repository(folder / "remote.git", files), folder / "state", **options)  # type: ignore[arg-type]
    followed.look()
    return followed


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    return follow(tmp_path)


def head(followed: Followed) -> dict[str, object]:
    found: dict[str, object] = status(followed.active.state, SETTINGS, MOMENT)["head"]
    return found


# --- what passes, and what does not ---


def test_what_passes_moves_the_branch_of_the_copy_and_is_in_force(followed: Followed) -> None:
    assert followed.told == taken(tip(followed.remote))
    new = force_commit(followed.remote, {"locations.csv": "Perth,10.61.2.0/24\n"})
    followed.look()
    assert followed.told == taken(new)


def test_what_is_not_valid_is_refused_with_its_problems_and_leaves_the_branch_where_it_is(followed: Followed) -> None:
    good, bad = tip(followed.remote), force_commit(followed.remote, BAD)
    state = followed.look()
    assert followed.told == held(good)
    assert state.failure
    assert (state.failure.commit, state.failure.message) == (bad, "the configuration has 1 error")
    assert [problem.code for problem in state.failure.problems] == ["host-bits"]
    assert tip(followed.place, fetched_ref("refs/heads/main")) == bad


def test_the_limits_of_before_hold_and_the_way_over_them_is_told_and_works(tmp_path: Path) -> None:
    followed = follow(tmp_path, LIMITED)
    good = tip(followed.remote)
    over = force_commit(followed.remote, {**CUT, "policy.toml": ""})
    failure = followed.look().failure
    assert followed.told == held(good)
    assert failure
    assert failure.message == (
        "change limit exceeded: limits.removed-subnets: at most 10%, but it is 40% of subnets; "
        "rules are loosened: limits.removed-subnets 10% -> none; "
        f"if all of it is meant, {HOW} Allow-Large-Change: reason"
    )
    assert [(one.path, one.code, one.hint) for one in failure.problems] == [
        ("policy.toml", "limits.removed-subnets", f"{HOW} Allow-Large-Change: reason")
    ] * 2
    assert failure.problems[0].message == "at most 10%, but it is 40% of subnets"
    empty = ("commit-tree", "main^{tree}", "-p", "main", "-m", "We move\n\nAllow-Large-Change: we move")
    new = git(*empty, cwd=followed.remote)
    followed.set_back(new)
    state = followed.look()
    assert (followed.told, tip(followed.remote, "main~1")) == (taken(new), over)
    assert state.override
    assert (state.override.reason, state.override.by, state.override.is_fetched) == ("we move", "Alice", True)
    with open_repository(followed.place) as repository:
        assert override_of(repository, new) == state.override
        assert with_pushers(repository, [repository.commit(new)])[0].pusher is None
    asked = ("--repo", followed.remote.as_uri(), "--state-dir", followed.state_directory)
    told = run_program("history", *asked, "--number", "1").stdout
    assert "pushed by" not in told
    assert ") by Alice (fetched): we move" in told or "over the limit by Alice (fetched): we move" in told


def test_who_reverts_on_the_forge_is_held_to_no_limit(tmp_path: Path) -> None:
    followed = follow(tmp_path, CUT)
    force_commit(followed.remote, LIMITED)
    followed.look()
    back = force_commit(followed.remote, CUT)
    followed.look()
    assert followed.told == taken(back)


def test_owners_are_asked_and_their_word_comes_by_the_message(tmp_path: Path) -> None:
    followed = follow(tmp_path, OWNED)
    good = tip(followed.remote)
    force_commit(followed.remote, MOVED)
    failure = followed.look().failure
    assert followed.told == held(good)
    assert failure
    how = f"{HOW} Approved-by: bob@example.com"
    assert failure.message == f"approval required from 1 owner: when they agree, {how}"
    assert [(one.path, one.code, one.hint) for one in failure.problems] == [("owners.csv", "owner-approval", how)]
    new = force_commit(followed.remote, MOVED, message="Move\n\nApproved-by: bob@example.com")
    followed.look()
    assert followed.told == taken(new)


def test_an_expectation_that_is_broken_is_refused(tmp_path: Path) -> None:
    expected = {**GOOD, "expectations.csv": "10.61.2.7,Sydney,as agreed\n"}
    followed = follow(tmp_path, expected)
    force_commit(followed.remote, {**expected, "locations/apac.csv": "Perth,10.61.2.0/24\n"})
    failure = followed.look().failure
    assert failure
    assert [problem.code for problem in failure.problems] == ["broken-expectation"]


@needs_ssh
def test_everything_that_the_branch_gains_must_be_signed(tmp_path: Path, alice: SshKey, signers: Path) -> None:
    remote = make_repository(tmp_path / "remote.git", GOOD)
    good = force_signed(remote, alice)
    rule = {"location-policy.requireSignatures": "all", "location-policy.allowedSigners": str(signers)}
    followed = Followed(remote, tmp_path / "state", settings=rule)
    followed.look()
    between = force_commit(remote, GOOD)
    force_commit(remote, {"locations.csv": "Perth,10.0.0.0/8\n"})
    force_signed(remote, alice)
    failure = followed.look().failure
    assert followed.told == held(good)
    assert failure
    assert failure.message == f"{between[:10]} is not signed by an allowed signer: it is not signed"


def test_a_commit_between_that_is_not_valid_is_counted_in_one_warning(
    followed: Followed, caplog: pytest.LogCaptureFixture
) -> None:
    for files in (BAD, GOOD, BAD):
        force_commit(followed.remote, {**files, "README": str(files is GOOD)})
    new = force_commit(followed.remote, GOOD)
    followed.look()
    assert followed.told == taken(new)
    warnings = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert warnings == [f"commit={new} is valid, and 2 of the 3 commits before it not"]


def test_what_is_refused_is_judged_once(followed: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    force_commit(followed.remote, BAD)
    loads = count_loads(monkeypatch)
    for _ in range(3):
        followed.look()
    assert (loads(), followed.active.loads["refused"]) == (2, 1)  # that of before, and the tip


# --- without an old one ---


def test_of_a_first_fetch_the_tip_alone_is_judged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    remote = make_repository(tmp_path / "remote.git", BAD)
    new = force_commit(remote, CUT)
    followed = Followed(remote, tmp_path / "state")
    followed.look()
    assert followed.told == taken(new)
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


def test_under_a_first_tip_that_is_refused_its_newest_valid_ancestor_is_in_force_and_counts_as_taken(
    tmp_path: Path,
) -> None:
    remote = make_repository(tmp_path / "remote.git", LIMITED)
    good = tip(remote)
    force_commit(remote, BAD)
    followed = Followed(remote, tmp_path / "state")
    followed.look()
    assert followed.told == held(good)
    force_commit(remote, CUT)
    followed.look()
    assert followed.told == held(good)


def test_a_copy_that_is_made_anew_compares_with_what_was_served_last(tmp_path: Path) -> None:
    followed = follow(tmp_path, LIMITED)
    good = tip(followed.remote)
    force_commit(followed.remote, CUT)
    followed.place.rename(tmp_path / "away.git")
    again = followed.restart()
    again.look()
    assert again.told == held(good)


def force_away(followed: Followed) -> tuple[str, str]:
    """What is in force, which the remote has no more, and what it has instead, which is over a limit."""
    first = tip(followed.remote)
    good = force_commit(followed.remote, {**LIMITED, "README": "x"})
    followed.look()
    followed.set_back(first)
    forced = force_commit(followed.remote, CUT)
    git("gc", "--quiet", "--prune=now", cwd=followed.remote)
    return good, forced


def test_a_copy_that_is_made_anew_after_a_forced_push_is_held_to_the_limits_of_before(tmp_path: Path) -> None:
    followed = follow(tmp_path, LIMITED)
    good, _ = force_away(followed)
    (followed.place / "config").write_text("[core\n")
    failure = followed.look().failure
    assert (followed.told, followed.mirror.looks.remade) == (held(good), 1)
    assert failure
    assert "limits.removed-subnets" in failure.message


def test_where_the_damaged_copy_has_lost_it_too_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    followed = follow(tmp_path, LIMITED)
    _, forced = force_away(followed)
    shutil.rmtree(followed.place / "objects")
    followed.look()
    assert (followed.told, followed.mirror.looks.remade) == (taken(forced), 1)


def old_copy(followed: Followed, *tips: str) -> Followed:
    """The copy as an earlier version has left it: it fetched into the branch itself, and kept no log of it."""
    for ref in (fetched_ref("refs/heads/main"), "refs/heads/main"):
        git("update-ref", "-d", ref, cwd=followed.place)
    for commit in tips:
        git("fetch", "--quiet", followed.remote, commit, cwd=followed.place)
        git("update-ref", "refs/heads/main", commit, cwd=followed.place)
    return followed.restart()


def test_the_copy_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    followed = follow(tmp_path, LIMITED)
    good = tip(followed.remote)
    later = old_copy(followed, good)
    later.look()
    assert later.told == taken(good)
    new = force_commit(followed.remote, {**LIMITED, "locations.csv": many_rows(199)})
    later.look()
    assert later.told == taken(new)


def test_what_an_earlier_version_has_fetched_and_not_served_is_judged(tmp_path: Path) -> None:
    followed = follow(tmp_path, LIMITED)
    good, over = tip(followed.remote), force_commit(followed.remote, CUT)
    later = old_copy(followed, over)
    later.look()
    assert later.told == held(good)


def test_another_branch_that_is_asked_for_is_judged_as_a_move_from_what_was_served(tmp_path: Path) -> None:
    followed = follow(tmp_path, LIMITED)
    good = tip(followed.remote)
    git("branch", "small", "main", cwd=followed.remote)
    small = force_commit(followed.remote, {**LIMITED, "locations.csv": many_rows(199)}, "refs/heads/small")
    other = Followed(followed.remote, followed.state_directory, branch="small")
    state = other.look()
    assert (state.name, in_force(state), tip(other.place, "refs/heads/small")) == ("in-sync", small, small)
    force_commit(followed.remote, CUT, "refs/heads/small")
    assert (other.look().name, in_force(other.active.state)) == ("rejected", small)
    assert tip(other.place) == good


def test_a_default_branch_that_is_renamed_is_a_move_too(tmp_path: Path) -> None:
    followed = follow(tmp_path, LIMITED)
    good = tip(followed.remote)
    git("branch", "--move", "main", "trunk", cwd=followed.remote)
    state = followed.look()
    assert (state.name, in_force(state), tip(followed.place, "refs/heads/trunk")) == ("in-sync", good, good)
    git("branch", "--move", "trunk", "other", cwd=followed.remote)
    force_commit(followed.remote, CUT, "refs/heads/other")
    state = followed.look()
    assert (state.name, in_force(state), state.branch) == ("rejected", good, "other")
    assert tip(followed.place, "refs/heads/other") == good


# --- what is no descendant ---


def chain(followed: Followed, number: int) -> list[str]:
    """Commits that are in force one after the other."""
    found = []
    for at in range(number):
        found.append(force_commit(followed.remote, {**GOOD, "README": str(at)}))
        followed.look()
    return found


def test_a_default_branch_that_becomes_a_folder_is_a_move_too(followed: Followed) -> None:
    """git has no branch main beside main/next, nor a log of both."""
    good = tip(followed.remote)
    git("branch", "-m", "main", "other", cwd=followed.remote)
    git("branch", "-m", "other", "main/next", cwd=followed.remote)
    for _ in range(2):
        state = followed.look()
        assert (state.name, in_force(state), state.failure) == ("in-sync", good, None)
    assert tip(followed.place, "refs/heads/main/next") == good


def test_an_older_tip_is_taken_when_a_fetch_one_interval_later_says_the_same(tmp_path: Path) -> None:
    followed = follow(tmp_path, interval=30.0)
    old, _, new = [tip(followed.remote), *chain(followed, 2)]
    followed.set_back(old)
    assert followed.look().name == "behind"
    assert (followed.told[1:], head(followed)["relation"]) == ((new, new), "behind")
    assert followed.look().name == "behind"  # too early
    assert followed.mirror.fetched_at
    followed.refresher._fetch_gate._older = old, followed.mirror.fetched_at - timedelta(seconds=31)  # type: ignore[union-attr]
    followed.look()
    assert followed.told == taken(old)


def test_a_replica_that_lags_for_one_fetch_changes_nothing(tmp_path: Path) -> None:
    followed = follow(tmp_path, interval=30.0)
    old, new = [tip(followed.remote), *chain(followed, 1)]
    for commit in (old, new, old):
        followed.set_back(commit)
        followed.look()
        assert followed.told[1:] == (new, new)
    followed.set_back(new)
    followed.look()
    assert followed.told == taken(new)


def test_an_older_tip_at_a_start_waits_too_and_what_was_served_goes_on(tmp_path: Path) -> None:
    followed = follow(tmp_path, interval=30.0)
    old, new = [tip(followed.remote), *chain(followed, 1)]
    followed.set_back(old)
    later = followed.restart()
    assert later.look().name == "behind"
    assert later.told[1:] == (new, new)


def test_the_same_fetch_is_no_second_one(tmp_path: Path) -> None:
    followed = follow(tmp_path)
    old, new = [tip(followed.remote), *chain(followed, 1)]
    followed.set_back(old)
    followed.look()
    followed.mirror._schedule._due = float("inf")
    followed.mirror.interval = 0.0
    followed.refresher.refresh()
    assert followed.told[1:] == (new, new)


@pytest.mark.parametrize("by_hint", [True, False])
def test_another_history_is_refused_until_it_is_accepted(followed: Followed, *, by_hint: bool) -> None:
    good = tip(followed.remote)
    git("update-ref", "-d", "refs/heads/main", cwd=followed.remote)
    other = force_commit(followed.remote, CUT)
    failure = followed.look().failure
    assert followed.told == held(good)
    assert failure
    assert f"commit {other[:10]} shares no history with commit {good[:10]}, which was served last" in failure.message
    asked = ("--repo", followed.remote.as_uri(), "--state-dir", followed.state_directory)
    hint = shlex.split(failure.message.partition("; it waits for: location-policy ")[2])
    assert hint == ["accept-history", *map(str, asked)]
    done = run_program(*hint) if by_hint else run_program("accept-history", *asked)
    assert done.stdout == f"accepted: branch main at {other[:10]} Force it in\n"
    followed.look()
    assert followed.told == taken(other)
    assert head(followed)["relation"] == "diverged"


def test_another_history_is_told_once_where_the_copy_that_has_it_was_made_anew(followed: Followed) -> None:
    good = tip(followed.remote)
    git("update-ref", "-d", "refs/heads/main", cwd=followed.remote)
    other = force_commit(followed.remote, CUT)
    shutil.rmtree(followed.place)
    for _ in range(3):
        followed.look()
        followed.refresher.refresh()
    assert (followed.active.state.name, in_force(followed.active.state)) == ("rejected", good)
    assert followed.active.loads["refused"] == 1
    run_program("accept-history", "--repo", followed.remote.as_uri(), "--state-dir", followed.state_directory)
    followed.look()
    assert followed.told == taken(other)


def test_a_first_tip_that_is_refused_is_told_once_and_the_next_one_taken(tmp_path: Path) -> None:
    followed = follow(tmp_path, BAD)
    for _ in range(3):
        followed.look()
        followed.refresher.refresh()
    assert (followed.active.state.name, followed.active.loads["refused"]) == ("rejected", 1)
    good = force_commit(followed.remote, GOOD)
    followed.look()
    assert followed.told == taken(good)


def test_a_branch_that_was_forced_is_followed_and_what_it_drops_is_told(
    followed: Followed, caplog: pytest.LogCaptureFixture
) -> None:
    first, gone = tip(followed.remote), chain(followed, 12)
    followed.set_back(first)
    forced = [force_commit(followed.remote, {**GOOD, "README": name}) for name in ("x", "y")][-1]
    followed.look()
    assert followed.told == taken(forced)
    told = head(followed)
    assert (told["relation"], told["relation_to"], told["gained"], told["dropped"]) == ("diverged", gone[-1], 2, 12)
    dropped = told["dropped_commits"]
    assert isinstance(dropped, Sequence)
    assert [one["commit"] for one in dropped] == gone[:1:-1]
    (logged,) = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert logged.startswith(f"dropped commits=12 gained=2 of branch main, the newest: {gone[-1]}, ")
    noted = journal.read(followed.state_directory)
    assert [event.commit for event in noted if event.kind == "dropped"] == gone[:1:-1]


def test_what_was_forced_is_held_to_the_limits_too(tmp_path: Path) -> None:
    followed = follow(tmp_path, LIMITED)
    first = tip(followed.remote)
    good = force_commit(followed.remote, {**LIMITED, "README": "x"})
    followed.look()
    followed.set_back(first)
    force_commit(followed.remote, CUT)
    followed.look()
    assert followed.told == held(good)
    assert head(followed)["relation"] == "diverged"


def test_what_is_gained_is_counted_and_a_restart_finds_it_equal(followed: Followed) -> None:
    (before,) = chain(followed, 1)
    for name in ("x", "y"):
        force_commit(followed.remote, {**GOOD, "README": name})
    followed.look()
    told = head(followed)
    assert (told["relation"], told["relation_to"], told["gained"], told["dropped"]) == ("ahead", before, 2, 0)
    later = followed.restart()
    later.look()
    assert (head(later)["relation"], head(later)["gained"]) == ("equal", 0)


# --- the source ---


def test_a_branch_that_is_gone_leaves_ours_and_comes_back(followed: Followed, caplog: pytest.LogCaptureFixture) -> None:
    good = tip(followed.remote)
    git("branch", "side", "main", cwd=followed.remote)
    git("update-ref", "-d", "refs/heads/main", cwd=followed.remote)
    state = followed.look()
    assert followed.told == ("unreachable", good, good)
    assert state.failure
    told = f"HEAD of {followed.remote.as_uri()} names a branch that is not there; branches there: side"
    assert state.failure.message == told
    once = "HEAD of it names a branch that is not there; branches there: side; follow one with --branch side"
    assert caplog.messages == [f"unreachable repository={followed.remote.as_uri()}: {once}"]
    followed.set_back(good)
    followed.look()
    assert followed.told == taken(good)


def test_a_restart_under_a_tip_that_is_refused_serves_what_was_taken(tmp_path: Path) -> None:
    followed = follow(tmp_path, LIMITED)
    good = tip(followed.remote)
    force_commit(followed.remote, CUT)
    followed.look()
    for lost in (None, "last-good"):
        if lost:
            (followed.state_directory / lost).unlink()
        later = followed.restart()
        later.look()
        assert later.told == held(good)
        assert tip(later.place, LAST_GOOD) == good


def test_commands_speak_of_what_may_be_in_force(tmp_path: Path) -> None:
    followed = follow(tmp_path)
    good, bad = tip(followed.remote), force_commit(followed.remote, BAD, message="Break it")
    followed.look()
    asked = ("--repo", followed.place)
    assert "Break it" not in run_program("history", *asked).stdout
    assert run_program("check", *asked).returncode == 0
    assert f"{good[:10]}" in run_program("blame", "10.61.2.7", *asked).stdout
    assert run_program("diff", "main", good, *asked).returncode == 0
    assert run_program("check", *asked, "--rev", "origin/main").returncode == 1
    assert mirror_directory(followed.remote.as_uri(), followed.state_directory) == followed.place
    done = run_program("doctor", "--repo", followed.remote.as_uri(), "--state-dir", followed.state_directory)
    assert (
        f"fetched: branch main of the remote is at commit {bad[:10]}, and commit {good[:10]} was taken last"
        in done.stdout
    )


# --- a large map ---


def test_a_large_map_is_judged_in_a_process_of_its_own_with_the_same_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = follow(tmp_path, LIMITED)
    good = tip(followed.remote)
    monkeypatch.setattr(followed.refresher._fetch_gate, "_large", 1)
    monkeypatch.setattr(fetching, "judge_fetch", None)  # not here
    over = force_commit(followed.remote, CUT)
    state = followed.look()
    assert followed.told == held(good)
    assert state.failure
    assert state.failure.problems[0].code == "limits.removed-subnets"
    with open_pushed_repository(followed.remote) as repository:
        assert not judge([Update(good, over, "refs/heads/main")], repository).accepted
    new = force_commit(followed.remote, {**LIMITED, "locations.csv": many_rows(199)})
    followed.look()
    assert followed.told == taken(new)


def test_what_cannot_be_judged_in_time_is_refused_and_judged_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = follow(tmp_path)
    good = tip(followed.remote)
    gate = followed.refresher._fetch_gate
    assert gate
    monkeypatch.setattr(gate, "_large", 1)
    monkeypatch.setattr(fetching, "DEADLINE", 0.01)
    new = force_commit(followed.remote, {**GOOD, "README": "x"})
    failure = followed.look().failure
    assert followed.told == held(good)
    assert failure
    assert failure.message == "what was fetched was not judged within 0.01 seconds"
    monkeypatch.setattr(fetching, "DEADLINE", 60.0)
    followed.look()
    assert followed.told == held(good)
    gate._due = 0.0
    followed.look()
    assert followed.told == taken(new)
    assert not errors_in(followed.active.state.rejection.problems if followed.active.state.rejection else ())


# --- a remote that is away ---


def test_the_looks_at_the_remote_are_part_of_the_state(followed: Followed) -> None:
    followed.remote.rename(followed.remote.with_name("away.git"))
    looks = followed.look().looks
    assert looks
    assert (looks.ok, looks.failed, looks.unreachable_since) == (1, 1, looks.last_error and looks.last_error.at)
    followed.remote.with_name("away.git").rename(followed.remote)
    looks = followed.look().looks
    assert looks
    assert (looks.ok, looks.failed, looks.unreachable_since) == (2, 1, None)
    assert looks.last_error


def test_that_it_was_not_read_for_too_long_is_told_once_and_answers_go_on(
    followed: Followed, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    followed.remote.rename(followed.remote.with_name("away.git"))
    followed.active.change(max_stale=timedelta(0))
    assert [followed.look().name for _ in range(2)] == ["stale"] * 2
    assert in_force(followed.active.state) == tip(followed.place)
    client = client_of(followed.active)
    assert client.get("/policy/v1/participant/location?protocol=mssip&ms-subnet=10.61.2.0").status_code == 200
    assert (client.get("/readyz").status_code, client.get("/status").json()["state"]) == (200, "stale")
    followed.remote.with_name("away.git").rename(followed.remote)
    followed.active.change(max_stale=timedelta(hours=1))
    assert followed.look().name == "in-sync"
    url = followed.remote.as_uri()
    told = [line for line in caplog.messages if "stale" in line or "fresh" in line]
    assert told == [
        f"stale repository={url}: not read for longer than --max-stale; answers go on",
        f"fresh repository={url}",
    ]
