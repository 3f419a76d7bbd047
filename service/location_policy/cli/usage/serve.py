"""What can be typed to make a repository and to serve it, with its help."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Literal

import click

from ..terminal.exit_status import NO, NOT_ASKED, NOT_STARTED, tell, told
from . import options as of
from .parameters import PATH
from .serve_options import asked, serve_options


@of.argument("path", "Where the bare repository is, or is to be.", type=PATH, default=Path("data/locations.git"))
@of.option("empty", None, "No first commit.")
@of.option("from", "FILE|FOLDER", "Rows, all files, or a bundle to restore.", to="from_", type=PATH)
@of.option("program", "SPEC", "A wheel, URL or image that CI is to install.")
@of.option("branch", "NAME", "The branch to serve.")
@of.option("shared", None, "Let the group of the repository push.")
@of.option("allowed-signers", "FILE", "The allowed signers, by SSH.", type=PATH)
@of.option("gpg-keyring", "FILE", "The same by GPG.", type=PATH)
@of.option("require-signatures", "off|tip|all", "Which commits must be signed.", type=of.SCOPE)
def init(
    path: Path,
    empty: bool,
    from_: Path | None,
    program: str | None,
    branch: str | None,
    shared: bool,
    allowed_signers: Path | None,
    gpg_keyring: Path | None,
    require_signatures: Literal["off", "tip", "all"] | None,
) -> None:
    """Make a bare repository with the hook and a first map, else a sample.

    On an existing one: install or update hook and settings, never content.
    """
    from ...gate.setup.install import create, install
    from ...gate.setup.signing_options import SigningOptions
    from ...repository.git_process import require_git
    from ..commands.first_files import First, first_commit

    if empty and (from_ or program):
        raise click.BadParameter(f"--empty and {'--from' if from_ else '--program'} exclude each other")
    with told(NOT_ASKED):
        require_git()
        signatures = SigningOptions(allowed_signers, gpg_keyring, require_signatures)
        if path.exists() and any(path.iterdir() if path.is_dir() else [path]):
            if from_:
                _refuse_content(path, from_)
            for line in install(path, branch=branch, shared=shared, signatures=signatures):
                print(line)
            if empty or program:
                print(f"location-policy: {path} exists, so its content stays as it is", file=sys.stderr)
            return
        try:
            first = First() if empty else first_commit(from_, program)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
        changes, bundle = first.changes, first.bundle
        create(path, first.folder, changes=changes, bundle=bundle, branch=branch, shared=shared, signatures=signatures)
        print(f"made {path.absolute()}")
        if first.note:
            print(f"location-policy: {first.note}", file=sys.stderr)


def _refuse_content(path: Path, content: Path) -> None:
    """Exit, where the content is not what the repository gets: it has its own."""
    from ...errors import LocationPolicyError
    from ...repository.git_dir import find_git_directory

    find_git_directory(path)
    hint = f"git clone {path}, commit the files there and push; or init NEWPATH --from {content}"
    tell(LocationPolicyError(f"{path} exists, so nothing is taken from {content}", hint))
    sys.exit(NO)


@serve_options
@of.removed_option("workers", "N", "one process answers; run two services behind a proxy, as docs/run/install.md shows")
@of.help_all
@click.pass_context
def serve(context: click.Context, /, **values: Any) -> None:  # noqa: ANN401  as click hands them over
    """Follow a repository and answer policy requests from it."""
    from ..service.remote_secrets import refuse_typed_password, refuse_typed_receiver
    from ..service.serve import serve

    if values["uds"] and of.is_beside(context, "uds", ("host", "port")):
        raise click.BadParameter("--uds listens on a Unix socket instead of --host and --port: leave one out")
    with told(NOT_STARTED):
        if of.is_typed(context, "repo"):
            refuse_typed_password(values["repo"])
        if of.is_typed(context, "receiver"):
            refuse_typed_receiver(values["receiver"], is_chat=values["message_format"] != "json")
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
