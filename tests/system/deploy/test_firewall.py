"""The lines for firewalls in docs/run/install.md, before the tools that take them: nothing is changed."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.deployments import DEPLOY, needs, search_path

DOCUMENT = (DEPLOY.parent / "docs" / "run" / "install.md").read_text()

TABLE = "table inet filter {\n    chain input {\n        type filter hook input priority 0;\n    }\n}\n"
"""As in the /etc/nftables.conf of Debian."""

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may ask the firewall")


def line(tool: str) -> list[str]:
    """The one line of the document for this tool, as words."""
    found = [one.strip().removeprefix("sudo ") for one in DOCUMENT.splitlines() if f"sudo {tool} " in one]
    assert len(found) == 1
    return shlex.split(found[0])


def run(*command: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:  # pragma: no cover
    environment = {"PATH": search_path(), "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        command, env=environment, input=stdin, capture_output=True, text=True, check=False, timeout=60
    )


def test_each_line_opens_the_classic_port_to_the_nodes_only() -> None:
    for tool in ("nft", "ufw", "firewall-cmd"):
        words = " ".join(line(tool))
        assert "8443" in words
        assert "10.20.0.0/24" in words


@only_root
@needs("nft", "nftables")  # pragma: no cover
def test_nftables_takes_the_line() -> None:
    if run("nft", "--check", "--file", "-", stdin=TABLE).returncode != 0:
        pytest.skip("this machine does not let nft check a table")
    done = run("nft", "--check", "--file", "-", stdin=TABLE + " ".join(line("nft")[1:]))
    assert done.returncode == 0, done.stderr


@only_root
@needs("ufw", "ufw")  # pragma: no cover
def test_ufw_takes_the_line() -> None:
    done = run("ufw", "--dry-run", *line("ufw")[1:])
    assert "Rules updated" in done.stdout, done.stdout + done.stderr


@needs("firewall-offline-cmd", "firewalld")  # pragma: no cover
def test_firewalld_takes_the_line(tmp_path: Path) -> None:
    words = [word for word in line("firewall-cmd")[1:] if word != "--permanent"]
    done = run("firewall-offline-cmd", "--system-config", tmp_path, *words)
    assert done.returncode == 0, done.stderr
