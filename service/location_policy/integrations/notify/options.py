"""The options of notifications: where they go, in which form, and what proves them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Format = Literal["json", "teams", "slack"]


@dataclass(frozen=True, slots=True)
class NotifyOptions:
    """Where notifications go: `receiver` is a URL, or the path of a file that has one, None for no notifications.

    `secrets`: the file of what they are signed by; `receiver_ca`: the CAs that the receiver is trusted by.
    """

    receiver: str | None = field(default=None, repr=False)
    message_format: Format = "json"
    secrets: Path | None = None
    receiver_ca: Path | None = None
