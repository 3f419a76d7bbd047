"""Flags and environment to Settings, once.

Every option has a twin in the environment, `LOCATION_POLICY_<OPTION>`. A variable that is none of them is probably a
mistake and gets a warning, except the forms that Kubernetes makes for a Service named `location-policy`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from .spelling import nearest

PREFIX = "LOCATION_POLICY_"
COMPLETION = "_LOCATION_POLICY_COMPLETE"
"""With this set the program tells a shell how to complete what is typed, and does nothing else."""
MANAGER_PASSWORD = PREFIX + "MANAGER_PASSWORD"
"""The variable that has no option: what is typed is seen by everybody on the machine."""

Changes = Literal["served", "review"]
"""Where changes go that are made on a page: on the served branch, or each on a branch of its own, to be reviewed."""

_KUBERNETES = re.compile(r"(\w+_)?(SERVICE_HOST|SERVICE_PORT\w*|PORT_\d+_\w+)")


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


@dataclass(frozen=True, slots=True)
class Limits:
    """How much clients may take.

    `header_bytes` for the request line and all headers of a request; `header_seconds` from the start of a connection or
    the first byte of a further request to its end; open `connections`.
    """

    header_bytes: int = 32_768
    header_seconds: float = 10.0
    connections: int = 10_000


@dataclass(frozen=True, slots=True)
class Logs:
    """What is logged: the form of the ordinary log, and where the decision log goes, if anywhere."""

    form: Literal["text", "json"] = "text"
    decisions: str | None = None
    with_names: bool = False


@dataclass(frozen=True, slots=True)
class Tls:
    """The PEM files of TLS in the process; with `client_ca` a client needs a certificate that it has signed."""

    cert: Path
    key: Path
    client_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen: on a Unix socket, else on host and port; what stands before and how it is kept secret."""

    host: str = "127.0.0.1"
    port: int = 8080
    uds: Path | None = None
    tls: Tls | None = None
    behind_proxy: bool = False
    proxies: str = ""


@dataclass(frozen=True, slots=True)
class Users:
    """Who may ask: the files of passwords and roles, and what is answered to anybody."""

    htpasswd: Path | None = None
    roles: Path | None = None
    allow_anonymous: bool = False
    open_metrics: bool = False


@dataclass(frozen=True, slots=True)
class Signatures:
    """What is asked for of a repository: the files of those who may sign, and what must be signed."""

    allowed_signers: Path | None = None
    gpg_keyring: Path | None = None
    require: Literal["off", "tip", "all"] | None = None

    def config(self, section: str) -> dict[str, str]:
        """The settings of git that say so; those of which nothing is said are left out."""
        files = {"allowedSigners": self.allowed_signers, "gpgKeyring": self.gpg_keyring}
        wanted = {name: str(path.absolute()) for name, path in files.items() if path}
        wanted |= {"requireSignatures": self.require} if self.require else {}
        return {f"{section}.{name}": value for name, value in wanted.items()}


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What `serve` was asked for; the defaults are what it does when nothing is said."""

    repo: str | None = None
    branch: str | None = None
    listen: Listen = Listen()
    users: Users = Users()
    state_dir: Path | None = None
    fetch_interval: float = 15.0
    git_http: bool | None = None
    changes: Changes = "served"
    example: bool = False
    limits: Limits = Limits()
    logs: Logs = Logs()
    signatures: Signatures = Signatures()


LIMITS = Limits()
"""Those of a service that was not asked for others."""


def variable(option: str) -> str:
    """The environment's name for an option."""
    return PREFIX + option.upper().replace("-", "_")


def foreign_variables(environment: Mapping[str, str]) -> list[str]:
    """The variables with our prefix that Kubernetes has made."""
    return [
        name
        for name, value in environment.items()
        if name.startswith(PREFIX)
        and (
            _KUBERNETES.fullmatch(name.removeprefix(PREFIX)) or (name.endswith("_PORT") and value.startswith("tcp://"))
        )
    ]


def unknown_variables(names: Iterable[str], options: Callable[[], Iterable[str]]) -> list[str]:
    """A warning for each variable that has our prefix and is none of these options, which are asked for if need be."""
    ours = [name for name in names if name.startswith(PREFIX) and name != MANAGER_PASSWORD]
    if not ours:
        return []
    known = tuple(dict.fromkeys(options()))
    return [_warning(name, known) for name in ours if name not in map(variable, known)]


def _warning(name: str, options: Collection[str]) -> str:
    meant = nearest(name.removeprefix(PREFIX).replace("_", "-"), options)  # the prefix would make all names alike
    return f"{name} is not a setting" + (f"; is {variable(meant)} meant?" if meant else "")
