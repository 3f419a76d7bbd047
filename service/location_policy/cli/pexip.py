"""What can be typed to ask a Management Node, with its help."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ..settings import variable
from .options import Folder, HelpAll, option, rare_option
from .rim import NOT_ASKED, told

SECONDS = 60.0
"""For all that a command asks a Management Node."""

app = typer.Typer(
    help="""Hold the map against a Pexip Management Node.

    The password comes from --password-file, from LOCATION_POLICY_MANAGER_PASSWORD, or is asked for.""",
    epilog="Example: location-policy pexip locations --manager https://pexip --user me",
    no_args_is_help=True,
)


Manager = Annotated[str, option("manager", "URL", "Such as https://manager.example.com.")]
User = Annotated[str, option("user", "NAME", "Who may read its configuration API.")]
PasswordFile = Annotated[Path | None, option("password-file", "FILE", "A file of one line, the password.")]
Ca = Annotated[Path | None, option("ca", "FILE", "Whose certificates to trust, PEM.")]
Timeout = Annotated[float, rare_option("timeout", "SECONDS", "For the whole answer.", min=0.1)]
AllowHttp = Annotated[bool, rare_option("allow-http", None, "Send the password where anybody on the way reads it.")]


@app.command(epilog="Example: location-policy pexip locations --manager https://pexip --user me")
def locations(
    manager: Manager,
    user: User,
    password_file: PasswordFile = None,
    ca: Ca = None,
    check: Annotated[Path | None, option("check", "FOLDER", "Compare with the names in this working copy.")] = None,
    into: Annotated[Path | None, option("into", "FOLDER", "Write them into known in its policy.toml.")] = None,
    timeout: Timeout = SECONDS,
    allow_http: AllowHttp = False,
    _help_all: HelpAll = False,
) -> None:
    """Print Pexip's locations, hold a map against them, or write them.

    Exit status 1 if rows have a name that Pexip does not, or, with --check, if known has other names.
    """
    from .manager import Asked, locations

    if check and into:
        raise typer.BadParameter("--check and --into exclude each other")
    with told(NOT_ASKED):
        asked = Asked(manager, user, password_file, ca, timeout, allow_http=allow_http)
        raise typer.Exit(locations(asked, check or into, writes=into is not None))


@app.command(epilog="Example: location-policy pexip preflight --manager https://pexip --user me")
def preflight(
    context: typer.Context,
    manager: Manager,
    user: User,
    folder: Folder = Path(),
    password_file: PasswordFile = None,
    ca: Ca = None,
    location: Annotated[list[str] | None, option("location", "NAME", "Where signalling lands; once for each.")] = None,
    profile: Annotated[str | None, option("profile", "NAME", "The policy profile that it must have.")] = None,
    timeout: Timeout = SECONDS,
    allow_http: AllowHttp = False,
    _help_all: HelpAll = False,
) -> None:
    """Say what keeps nodes from asking, or from taking the answers.

    Holds names against each other as `locations --check` does, and looks at policy profiles: URL, media
    location, and which locations have them. Exit status 1 if something is wrong.
    """
    from .manager import Asked, preflight

    with told(NOT_ASKED):
        asked = Asked(manager, user, password_file, ca, timeout, allow_http=allow_http)
        raise typer.Exit(preflight(asked, folder, _names(context, location or []), profile))


def _names(context: typer.Context, typed: list[str]) -> list[str]:
    """The locations that are meant; in the environment commas part them, since many have a space."""
    source = context.get_parameter_source("location")
    if source and source.name == "ENVIRONMENT":
        return [name.strip() for name in os.environ[variable("location")].split(",") if name.strip()]
    return typed
