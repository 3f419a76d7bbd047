"""The settings of the service that its pages and `/status` tell: repository, address, state directory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ...edits.options import Changes


@dataclass(frozen=True, slots=True)
class Settings:
    """How the service was asked to run.

    `repository` is what is followed, as it may be shown; `state_directory` is where the last good content is kept;
    `place` is the repository on this machine that has the commits; `started_at` where that was before this process.
    """

    repository: str
    host: str
    port: int
    state_directory: Path
    place: Path | None = None
    changes: Changes = "served"
    started_at: datetime | None = None
