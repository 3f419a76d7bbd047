"""What can be typed to ask a Management Node, with its help."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from ..environment import variable
from ..terminal.exit_status import NOT_ASKED, told
from . import options as of
from .parameters import PATH, SINCE, Commands, Decimal

SECONDS = 60.0
"""For all that a command asks a Management Node."""
CALLS_SECONDS = 600.0
"""The same for the record of calls, which comes in many pages."""

_manager = of.option("manager", "URL", "Such as https://manager.example.com.", required=True, show_default=False)
_user = of.option("user", "NAME", "Who may read its configuration API.", required=True)
_timeout = of.rare_option("timeout", "SECONDS", "For the whole answer.", type=Decimal(0.1), default=SECONDS)


@click.group(cls=Commands, epilog="Example: location-policy pexip locations --manager https://pexip --user me")
def pexip() -> None:
    """Compare the map with a Pexip Management Node.

    The password comes from --password-file, from LOCATION_POLICY_MANAGER_PASSWORD, or is asked for.
    """


@pexip.command(epilog="Example: location-policy pexip locations --manager https://pexip --user me")
@_manager
@_user
@of.password_file()
@of.ca()
@of.option("check", "FOLDER", "Compare with the names in this working copy.", type=PATH)
@of.option("into", "FOLDER", "Write them into known in its policy.toml.", type=PATH)
@of.form("text or json.")
@_timeout
@of.allow_http
@of.help_all
def locations(
    manager: str,
    user: str,
    password_file: Path | None,
    ca: Path | None,
    check: Path | None,
    into: Path | None,
    form: str,
    timeout: float,
    allow_http: bool,
) -> None:
    """Print Pexip's locations, compare a map with them, or write them.

    Exit status 1 if rows have a name that Pexip does not, or, with --check, if known has other names.
    """
    from ..commands.pexip_manager import ManagerOptions, locations

    if check and into:
        raise click.BadParameter("--check and --into exclude each other")
    with told(NOT_ASKED):
        asked = ManagerOptions(manager, user, password_file, ca, timeout, allow_http, as_json=form == "json")
        sys.exit(locations(asked, check or into, writes=into is not None))


@pexip.command(epilog="Example: location-policy pexip preflight --manager https://pexip --user me")
@_manager
@_user
@of.folder
@of.password_file()
@of.ca()
@of.option("location", "NAME", "Where signalling lands; once for each.", multiple=True)
@of.option("profile", "NAME", "The policy profile that it must have.")
@of.form("text or json.")
@_timeout
@of.allow_http
@of.help_all
@click.pass_context
def preflight(
    context: click.Context,
    manager: str,
    user: str,
    folder: Path,
    password_file: Path | None,
    ca: Path | None,
    location: tuple[str, ...],
    profile: str | None,
    form: str,
    timeout: float,
    allow_http: bool,
) -> None:
    """Say what keeps nodes from sending requests, or from using the answers.

    Compares names as `locations --check` does, looks for nodes in the locations that the map names,
    and at policy profiles: URL, request types, local policy, and which locations have them. Exit status 1 if something
    is wrong.
    """
    from ..commands.pexip_manager import ManagerOptions, preflight

    with told(NOT_ASKED):
        asked = ManagerOptions(manager, user, password_file, ca, timeout, allow_http, as_json=form == "json")
        sys.exit(preflight(asked, folder, _names(context, location), profile))


@pexip.command(epilog="Example: location-policy pexip calls --manager https://pexip --user me")
@_manager
@_user
@of.folder
@of.repo
@of.rev
@of.password_file()
@of.ca()
@of.option("since", "TIME", "1d, 12h, or a time such as 2026-11-29T04:00:00Z.", type=SINCE, default="1d")
@of.option("log", "FILE", "A decision log, for ms-subnet; once for each.", multiple=True, type=PATH)
@of.form("text or json.")
@of.rare_option("timeout", "SECONDS", "For all pages.", type=Decimal(0.1), default=CALLS_SECONDS)
@of.allow_http
@of.help_all
@click.pass_context
def calls(
    context: click.Context,
    manager: str,
    user: str,
    folder: Path,
    repo: Path | None,
    rev: str | None,
    password_file: Path | None,
    ca: Path | None,
    since: datetime,
    log: tuple[Path, ...],
    form: str,
    timeout: float,
    allow_http: bool,
) -> None:
    """Say of finished calls whether their answer was obeyed.

    Compares Pexip's record with what a map says. Exit status 1 if not all were.
    """
    from ..commands.pexip_manager import ManagerOptions, calls
    from ..terminal.remote import refuse_urls

    with told(NOT_ASKED):
        repo = of.asked_repository(context, repo)
        refuse_urls("pexip calls", folder, repo)
        asked = ManagerOptions(manager, user, password_file, ca, timeout, allow_http, as_json=form == "json")
        sys.exit(calls(asked, folder, repo, rev, since, log))


def _names(context: click.Context, typed: Sequence[str]) -> Sequence[str]:
    """The locations that are meant; in the environment commas part them, since many have a space."""
    if of.is_set(context, "location"):
        return [name.strip() for name in os.environ[variable("location")].split(",") if name.strip()]
    return typed
