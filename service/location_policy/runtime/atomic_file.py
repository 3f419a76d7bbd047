"""A file replaced whole: written aside, synced and renamed, so never half there; its mode and its owner stay."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def replace_file(path: Path, content: bytes, mode: int | None = None) -> None:
    """Put this content there; a new file has `mode`, or what is usual. Raises OSError, and then nothing has changed."""
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
                os.fchmod(descriptor, _usual_mode() if mode is None else mode)
            os.fsync(descriptor)
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise


def _usual_mode() -> int:
    """That of a file which a program makes without a word about it; the mask can only be read by setting one."""
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
