"""The options of access: the files of passwords and roles, and what is answered without a password."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Users:
    """Who may ask: the files of passwords and roles, and what is answered without a password.

    `webhook_secret`: the file of what forges prove their webhooks by.
    """

    htpasswd: Path | None = None
    roles: Path | None = None
    allow_anonymous: bool = False
    open_metrics: bool = False
    webhook_secret: Path | None = None
