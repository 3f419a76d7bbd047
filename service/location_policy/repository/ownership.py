"""Whose repository is read: that of another user only where git was told so (git-config, "safe.directory").

Its config and its hooks are of that user's making. git itself is asked, as this user would ask it.
"""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from shlex import quote

from ..errors import ForeignRepository
from .git_dir import common_directory

SECONDS = 10.0
"""That git may take to tell."""

_OPEN = ("PATH", "HOME", "XDG_CONFIG_HOME", "SUDO_UID")
"""What git needs to find the settings of its user, and who has called sudo, whose repositories root may read."""


def require_own(path: Path, directory: Path) -> None:
    """Raises ForeignRepository where another user owns what is at `path`, or its git directory, and git was not told.

    Where git was told once it counts until this process ends.
    """
    places = (path, path / ".git", directory, common_directory(directory))
    foreign = next((place for place in places if place.exists() and place.stat().st_uid != os.geteuid()), None)
    if foreign:
        _ask_git(path.absolute(), _owner(foreign))


@cache  # an error is raised anew each time, and what is trusted costs no process more
def _ask_git(path: Path, owner: str) -> None:
    open_environment = {name: os.environ[name] for name in _OPEN if name in os.environ}
    try:
        subprocess.run(
            ["git", "-c", "safe.bareRepository=all", "rev-parse", "--git-dir"],
            cwd=path,
            env=open_environment | {"GIT_CEILING_DIRECTORIES": str(path.parent)},
            capture_output=True,
            check=True,
            timeout=SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        raise ForeignRepository(f"{path} belongs to another user, {owner}", _hint(path)) from None


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except KeyError:  # a container may see numbers that have no name
        return f"uid {path.stat().st_uid}"


def _hint(path: Path) -> str:
    """By the settings of this user, or by those of the machine where there is no home to keep them in."""
    home = Path(os.environ.get("HOME") or os.devnull)
    command = "git config --global" if home.is_dir() and os.access(home, os.W_OK) else "sudo git config --system"
    return f"{command} --add safe.directory {quote(str(path))}"
