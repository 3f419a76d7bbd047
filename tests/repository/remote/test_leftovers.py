"""What a git that was ended leaves is removed, and nothing of one that may be at work."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from location_policy.repository.remote.leftovers import remove_leftovers


def left(copy: Path, name: str, age: float) -> Path:
    path = copy / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"half")
    os.utime(path, (time.time() - age,) * 2)
    return path


HALVES = ["objects/pack/tmp_pack_a1b2c3", "objects/pack/tmp_idx_a1b2c3", "objects/ab/tmp_obj_a1b2c3"]


@pytest.mark.parametrize("name", [*HALVES, "config.lock", "refs/remotes/origin/main.lock", "packed-refs.lock"])
def test_what_is_old_is_removed_and_what_may_be_at_work_is_not(tmp_path: Path, name: str) -> None:
    path = left(tmp_path, name, age=100)
    remove_leftovers(tmp_path, 200)
    assert path.exists()
    remove_leftovers(tmp_path, 99)
    assert not path.exists()


@pytest.mark.parametrize(
    ("name", "is_removed"),
    [
        *((name, name.startswith("objects/pack/")) for name in HALVES),
        ("config.lock", False),
        ("refs/heads/a.lock", False),
    ],
)
def test_of_a_fetch_that_has_ended_only_its_own_is_removed_at_once(
    tmp_path: Path, name: str, *, is_removed: bool
) -> None:
    path = left(tmp_path, name, age=1)
    remove_leftovers(tmp_path, 200, since=time.time() - 10)
    assert path.exists() != is_removed


def test_what_another_user_has_left_stays(tmp_path: Path) -> None:
    if os.geteuid() != 0:  # pragma: no cover  depends on who runs the tests
        pytest.skip("only root can give a file away")
    path = left(tmp_path, "config.lock", age=100)
    os.chown(path, 65534, 65534)
    remove_leftovers(tmp_path, 10)
    assert path.exists()
