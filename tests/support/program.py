"""The installed program, run as people and git run it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("location-policy")


def closed_environment(**more: str) -> dict[str, str]:
    """An environment without settings of the machine; what measures coverage in child processes stays."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return {
        **kept,
        "PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": os.devnull,
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **more,
    }


def run_program(
    *arguments: str | Path,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
) -> subprocess.CompletedProcess[str]:
    """The program's status and what it printed."""
    done = subprocess.run(
        [PROGRAM, *arguments],
        cwd=cwd,
        env=closed_environment(**(environment or {})),
        input=stdin,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
