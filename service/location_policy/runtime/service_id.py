"""The id of this service: 16 random hexadecimal digits, made once and kept in its state directory.

It tells of two services behind one name that they are two, and of one that follows itself round a loop that it does.
"""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from pathlib import Path

from .atomic_file import replace_file
from .regular_file import read_regular

FILE_NAME = "service-id"
_ID = re.compile(r"[0-9a-f]{16}")


def service_id(state_directory: Path) -> str:
    """That of the service whose state is kept there; another with each start where nothing can be kept."""
    path = state_directory / FILE_NAME
    with suppress(OSError):
        if _ID.fullmatch(found := read_regular(path).decode(errors="replace").strip()):
            return found
    made = secrets.token_hex(8)
    with suppress(OSError):  # of what cannot be kept it is told already
        replace_file(path, f"{made}\n".encode(), 0o640)
    return made
