"""A copy of a remote that is damaged, locked, gone or another's is made anew; what was served is served meanwhile."""

from __future__ import annotations

import logging
import os
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from location_policy.errors import ForeignRepository, RepositoryError
from location_policy.repository.remote.mirror import Mirror
from location_policy.repository.remote.naming import fetched_ref
from location_policy.repository.repository import open_repository
from location_policy.rollout import last_good
from location_policy.rollout.persistence import LAST_GOOD
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState
from tests.support.repositories import GOOD, force_commit, git, make_repository, run_git, tip

PERTH = {"locations.csv": "Perth,10.61.2.0/24\n"}


class Follower:
    """A service that follows a remote, without the process."""

    def __init__(self, remote: Path, state: Path, interval: float = 0) -> None:
        self.mirror = Mirror(remote.as_uri(), state, None, interval)
        self.mirror.make()
        self.active = ActiveState()
        self.refresher = Refresher(self.mirror.directory, self.active, state, self.mirror)

    @property
    def found(self) -> tuple[str, str | None]:
        """The state, and the commit in force."""
        snapshot = self.active.state.snapshot
        return self.active.state.name, snapshot.commit.id if snapshot and snapshot.commit else None

    def look(self, times: int = 1) -> tuple[str, str | None]:
        for _ in range(times):
            self.refresher.look()
        return self.found


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A remote that takes filters, with one commit."""
    made = make_repository(tmp_path / "remote.git", GOOD)
    git("config", "uploadpack.allowFilter", "true", cwd=made)
    return made


@pytest.fixture
def follower(remote: Path, tmp_path: Path) -> Follower:
    """One that is in sync."""
    made = Follower(remote, tmp_path / "state")
    assert made.look() == ("in-sync", tip(remote))
    return made


def cut_packs(copy: Path) -> None:
    for pack in copy.glob("objects/pack/*.pack"):
        pack.chmod(0o600)
        with pack.open("r+b") as file:
            file.truncate(pack.stat().st_size // 2)


def empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def put_file_there(copy: Path) -> None:
    shutil.rmtree(copy)
    copy.write_text("in the way")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated packs": cut_packs,
    "no objects": lambda copy: empty(copy / "objects"),
    "no folder of objects": lambda copy: shutil.rmtree(copy / "objects"),
    "no packs": lambda copy: empty(copy / "objects/pack"),
    "garbage config": lambda copy: (copy / "config").write_text("[core\n\x01"),
    "empty config": lambda copy: (copy / "config").write_text(""),
    "no config": lambda copy: (copy / "config").unlink(),
    "empty HEAD": lambda copy: (copy / "HEAD").write_text(""),
    "garbage HEAD": lambda copy: (copy / "HEAD").write_text("x\n"),
    "empty ref": lambda copy: (copy / "refs/heads/main").write_text(""),
    "empty ref of the remote": lambda copy: (copy / "refs/remotes/origin/main").write_text(""),
    "ref to nothing": lambda copy: (copy / "refs/remotes/origin/main").write_text(f"{'1' * 40}\n"),
    "garbage packed-refs": lambda copy: (copy / "packed-refs").write_text("x\n"),
    "no refs": lambda copy: shutil.rmtree(copy / "refs"),
    "empty": empty,
    "deleted": shutil.rmtree,
    "a file": put_file_there,
}


def is_whole(mirror: Mirror, commit_id: str) -> bool:
    """Has git nothing to say against the copy, and are the files of this commit there?"""
    with open_repository(mirror.directory) as repository:
        files = repository.files_of(repository.commit(commit_id))
    fsck = run_git("-c", "remote.origin.promisor=true", "fsck", cwd=mirror.directory)
    return not fsck.returncode and all(file.content for file in files)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_copy_is_mended_and_a_new_commit_followed(
    follower: Follower, remote: Path, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = tip(remote)
    DAMAGES[damage](follower.mirror.directory)
    new = force_commit(remote, PERTH)
    follower.refresher.look()
    assert follower.found[1] in (good, new)
    assert follower.look(4) == ("in-sync", new)
    assert is_whole(follower.mirror, new)
    assert str(follower.mirror.directory) not in f"{caplog.messages} {follower.mirror.looks}"
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == sorted(
        ["journal.jsonl", "last-good", follower.mirror.directory.name]
    )


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_copy_that_was_damaged_before_a_start_is_mended_without_a_new_commit(
    follower: Follower, remote: Path, tmp_path: Path, damage: str
) -> None:
    DAMAGES[damage](follower.mirror.directory)
    later = Follower(remote, tmp_path / "state")
    assert later.look(5) == ("in-sync", tip(remote))
    assert is_whole(later.mirror, tip(remote))


LOCKS = [
    "config.lock",
    "packed-refs.lock",
    "refs/remotes/origin/main.lock",
    "HEAD.lock",
    "shallow.lock",
    "FETCH_HEAD.lock",
    "gc.pid",
    "refs/heads/main.lock",
    "refs/incoming/tip.lock",
    "objects/info/commit-graph.lock",
    "objects/pack/multi-pack-index.lock",
]


@pytest.mark.parametrize(("lock", "age"), [*((lock, 3_600) for lock in LOCKS), *((lock, 0) for lock in LOCKS[:3])])
def test_a_lock_that_was_left_stops_nothing(
    follower: Follower, remote: Path, tmp_path: Path, lock: str, age: int
) -> None:
    path = follower.mirror.directory / lock
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    os.utime(path, (time.time() - age,) * 2)
    for restarted in (False, True):
        new = force_commit(remote, PERTH if restarted else GOOD)
        follower = Follower(remote, tmp_path / "state") if restarted else follower
        assert follower.look(4) == ("in-sync", new)
    if age:
        assert not path.exists()
        assert follower.mirror.looks.remade == 0


def test_it_is_said_once_and_counted(follower: Follower, remote: Path, caplog: pytest.LogCaptureFixture) -> None:
    (follower.mirror.directory / "config").write_text("[core\n")
    follower.look(5)
    told = [line for line in caplog.messages if line.startswith("made anew")]
    assert len(told) == 1
    assert f"repository={remote.as_uri()}: " in told[0]
    assert follower.mirror.looks.remade == 1


@pytest.mark.parametrize("damage", ["garbage config", "no objects", "no folder of objects"])
def test_a_damage_that_is_seen_when_it_is_read_is_mended_by_that_look(
    follower: Follower, remote: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    DAMAGES[damage](follower.mirror.directory)
    follower.refresher.hurry()
    assert follower.look() == ("in-sync", tip(remote))
    (told,) = [line.getMessage() for line in caplog.records if line.levelno >= logging.WARNING]
    assert told.startswith(f"made anew repository={remote.as_uri()}: the copy could not be used: ")
    assert "Error" not in told


def test_that_the_remote_is_back_is_told_also_with_a_new_commit_and_after_a_start_without_it(
    follower: Follower, remote: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    away = remote.with_name("away.git")
    for one in (follower, Follower(remote, tmp_path / "state")):
        remote.rename(away)
        one.look()
        away.rename(remote)
        new = force_commit(remote, PERTH)
        assert one.look(2) == ("in-sync", new)
    told = f"reachable repository={remote.as_uri()} branch=main"
    assert caplog.messages.count(told) == 2


def test_a_new_copy_has_what_only_the_old_one_had(follower: Follower, remote: Path) -> None:
    copy, good = follower.mirror.directory, tip(remote)
    git("config", "location-policy.acceptedHistory", good, cwd=copy)
    force_commit(remote, PERTH)
    git("tag", "-a", "-m", "held", "held", good, cwd=copy)
    git("update-ref", "refs/location-policy/pin", "refs/tags/held", cwd=copy)
    pin = tip(copy, "refs/location-policy/pin")
    git("pack-refs", "--all", cwd=copy)
    (copy / "HEAD").write_text("")
    follower.mirror.update()
    assert follower.mirror.looks.remade == 1
    assert (tip(copy, LAST_GOOD), tip(copy, "refs/location-policy/pin")) == (good, pin)
    assert git("config", "location-policy.acceptedHistory", cwd=copy) == good


def test_a_commit_that_the_remote_has_forced_away_is_taken_over_where_it_gives_it(
    follower: Follower, remote: Path
) -> None:
    old = tip(remote)
    git("update-ref", "-d", "refs/heads/main", cwd=remote)
    force_commit(remote, PERTH)
    (follower.mirror.directory / "config").write_text("[core\n")
    follower.mirror.update()
    assert tip(follower.mirror.directory, LAST_GOOD) == old
    assert is_whole(follower.mirror, old)


def test_a_failure_of_the_remote_makes_no_new_copy(follower: Follower, remote: Path) -> None:
    before = follower.mirror.directory.stat().st_ino
    remote.rename(remote.with_name("away.git"))
    assert follower.look(3)[0] == "unreachable"
    looks = follower.mirror.looks
    assert (looks.remade, looks.failed, follower.mirror.directory.stat().st_ino) == (0, 3, before)
    assert looks.last_error
    assert (looks.unreachable_since, looks.last_error.kind) != (None, "local")
    remote.with_name("away.git").rename(remote)
    assert follower.look()[0] == "in-sync"
    assert follower.mirror.looks.unreachable_since is None


def test_a_new_copy_that_cannot_be_fetched_leaves_the_old_one(follower: Follower, remote: Path, tmp_path: Path) -> None:
    (follower.mirror.directory / "config").write_text("[core\n")
    remote.rename(remote.with_name("away.git"))
    good = follower.look(3)[1]
    assert (follower.mirror.directory / "refs/heads/main").read_text().strip() == good
    assert [path.name for path in (tmp_path / "state").glob("mirror-*")] == [follower.mirror.directory.name]


def test_a_start_after_an_end_between_two_renames_finds_the_old_copy(
    follower: Follower, remote: Path, tmp_path: Path
) -> None:
    copy = follower.mirror.directory
    copy.rename(copy.with_suffix(".old"))
    copy.with_suffix(".new").mkdir()
    later = Follower(remote, tmp_path / "state", interval=3_600)
    assert tip(later.mirror.directory) == tip(remote)
    assert [path.name for path in (tmp_path / "state").glob("mirror-*")] == [copy.name]


@pytest.mark.parametrize("torn", ["no content", "torn content"])
@pytest.mark.parametrize("has_branch", [False, True])
def test_without_the_remote_and_the_content_on_disk_the_copy_serves(
    follower: Follower, remote: Path, tmp_path: Path, torn: str, *, has_branch: bool
) -> None:
    good, path = tip(remote), tmp_path / "state" / last_good.FILE_NAME
    path.unlink() if torn == "no content" else path.write_bytes(path.read_bytes()[:-7])
    if not has_branch:
        git("update-ref", "-d", "refs/heads/main", cwd=follower.mirror.directory)
    else:
        git("update-ref", "-d", LAST_GOOD, cwd=follower.mirror.directory)
    remote.rename(remote.with_name("away.git"))
    assert Follower(remote, tmp_path / "state").look() == ("last-good", good)


def test_a_damage_that_no_new_copy_mends_costs_ever_fewer(follower: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RepositoryError("object 1234 cannot be read")

    monkeypatch.setattr(Refresher, "_look", fail)
    follower.look(40)
    assert 3 <= follower.mirror.looks.remade <= 7


def test_the_copy_of_another_user_is_replaced_when_there_is_content(
    follower: Follower, remote: Path, tmp_path: Path
) -> None:
    if os.geteuid() != 0:  # pragma: no cover  depends on who runs the tests
        pytest.skip("only root can give a folder away")
    os.chown(follower.mirror.directory, 65534, 65534)
    with pytest.raises(ForeignRepository):
        follower.mirror.make()
    new = force_commit(remote, PERTH)
    later = Mirror(remote.as_uri(), tmp_path / "state", None, 0)
    later.update()
    assert (later.directory.stat().st_uid, tip(later.directory, fetched_ref("refs/heads/main"))) == (0, new)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """No process begun in the block may write a larger file: as on a full disk, git fails at writing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_a_sentence_and_leaves_nothing(follower: Follower, remote: Path) -> None:
    new = force_commit(remote, {**GOOD, "locations/large.csv": os.urandom(200_000)})
    before = sorted(follower.mirror.directory.rglob("*"))
    with files_of_at_most(100_000):
        for _ in range(2):
            with pytest.raises(RepositoryError, match=r"the disk is full$") as failure:
                follower.mirror.update()
    assert failure.value.hint == "make room there: it is fetched again by itself"
    assert follower.mirror.looks.last_error
    assert (follower.mirror.looks.last_error.kind, follower.mirror.looks.remade) == ("disk", 0)
    left = set(follower.mirror.directory.rglob("*")) - set(before)
    assert [path for path in left if "tmp_" in path.name or path.name.endswith(".lock")] == []
    follower.mirror.update()
    assert tip(follower.mirror.directory, "refs/remotes/origin/main") == new
