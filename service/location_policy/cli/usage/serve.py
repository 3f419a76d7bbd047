"""What can be typed to make a repository and to serve it, with its help."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Literal

import click

from ..terminal.exit_status import NOT_ASKED, NOT_STARTED, told
from . import options as of
from .parameters import PATH
from .serve_options import asked, serve_options


@of.argument("path", "Where the bare repository is, or is to be.", type=PATH, default=Path("data/locations.git"))
@of.option("empty", None, "No first commit.")
@of.option("from", "FILE|FOLDER", "Its rows, or all files of its first commit.", to="from_", type=PATH)
@of.option("branch", "NAME", "The branch to serve.")
@of.option("shared", None, "Let the group of the repository push.")
@of.option("allowed-signers", "FILE", "Those who may sign, by SSH.", type=PATH)
@of.option("gpg-keyring", "FILE", "The same by GPG.", type=PATH)
@of.option("require-signatures", "off|tip|all", "Which commits must be signed.", type=of.SCOPE)
def init(
    path: Path,
    empty: bool,
    from_: Path | None,
    branch: str | None,
    shared: bool,
    allowed_signers: Path | None,
    gpg_keyring: Path | None,
    require_signatures: Literal["off", "tip", "all"] | None,
) -> None:
    """Make a bare repository with the hook and a first map: a sample, unless --from or --empty is given.

    On an existing one: install or update the hook and the settings, and leave its content alone.
    """
    from ...config.files import RULES_PATH
    from ...gate.install import create, install
    from ...gate.signing_options import SigningOptions
    from ...repository.git_process import require_git
    from ..commands.first_files import first_files

    if empty and from_:
        raise click.BadParameter("--empty and --from exclude each other")
    with told(NOT_ASKED):
        require_git()
        signatures = SigningOptions(allowed_signers, gpg_keyring, require_signatures)
        if path.exists() and any(path.iterdir() if path.is_dir() else [path]):
            for line in install(path, branch=branch, shared=shared, signatures=signatures):
                print(line)
            if empty or from_:
                print(f"location-policy: {path} exists, so its content stays as it is", file=sys.stderr)
            return
        if from_ is not None and not from_.exists():
            raise click.BadParameter(f"{from_} does not exist")
        content, changes = (None, {}) if empty else first_files(from_)
        create(path, content, changes=changes, branch=branch, shared=shared, signatures=signatures)
        print(f"made {path.absolute()}")
        if from_ is not None and RULES_PATH in changes:
            print(f"location-policy: {RULES_PATH} has [limits] on what one push may change", file=sys.stderr)


@serve_options
@of.removed_option("workers", "N", "one process answers; run two services behind a proxy, as docs/run/install.md shows")
@of.help_all
@click.pass_context
def serve(context: click.Context, /, **values: Any) -> None:  # noqa: ANN401  as click hands them over
    """Follow a repository and answer policy requests from it."""
    from ..service.remote_secrets import refuse_typed_password
    from ..service.serve import serve

    if values["uds"] and of.is_beside(context, "uds", ("host", "port")):
        raise click.BadParameter("--uds listens on a Unix socket instead of --host and --port: leave one out")
    with told(NOT_STARTED):
        if of.is_typed(context, "repo"):
            refuse_typed_password(values["repo"])
        serve(asked(values))


@of.argument("user", "Whose password.")
@of.option("htpasswd", "FILE", "The file, made where it is missing.", type=PATH, required=True)
def password(user: str, htpasswd: Path) -> None:
    """Change a user's password, or add a user.

    On a terminal it is asked for twice; otherwise it is one line on standard input.
    """
    from ..commands.password import password

    with told(NOT_ASKED):
        password(user, htpasswd)
