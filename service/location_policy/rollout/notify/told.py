"""What was told already, by topic: a file in the state directory, so that a restart tells nothing again.

Only what was delivered, or given up, counts as told. What waits when the service ends is found to be a change once
more at the next start, where it is still so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ...runtime.atomic_file import remove_abandoned, replace_file
from ...runtime.regular_file import MODE, read_regular

Seen = Mapping[str, str | None]
"""What is so, by topic: a commit in force, one that was refused, a pin."""


def read_told(path: Path) -> dict[str, str | None]:
    """What the file has; nothing where there is none that can be used."""
    with suppress(OSError, ValueError):
        found = json.loads(read_regular(path))
        if isinstance(found, dict):
            return {name: value for name, value in found.items() if value is None or isinstance(value, str)}
    return {}


def write_told(path: Path, told: Seen) -> None:
    """Keep it; where nothing can be kept, `/status` says so already."""
    with suppress(OSError):
        remove_abandoned(path)
        replace_file(path, json.dumps(dict(told)).encode() + b"\n", MODE)
