"""What has become of the looks at a remote, as one record for status and metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LookError:
    """Why a look has failed; `kind` is one word, such as `branch`, `disk` or `local`."""

    at: datetime
    message: str
    hint: str | None
    kind: str


@dataclass(frozen=True, slots=True)
class Looks:
    """The looks so far; `last_error` stays when later ones succeed, `unreachable_since` does not."""

    last_succeeded_at: datetime | None = None
    last_error: LookError | None = None
    unreachable_since: datetime | None = None
    next_look_at: datetime | None = None
    ok: int = 0
    failed: int = 0
    remade: int = 0
    """How often the copy was made anew, because it was damaged or gone."""
    seconds: float = 0.0
    """How long the last look took."""
