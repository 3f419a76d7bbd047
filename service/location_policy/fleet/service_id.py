"""The id of a service: 16 random hexadecimal digits, made once and kept in its state directory.

Services that follow one another are told apart by it, so that none comes to follow itself by way of others.
"""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from pathlib import Path

from ..runtime.atomic_file import replace_file
from ..runtime.regular_file import read_regular

FILE_NAME = "service-id"
NAME = "location-policy-"
"""What stands before an id in a header `Via`."""

_ID = re.compile(r"[0-9a-f]{16}")


def service_id(state_directory: Path) -> str:
    """That of the service whose state is kept there; where nothing can be kept, it holds until the service ends."""
    path = state_directory / FILE_NAME
    try:
        kept = read_regular(path).decode(errors="replace").strip()
    except OSError:
        kept = ""
    if _ID.fullmatch(kept):
        return kept
    made = secrets.token_hex(8)
    with suppress(OSError):  # that the directory cannot be written is told by what has to be kept there
        replace_file(path, f"{made}\n".encode(), 0o640)
    return made
