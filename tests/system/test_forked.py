"""What most tests run, a fork of the program, is the program: both say the same, command for command."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from location_policy.cli.app import app
from tests.support.program import PROGRAM, run_program, start_program
from tests.support.repositories import GOOD, MELBOURNE, force_commit, make_repository
from tests.support.service import started_service

REPO = ("--repo", "locations.git")
NOWHERE = ("--manager", "http://127.0.0.1:9", "--user", "api", "--password-file", "locations.csv")
TYPED = (
    ("accept-history", "--repo", "nowhere.git"),
    ("blame", "10.61.2.7", *REPO),
    ("calls", *REPO),
    ("check", *REPO),
    ("comment", *REPO),
    ("completion", "bash"),
    ("diff", "main~", "main", *REPO),
    ("doctor", *REPO),
    ("export", "local-policy", *REPO),
    ("fmt", "--check", "."),
    ("history", *REPO),
    ("import", "locations.csv"),
    ("init", "locations.git/objects"),
    ("lookup", "10.61.2.7", *REPO),
    ("password", "node", "--htpasswd", "nowhere/htpasswd"),
    ("pexip", "locations", *NOWHERE),
    ("pin", "main~9", "--for", "2h", "--reason", "why", *REPO),
    ("post-receive",),
    ("pre-receive",),
    ("proc-receive",),
    ("revert", "main~9", *REPO),
    ("serve", "--repo", "nowhere.git"),
    ("sync", *REPO),
    ("unpin", *REPO),
    ("wait", "main", "--url", "http://127.0.0.1:1"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two commits, and a file of rows beside them."""
    folder = tmp_path_factory.mktemp("forked")
    repository = make_repository(folder / "locations.git", GOOD)
    force_commit(repository, {"locations.csv": MELBOURNE})
    (folder / "locations.csv").write_text(MELBOURNE)
    return folder


@pytest.mark.parametrize("words", TYPED, ids=lambda words: words[0])
def test_each_command_says_the_same_forked_and_started(words: tuple[str, ...], folder: Path) -> None:
    forked, started = (run(*words, cwd=folder) for run in (run_program, start_program))
    assert (forked.returncode, forked.stdout, forked.stderr) == (started.returncode, started.stdout, started.stderr)
    assert started.stdout + started.stderr


def test_every_command_is_named_here() -> None:
    assert {words[0] for words in TYPED} == set(app.commands)


def test_standard_input_and_variables_are_those_that_are_given(tmp_path: Path) -> None:
    words, rows = ("password", "node", "--htpasswd", tmp_path / "users"), b"correct horse\n"
    assert run_program(*words, stdin=rows).returncode == 0
    assert (tmp_path / "users").read_text().startswith("node:$2b$")
    misspelt = {"LOCATION_POLICY_PROT": "1"}
    assert "LOCATION_POLICY_PORT" in run_program("--version", environment=misspelt).stderr
    assert run_program("--version").stderr == ""


@pytest.mark.parametrize("program", [None, [str(PROGRAM)]], ids=["forked", "started"])
def test_a_service_ends_as_its_signal_says(folder: Path, program: list[str] | None) -> None:
    with started_service("--repo", folder / "locations.git", cwd=folder, program=program) as service:
        assert service.stop() == 0
    with started_service("--repo", folder / "locations.git", cwd=folder, program=program) as service:
        os.kill(service.process.pid, signal.SIGKILL)
        assert service.process.wait(10) == -signal.SIGKILL
