"""The whole program as a user who may read and write little: everyone is root on a build machine, and root may all.

The interpreter of the tests may lie where that user cannot reach it; then another of the same version is taken.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

import location_policy
from tests.support.program import closed_environment

NOBODY = 65534


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that everyone may enter: those of pytest are for their owner."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def run_as_nobody(imports: str, program: str) -> subprocess.CompletedProcess[str]:
    """The outcome of Python code whose imports are done before its rights are given up; skips when we have none."""
    if os.geteuid() != 0:  # pragma: no cover  depends on who runs the tests
        pytest.skip("only root can become another user")
    drop = f"import os; os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})"
    return subprocess.run(
        [sys.executable, "-c", f"{imports}\n{drop}\n{program}"],
        cwd="/",
        env={name: value for name, value in closed_environment().items() if not name.startswith("COVERAGE_")},
        capture_output=True,
        text=True,
        check=False,
    )


@cache
def interpreter() -> str:
    """A Python of this version that nobody can run; skips the test where there is none."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (os.path.realpath(sys.executable), f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        if _nobody_can_run(candidate):
            return candidate
    pytest.skip(f"user {NOBODY} can run no {version} here")  # pragma: no cover  depends on the machine


def _nobody_can_run(python: str) -> bool:
    try:
        subprocess.run([python, "-c", "import ssl"], check=True, user=NOBODY, group=NOBODY, extra_groups=[])
    except (OSError, subprocess.CalledProcessError):  # pragma: no cover  depends on the machine
        return False
    return True


def program_of_nobody() -> list[str]:
    """What starts the program, before its arguments."""
    return [interpreter(), "-m", "location_policy"]


def environment_of_nobody(**more: str) -> dict[str, str]:
    """Where that interpreter finds the program and what it needs; coverage is not measured, nobody may write it."""
    packages = [Path(location_policy.__file__).parent.parent, Path(pytest.__file__).parent.parent]
    environment = closed_environment(PYTHONPATH=os.pathsep.join(map(str, packages)), **more)
    return {name: value for name, value in environment.items() if not name.startswith("COVERAGE_")}


def home_trusting(repository: Path, home: Path) -> str:
    """A home in which git was told to read the repository of another user."""
    (home / ".gitconfig").write_text(f"[safe]\n\tdirectory = {repository}\n")
    return str(home)


def run_program_as_nobody(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The program's status and what it printed."""
    return subprocess.run(
        [*program_of_nobody(), *arguments],
        cwd=cwd,
        env=environment_of_nobody(**environment),
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
    )
