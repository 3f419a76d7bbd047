"""A load that is killed at one of its steps: python killed_at.py STEP REPOSITORY STATE_DIRECTORY.

The steps are found from outside, at the calls that take them: the program itself has no such places.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from location_policy.repository.repository import Repository
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState


def kill_before(owner: Any, name: str, is_meant: Callable[..., bool] = lambda *_, **__: True) -> None:  # noqa: ANN401
    """End this process, as a power cut would, in place of a call."""
    call = getattr(owner, name)

    def killed(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  whatever the call takes and gives
        if is_meant(*arguments, **named):
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **named)

    setattr(owner, name, killed)


def is_folder(descriptor: int) -> bool:
    return Path(f"/proc/self/fd/{descriptor}").is_dir()


STEPS: dict[str, Callable[[], None]] = {
    "Active.change snapshot": lambda: kill_before(
        ActiveState, "change", lambda *_, **named: {"snapshot", "was_read"} <= named.keys()
    ),
    "mkstemp": lambda: kill_before(tempfile, "mkstemp", lambda **named: "prefix" in named),
    "write": lambda: kill_before(os, "fdopen"),
    "fsync": lambda: kill_before(os, "fsync"),
    "replace": lambda: kill_before(Path, "replace"),
    "fsync of the folder": lambda: kill_before(os, "fsync", is_folder),
    "keep": lambda: kill_before(Repository, "keep"),
    "Active.change settled": lambda: kill_before(
        ActiveState, "change", lambda *_, **named: named.get("is_settled") is True and "snapshot" not in named
    ),
}

if __name__ == "__main__":
    STEPS[sys.argv[1]]()
    Refresher(Path(sys.argv[2]), ActiveState(), Path(sys.argv[3])).refresh()
