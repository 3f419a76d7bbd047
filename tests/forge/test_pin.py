"""A pin on a forge, of which the copy is lost: nginx and git http-backend behind TLS, the service, and its commands."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from location_policy.gate.ref_updates import PIN
from tests.forge.servers import TOKEN, USER, HttpsForge, https, https_forge
from tests.support.program import run_program
from tests.support.repositories import GOOD, force_commit, make_repository, take_away, tip
from tests.support.service import Service, started_service, wait_until

pytestmark = https

OTHER = {"locations.csv": "Perth,10.61.2.0/24\n"}


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[HttpsForge]:
    root = tmp_path / "root"
    root.mkdir()
    make_repository(root / "locations.git", GOOD)
    with https_forge(tmp_path / "forge", root) as made:
        yield made


def copy_in(state: Path) -> Path:
    (copy,) = state.glob("mirror-*.git")
    return copy


def holds(service: Service, commit: str) -> bool:
    """Does it answer from this commit, and say that it is pinned?"""
    answer = service.locate("10.61.2.0")
    headers = answer.headers
    return (headers.get("x-location-policy-commit"), headers.get("x-location-policy-state")) == (commit, "pinned")


def is_made_anew(state: Path, inode: int) -> bool:
    """Is there another copy than the one with this inode, and a pin in it?"""
    return any(path.stat().st_ino != inode and (path / PIN).exists() for path in state.glob("mirror-*.git"))


def test_a_bad_commit_that_was_pinned_away_stays_away_whatever_becomes_of_the_copy(
    forge: HttpsForge, tmp_path: Path
) -> None:
    remote, state, credentials = forge.root / "locations.git", tmp_path / "state", tmp_path / "credentials"
    credentials.write_text(forge.url.replace("://", f"://{USER}:{TOKEN}@") + "\n")
    credentials.chmod(0o600)
    followed = ("--repo", forge.repository(), "--state-dir", state)
    asked = (*followed, "--git-ca", forge.ca, "--git-credentials", credentials, "--fetch-interval", "1")
    good = tip(remote)
    with started_service(*asked, cwd=tmp_path) as service:
        service.wait_for("in-sync", good)
        bad = force_commit(remote, OTHER)
        assert run_program("sync", *followed).stdout.endswith(f": {bad[:10]}\n")
        assert run_program("pin", good, "--for", "1h", "--reason", "Perth is wrong", *followed).returncode == 0
        wait_until(lambda: holds(service, good))
        for lost in (copy_in(state), copy_in(state) / "objects", copy_in(state) / "refs"):
            inode = copy_in(state).stat().st_ino
            take_away(lost)
            wait_until(partial(is_made_anew, state, inode))
            assert holds(service, good)
    shutil.rmtree(copy_in(state))
    with forge.away(), started_service(*asked, cwd=tmp_path) as service:
        wait_until(lambda: holds(service, good))
        wait_until(lambda: service.status()["failure"] is not None)
        assert holds(service, good)
    with started_service(*asked, cwd=tmp_path) as service:
        wait_until(lambda: holds(service, good))
        wait_until((copy_in(state) / PIN).exists)
        assert run_program("unpin", *followed).returncode == 0
        service.wait_for("in-sync", bad)
