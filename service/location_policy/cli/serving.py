"""What can be typed to make a repository and to serve it, with its help."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..repository import require_git
from ..settings import LIMITS, Limits, Listen, Logs, ServeOptions, Signatures, Users
from . import serve_options as of
from .options import Format, HelpAll, Scope, is_beside, option
from .rim import NOT_ASKED, NOT_STARTED, told


def init(
    path: Annotated[Path, typer.Argument(help="Where the bare repository is, or is to be.")] = Path(
        "data/locations.git"
    ),
    empty: Annotated[bool, option("empty", None, "No first commit.")] = False,
    from_: Annotated[Path | None, option("from", "FOLDER", "The folder with the first commit's files.")] = None,
    branch: Annotated[str | None, option("branch", "NAME", "The branch to serve.")] = None,
    shared: Annotated[bool, option("shared", None, "Let the group of the repository push.")] = False,
    allowed_signers: Annotated[Path | None, option("allowed-signers", "FILE", "Those who may sign, by SSH.")] = None,
    gpg_keyring: Annotated[Path | None, option("gpg-keyring", "FILE", "The same by GPG.")] = None,
    require_signatures: Annotated[
        Scope | None, option("require-signatures", "off|tip|all", "Which commits must be signed.")
    ] = None,
) -> None:
    """Make a bare repository with the hook and a first map.

    On an existing one: install or update the hook and the settings, and leave its content alone.
    """
    from ..git_hooks import shipped
    from ..installation import create, install

    if empty and from_:
        raise typer.BadParameter("--empty and --from exclude each other")
    with told(NOT_ASKED):
        require_git()
        signatures = Signatures(allowed_signers, gpg_keyring, require_signatures)
        if path.exists() and any(path.iterdir() if path.is_dir() else [path]):
            for line in install(path, branch=branch, shared=shared, signatures=signatures):
                print(line)
            if empty or from_:
                print(f"location-policy: {path} exists, so its content stays as it is", file=sys.stderr)
            return
        if from_ is not None and not from_.is_dir():
            raise typer.BadParameter(f"{from_} is not a folder")
        content = None if empty else from_ or shipped("config-repo")
        create(path, content, branch=branch, shared=shared, signatures=signatures)
        print(f"made {path.absolute()}")


def serve(
    context: typer.Context,
    repo: of.Repo = None,
    branch: of.Branch = None,
    host: of.Host = "127.0.0.1",
    port: of.Port = 8080,
    state_dir: of.StateDir = None,
    fetch_interval: of.FetchInterval = 15.0,
    git_http: of.GitHttp = None,
    changes: of.Changes = "served",
    htpasswd: of.Htpasswd = None,
    roles: of.Roles = None,
    allow_anonymous_policy: of.AllowAnonymousPolicy = False,
    open_metrics: of.OpenMetrics = False,
    tls_cert: of.TlsCert = None,
    tls_key: of.TlsKey = None,
    client_ca: of.ClientCa = None,
    behind_proxy: of.BehindProxy = False,
    forwarded_allow_ips: of.ForwardedAllowIps = "",
    uds: of.Uds = None,
    max_header_bytes: of.MaxHeaderBytes = LIMITS.header_bytes,
    header_timeout: of.HeaderTimeout = LIMITS.header_seconds,
    max_connections: of.MaxConnections = LIMITS.connections,
    example: of.Example = False,
    decision_log: of.DecisionLog = None,
    log_names: of.LogNames = False,
    log_format: of.LogFormat = Format.TEXT,
    allowed_signers: of.AllowedSigners = None,
    gpg_keyring: of.GpgKeyring = None,
    require_signatures: of.RequireSignatures = None,
    _help_all: HelpAll = False,
) -> None:
    """Follow a repository and answer policy requests from it."""
    from ..sockets import plain_host
    from .doors import tls_of
    from .serve import serve

    if uds and is_beside(context, "uds", "host", "port"):
        raise typer.BadParameter("--uds listens on a Unix socket instead of --host and --port: leave one out")
    with told(NOT_STARTED):
        tls = tls_of(tls_cert, tls_key, client_ca)
    options = ServeOptions(
        repo=repo,
        branch=branch,
        listen=Listen(plain_host(host), port, uds, tls, behind_proxy, forwarded_allow_ips),
        users=Users(htpasswd, roles, allow_anonymous_policy, open_metrics),
        state_dir=state_dir,
        fetch_interval=fetch_interval,
        git_http=git_http,
        changes=changes,
        example=example,
        limits=Limits(max_header_bytes, header_timeout, max_connections),
        logs=Logs(log_format.value, decision_log, with_names=log_names),
        signatures=Signatures(allowed_signers, gpg_keyring, require_signatures),
    )
    with told(NOT_STARTED):
        serve(options)


def password(
    user: Annotated[str, typer.Argument(help="Whose password.")],
    htpasswd: Annotated[Path, option("htpasswd", "FILE", "The file, made where it is missing.")],
) -> None:
    """Change a user's password, or add a user.

    On a terminal it is asked for twice; otherwise it is one line on standard input.
    """
    from .password import password

    with told(NOT_ASKED):
        password(user, htpasswd)
