"""The options of `serve`: what it follows, where it listens, who gets in, how much they may take, what is logged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from .. import settings
from .options import Format, Scope, option, rare_option

Repo = Annotated[str | None, option("repo", "PATH|URL", "What to follow.  [default: ./data/locations.git]")]
Branch = Annotated[str | None, option("branch", "NAME", "Start only if this branch is served.")]
Host = Annotated[str, option("host", "ADDRESS", "Where to listen.")]
Port = Annotated[int, option("port", "N", "0 takes a free one.", min=0, max=65535)]
StateDir = Annotated[Path | None, option("state-dir", "DIR", "Where the last good content is kept.")]
FetchInterval = Annotated[float, rare_option("fetch-interval", "SECONDS", "Between two fetches of a URL.", min=0.1)]
GitHttp = Annotated[
    bool | None, rare_option("git-http/--no-git-http", None, "Clone from here, push to here.  [default: if owned]")
]
Changes = Annotated[
    settings.Changes,
    rare_option("changes", "served|review", "Put changes from pages on the branch, or beside it."),
]
Htpasswd = Annotated[Path | None, option("htpasswd", "FILE", "Users and their passwords.")]
Roles = Annotated[Path | None, option("roles", "FILE", "Who may do what; else users ask and look.")]
AllowAnonymousPolicy = Annotated[bool, option("allow-anonymous-policy", None, "Answer nodes without a password.")]
OpenMetrics = Annotated[bool, rare_option("open-metrics", None, "Show /metrics to anybody.")]
TlsCert = Annotated[Path | None, option("tls-cert", "FILE", "The certificate and its chain, PEM.")]
TlsKey = Annotated[Path | None, option("tls-key", "FILE", "Its key, PEM.")]
ClientCa = Annotated[Path | None, rare_option("client-ca", "FILE", "Whose certificates clients need.")]
BehindProxy = Annotated[bool, option("behind-proxy", None, "A proxy in front has TLS.")]
ForwardedAllowIps = Annotated[str, rare_option("forwarded-allow-ips", "LIST", "Addresses of proxies to believe.")]
Uds = Annotated[Path | None, rare_option("uds", "PATH", "A Unix socket instead of an address.")]
MaxHeaderBytes = Annotated[int, rare_option("max-header-bytes", "BYTES", "Of one request.", min=4096)]
HeaderTimeout = Annotated[float, rare_option("header-timeout", "SECONDS", "For one request to come.", min=0.1)]
MaxConnections = Annotated[int, rare_option("max-connections", "N", "Open at once.", min=1)]
Example = Annotated[bool, option("example", None, "Begin a new repository with the sample map.")]
DecisionLog = Annotated[str | None, option("decision-log", "FILE", "A line on each answer; - is stdout.")]
LogNames = Annotated[bool, rare_option("log-names", None, "Aliases and display names in it too.")]
LogFormat = Annotated[Format, option("log-format", "FORM", "The log on stderr: text or json.")]
AllowedSigners = Annotated[Path | None, rare_option("allowed-signers", "FILE", "As init writes it; of a URL too.")]
GpgKeyring = Annotated[Path | None, rare_option("gpg-keyring", "FILE", "Likewise.")]
RequireSignatures = Annotated[Scope | None, rare_option("require-signatures", "off|tip|all", "Likewise.")]
