"""The installed program, run as people and git run it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from tests.support.forked import can_fork, fork

PROGRAM = Path(sys.executable).with_name("location-policy")
AS_INSTALLED = [str(PROGRAM)]
"""How a service is started in an interpreter of its own: where its memory is measured, say, or what `ps` shows."""


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
    """The program's status and what it printed; it is forked where that is the same."""
    if not can_fork(environment or {}):
        return start_program(*arguments, cwd=cwd, environment=environment, stdin=stdin)
    command = [str(PROGRAM), *map(str, arguments)]
    with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
        given.write(stdin)
        given.seek(0)
        streams = [given.fileno(), out.fileno(), err.fileno()]
        status = fork(command, cwd, closed_environment(**(environment or {})), streams).wait(60)
        return subprocess.CompletedProcess(command, status, _content(out), _content(err))


def start_program(
    *arguments: str | Path,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
) -> subprocess.CompletedProcess[str]:
    """The same of the program started as people start it, in an interpreter of its own."""
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


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()
