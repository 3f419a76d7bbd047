"""What was in force last is in force after a restart, whichever of the two places that keep it could not be written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from location_policy.rollout import last_good
from location_policy.rollout.persistence import LAST_GOOD
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState
from tests.support.repositories import BAD, GOOD, force_commit, git, make_repository, tip


@dataclass
class Site:
    """A repository and the process that follows it, without the process; either place can be out of reach."""

    repository: Path
    state: Path
    active: ActiveState = field(default_factory=ActiveState)

    def __post_init__(self) -> None:
        self.refresher = Refresher(self.repository, self.active, self.state)

    @property
    def lock(self) -> Path:
        return self.repository / f"{LAST_GOOD}.lock"

    def block_state(self) -> None:
        """The state directory is read-only, full, or not mounted."""
        self.state.rename(self.state.with_name("away"))
        self.state.write_text("in the way")

    def block_pin(self) -> None:
        """The repository takes no ref of ours."""
        self.lock.parent.mkdir(parents=True, exist_ok=True)
        self.lock.touch()

    def mend(self) -> None:
        """Both can be written again; nothing was lost of what they held."""
        self.lock.unlink(missing_ok=True)
        if self.state.is_file():
            self.state.unlink()
            self.state.with_name("away").rename(self.state)

    def look(self) -> str:
        """The commit that is in force after one more look."""
        self.refresher.refresh()
        snapshot = self.active.state.snapshot
        return snapshot.commit.id if snapshot and snapshot.commit else ""

    def restart(self) -> Site:
        """A new process in the place of this one."""
        return Site(self.repository, self.state)

    def kept(self) -> tuple[str, str]:
        """What the ref names, and what the state directory does."""
        stored = last_good.load(self.state)
        return tip(self.repository, LAST_GOOD), stored.commit.id if stored else ""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(make_repository(tmp_path / "locations.git", GOOD), tmp_path / "state")


def rows(number: int) -> dict[str, str]:
    return {"locations.csv": f"Perth,10.61.{number}.0/24\n"}


@pytest.mark.parametrize("blocked", ["state", "pin"])
def test_the_newer_of_ref_and_content_is_served_under_a_bad_head_and_kept(site: Site, blocked: str) -> None:
    site.look()
    (site.block_state if blocked == "state" else site.block_pin)()
    newer = force_commit(site.repository, rows(1))
    assert site.look() == newer
    site.mend()
    force_commit(site.repository, BAD)
    later = site.restart()
    assert later.look() == newer
    assert later.kept() == (newer, newer)


def test_of_two_that_have_parted_that_which_was_put_in_force_last_is_served(site: Site) -> None:
    first = site.look()
    force_commit(site.repository, rows(1))
    site.look()
    site.block_pin()
    git("update-ref", "refs/heads/main", first, cwd=site.repository)
    last = force_commit(site.repository, rows(2))
    assert site.look() == last
    site.mend()
    force_commit(site.repository, BAD)
    assert site.restart().look() == last


def test_the_ref_is_not_moved_back_where_the_newer_cannot_be_read(site: Site) -> None:
    old = site.look()
    site.block_state()
    newer = force_commit(site.repository, rows(1))
    site.look()
    site.mend()
    blob = git("rev-parse", f"{newer}:locations.csv", cwd=site.repository)
    lost = site.repository / "objects" / blob[:2] / blob[2:]
    content = lost.read_bytes()
    lost.unlink()
    force_commit(site.repository, BAD)
    later = site.restart()
    assert [later.look(), later.look()] == [old, old]
    assert later.kept() == (newer, old)
    lost.write_bytes(content)
    assert site.restart().look() == newer


@pytest.mark.parametrize("seed", range(5, 9))
def test_whatever_could_not_be_written_for_a_while_the_last_in_force_survives(site: Site, seed: int) -> None:
    """The oracle is what the process before had in force; at each moment one of the two places can be written."""
    random = Random(seed)
    last = site.look()
    for number in range(1, 16):
        match random.choice(["child", "sibling", "bad", "block", "restart"]):
            case "child":
                git("update-ref", "refs/heads/main", last, cwd=site.repository)
                force_commit(site.repository, rows(number))
                last = site.look()
            case "sibling":
                parent = git("rev-list", "--max-count=2", last, cwd=site.repository).split()[-1]
                git("update-ref", "refs/heads/main", parent, cwd=site.repository)
                force_commit(site.repository, rows(number))
                last = site.look()
            case "bad":
                force_commit(site.repository, BAD)
                assert site.look() == last
            case "block":
                site.mend()
                random.choice([site.block_state, site.block_pin])()
            case "restart":
                site.mend()
                git("update-ref", "refs/heads/main", last, cwd=site.repository)
                bad = force_commit(site.repository, BAD)
                site = site.restart()
                assert site.look() == last
                assert site.kept() == (last, last)
                assert tip(site.repository) == bad
