"""The git of this machine: is it there, and new enough?"""

from __future__ import annotations

import re
import subprocess

from ..errors import GitUnavailable
from .git_process import communicate

OLDEST_GIT = (2, 36)
"""The first git with `cat-file --batch-command`."""


def git_version() -> str:
    """What git calls itself, as in `git version 2.45.1`; raises GitUnavailable where there is none."""
    try:
        process = subprocess.Popen(["git", "version"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError:
        raise git_missing() from None
    stdout, _ = communicate(process, b"", process.kill)
    if process.returncode:
        raise git_missing()
    return stdout.decode(errors="replace").strip()


def require_git() -> None:
    """Raises GitUnavailable when git is not there or too old."""
    text = git_version()
    found = re.search(r"(\d+)\.(\d+)", text)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_GIT:
        oldest = ".".join(map(str, OLDEST_GIT))
        raise GitUnavailable(f"{text} is too old", f"install git {oldest} or newer")


def git_missing() -> GitUnavailable:
    """What is told when there is no git."""
    return GitUnavailable("git cannot be run", "install git and make sure that it is on PATH")
