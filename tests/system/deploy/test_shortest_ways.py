"""The blocks of docs/run/install.md that serve the sample; that of pipx is followed by `make dist`."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.support.program import PROGRAM
from tests.support.service import started_service

DOCUMENT = (Path(__file__).parents[3] / "docs" / "run" / "install.md").read_text()


def words(beginning: str) -> list[str]:
    """The words of the command that begins so."""
    start = DOCUMENT.index(f"    {beginning}")
    command = re.match(r"(?:.*\\\n)*.*", DOCUMENT[start:])
    assert command
    return shlex.split(command[0])


def test_the_container_is_started_with_options_that_serve_the_sample(tmp_path: Path) -> None:
    command = words("docker run --rm --publish")
    options = command[command.index("serve") + 1 :]
    assert options[:2] == ["--host", "0.0.0.0"]
    with started_service("--host", "127.0.0.1", *options[2:], cwd=tmp_path) as service:
        assert service.wait_for("in-sync")["active"]["subnets"] == 3


def test_systemd_is_told_where_data_is_kept_and_the_service_keeps_it_there(tmp_path: Path) -> None:
    command = words("systemd-run")
    assert command[command.index("--property") + 1] == "StateDirectory=location-policy"
    program, serve, *options = command[command.index("StateDirectory=location-policy") + 1 :]
    assert (program, serve) == (f"~/.local/bin/{PROGRAM.name}", "serve")
    with started_service(*options, cwd=tmp_path, STATE_DIRECTORY=str(tmp_path / "state")) as service:
        service.wait_for("in-sync")
        assert (tmp_path / "state" / "locations.git").exists()
