"""Change the password of one user in an htpasswd file: written aside, synced and renamed, so never half there."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..runtime.atomic_file import replace_file, sync_folder
from .htpasswd import check_name, has_user, hash_password, with_password

NEW_MODE = 0o640
"""Of a file that was not there: it is read by its owner's group, such as that of the service."""


def change_password(path: Path, user: str, password: str) -> bool:
    """Whether the user is new; raises ValueError for a name or a password that cannot be used, and OSError."""
    check_name(user)
    hashed = hash_password(password)
    path = path.resolve()  # where it is a link, what it names is changed
    with _locked(path.parent):
        old = path.read_bytes() if path.exists() else b""
        replace_file(path, with_password(old, user, hashed), NEW_MODE)
        sync_folder(path.parent)
    return not has_user(old, user)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Two changes at a time would lose one."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
