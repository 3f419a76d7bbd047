"""`location-policy sync` against a real service: by SIGHUP on this machine, by HTTP elsewhere."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.access import PASSWORD, write_users
from tests.support.program import run_program
from tests.support.repositories import BAD, GOOD, force_commit, make_repository, tip
from tests.support.service import started_service, wait_until


def sync(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """What the command does."""
    return run_program("sync", *words)


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "remote.git", GOOD)


def test_a_fetch_is_asked_for_and_its_end_is_told(remote: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    users = write_users(tmp_path / "htpasswd", "eve")
    (tmp_path / "roles").write_text("eve: editor, viewer\n")
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    words = ("--repo", remote.as_uri(), "--fetch-interval", "1000", "--state-dir", state, "--htpasswd", users)
    with started_service(*words, "--roles", tmp_path / "roles", "--allow-anonymous-policy", cwd=tmp_path) as service:
        service.login = f"eve:{PASSWORD}"
        service.wait_for("in-sync", tip(remote))

        newer = force_commit(remote, {"locations.csv": "Perth,10.61.2.0/24\n"})
        done = sync("--state-dir", state)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"active: {newer[:10]}\n", "")

        done = run_program("sync", cwd=tmp_path)
        assert done.returncode == 2
        assert "there is no repository here" in done.stderr
        command = done.stderr.partition("location-policy sync ")[2].partition(";")[0]
        command = command.replace("/var/lib/location-policy", str(state))
        assert sync(*command.split()).stdout == f"active: {newer[:10]}\n"
        told = run_program("sync", cwd=tmp_path, environment={"LOCATION_POLICY_STATE_DIR": str(state)})
        assert told.stdout == f"active: {newer[:10]}\n"

        bad = force_commit(remote, BAD)
        over_http = ("--url", service.url, "--user", "eve", "--password-file", tmp_path / "password")
        done = sync(*over_http)
        assert done.returncode == 1
        assert done.stdout.startswith(f"refused: {bad[:10]}: ")
        assert len(done.stdout.splitlines()) > 1

        newest = force_commit(remote, GOOD)
        done = sync(*over_http)
        assert (done.returncode, done.stdout) == (0, f"active: {newest[:10]}\n")
        assert sync("--state-dir", state, "--wait", "0").stdout == "asked: the source is looked at now\n"

        done = sync("--url", service.url)
        assert done.returncode == 2
        assert "lets only an editor start a sync: status 401\n  hint: name one: --user NAME" in done.stderr

        remote.rename(tmp_path / "away.git")
        done = sync("--state-dir", state)
        assert done.returncode == 2
        assert done.stdout.startswith("unreachable: ")
    done = sync("--state-dir", state)
    assert done.returncode == 2
    assert f"no service serves from {state}" in done.stderr


def test_a_state_directory_that_is_made_anew_is_served_from_again(remote: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    words = ("--repo", remote.as_uri(), "--fetch-interval", "0.2", "--state-dir", state)
    with started_service(*words, cwd=tmp_path) as service:
        service.wait_for("in-sync", tip(remote))
        state.rename(tmp_path / "gone")  # at once, since git writes there
        wait_until(lambda: sync("--state-dir", state).stdout == f"active: {tip(remote)[:10]}\n")
