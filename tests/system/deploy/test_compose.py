"""deploy/compose.yaml, held to the Containerfile, to the program and, where it is, to the client of docker."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.access import Pki
from tests.support.deployments import DEPLOY
from tests.support.options import OPTIONS
from tests.support.program import PROGRAM
from tests.support.repositories import GOOD, make_repository
from tests.support.service import started_service

COMPOSE = DEPLOY / "compose.yaml"
CONTAINERFILE = (DEPLOY.parent / "Containerfile").read_text()
SERVICE: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]["location-policy"]


def client() -> list[str] | None:  # pragma: no cover  depends on the machine
    """What reads a compose file without an engine."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    plugin = ["docker", "compose"]
    if (
        shutil.which("docker")
        and subprocess.run([*plugin, "version"], capture_output=True, check=False).returncode == 0
    ):
        return plugin
    return None


def test_it_runs_the_container_as_the_containerfile_means_it() -> None:
    user = re.search(r"^USER (\S+)$", CONTAINERFILE, re.MULTILINE)
    port = re.search(r"^EXPOSE (\d+)$", CONTAINERFILE, re.MULTILINE)
    command = re.search(r"^CMD \[(.*)\]$", CONTAINERFILE, re.MULTILINE)
    assert user
    assert port
    assert command
    assert SERVICE["user"] == user[1]
    assert SERVICE["ports"] == [f"8443:{port[1]}"]
    assert command[1] == '"serve", "--host", "0.0.0.0"'
    assert SERVICE["command"][:2] == ["serve", "--host=0.0.0.0"]
    assert SERVICE["volumes"][0] == "data:/data"
    assert SERVICE["healthcheck"]["test"][1] in CONTAINERFILE
    assert (DEPLOY / SERVICE["build"]["context"] / SERVICE["build"]["dockerfile"]).resolve().is_file()


def test_it_is_as_small_a_target_as_can_be() -> None:
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert SERVICE["security_opt"] == ["no-new-privileges:true"]


def test_it_has_as_much_memory_as_the_unit() -> None:
    assert SERVICE["mem_limit"] == "2g"
    assert "MemoryMax=2G\n" in (DEPLOY / "systemd" / "location-policy.service").read_text()


def test_every_option_is_one_of_the_programs() -> None:
    named = [word.removeprefix("--").partition("=")[0] for word in SERVICE["command"][1:]]
    assert named
    assert set(named) <= set(OPTIONS)


def test_its_probe_finds_a_service_that_lives_and_misses_one_that_does_not(tmp_path: Path) -> None:
    pki, repository = Pki(tmp_path / "pki"), make_repository(tmp_path / "locations.git", GOOD)
    with started_service("--repo", repository, *pki.arguments(), cwd=tmp_path) as service:
        program = SERVICE["healthcheck"]["test"][3].replace("8080", str(service.port))
        probe = [PROGRAM.with_name("python"), "-c", program]
        assert subprocess.run(probe, capture_output=True, check=False).returncode == 0
        service.stop()
        assert subprocess.run(probe, capture_output=True, check=False).returncode == 1


@pytest.mark.skipif(client() is None, reason="docker compose is not installed; on Debian: apt install docker-compose")
def test_the_client_of_docker_takes_it() -> None:  # pragma: no cover
    done = subprocess.run([*(client() or ()), "--file", COMPOSE, "config", "--quiet"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
