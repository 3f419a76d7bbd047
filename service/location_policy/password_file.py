"""Change the password of one user in an htpasswd file: written aside, synced and renamed, so never half there."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .passwords import check_name, has_user, hash_password, with_password

NEW_MODE = 0o640
"""Of a file that was not there: it is read by its owner's group, such as that of the service."""


def change_password(path: Path, user: str, password: str) -> bool:
    """Whether the user is new; raises ValueError for a name or a password that cannot be used, and OSError."""
    check_name(user)
    hashed = hash_password(password)
    path = path.resolve()  # where it is a link, what it names is changed
    with _locked(path.parent):
        old = path.read_bytes() if path.exists() else b""
        _replace(path, with_password(old, user, hashed))
    return not has_user(old, user)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Two changes at a time would lose one."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if path.exists():
                old = path.stat()
                os.fchmod(descriptor, old.st_mode & 0o7777)
                with suppress(PermissionError):  # only root can give a file to its owner
                    os.fchown(descriptor, old.st_uid, old.st_gid)
            else:
                os.fchmod(descriptor, NEW_MODE)
            os.fsync(descriptor)
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
