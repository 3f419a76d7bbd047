"""Who runs the program, as commits have it."""

from __future__ import annotations

import os
import platform
import subprocess

from .new_commits import Author

_OPEN = ("PATH", "HOME", "XDG_CONFIG_HOME")
"""What git needs to find the settings of its user, which are closed to it elsewhere."""


def operator(user: str) -> Author:
    """Who called sudo; else whom git knows by `user.name` and `user.email`; else the user of the system."""
    host = platform.node() or "localhost"
    if caller := os.environ.get("SUDO_USER"):
        return Author(caller, f"{caller}@{host}")
    return Author(_setting("user.name") or user, _setting("user.email") or f"{user.replace(' ', '-')}@{host}")


def _setting(key: str) -> str:
    """A setting of this user or of the machine, empty where there is none."""
    environment = {name: os.environ[name] for name in _OPEN if name in os.environ}
    done = subprocess.run(
        ["git", "config", "--get", key], env=environment, cwd="/", capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
