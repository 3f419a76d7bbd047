"""The options of `serve`, as they were asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from ...access.options import Users
from ...edits.options import Changes
from ...gate.setup.signing_options import SigningOptions
from ...integrations.forges.commit_status import Forge
from ...integrations.notify.options import NotifyOptions
from ...repository.remote.credentials import RemoteAccess
from ...server.options import Limits, Listen


@dataclass(frozen=True, slots=True)
class Logs:
    """What is logged: the form of the ordinary log, and where the decision log goes, if anywhere."""

    form: Literal["text", "json"] = "text"
    decisions: str | None = None
    with_names: bool = False


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What `serve` was asked for; the defaults are what it does when nothing is said."""

    repo: str | None = None
    branch: str | None = None
    listen: Listen = field(default_factory=Listen)
    users: Users = field(default_factory=Users)
    state_dir: Path | None = None
    fetch_interval: float = 30.0
    name: str = ""
    remote: RemoteAccess = field(default_factory=RemoteAccess)
    max_stale: timedelta | None = None
    git_http: bool | None = None
    changes: Changes = "served"
    example: bool = False
    drain: float = 0.0
    limits: Limits = field(default_factory=Limits)
    logs: Logs = field(default_factory=Logs)
    call_history: int = 30
    notify: NotifyOptions = field(default_factory=NotifyOptions)
    commit_status: Forge | None = None
    signatures: SigningOptions = field(default_factory=SigningOptions)
