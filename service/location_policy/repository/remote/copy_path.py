"""The path of the copy of a remote, in the state directory of the service that keeps it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from .url import part_login

_COPY = re.compile(r"mirror-[0-9a-f]{12}\.git")


def mirror_directory(url: str, state_directory: Path) -> Path:
    """Where the copy of a remote repository is: another URL is another copy, another password is not."""
    return state_directory / f"mirror-{hashlib.sha256(part_login(url)[0].encode()).hexdigest()[:12]}.git"


def is_mirror(directory: Path) -> bool:
    """Is this the copy of a remote repository that a service keeps?"""
    return _COPY.fullmatch(directory.name) is not None
