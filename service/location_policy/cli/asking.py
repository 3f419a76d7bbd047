"""What can be typed to ask a map, and what has become of it, with its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import CheckFormat, DiffFormat, Folder, Format, Repo, Rev, Served, asked_repository, one_side, option
from .rim import NOT_ASKED, told

Address = Annotated[str, typer.Argument(help="The caller's address, IPv4 or IPv6.")]


def check(
    context: typer.Context,
    folder: Folder = Path(),
    repo: Repo = None,
    rev: Rev = None,
    coverage: Annotated[bool, option("coverage", None, "Print how much expectations.csv covers.")] = False,
    format_: Annotated[
        CheckFormat, option("format", "FORM", "text, json, github, gitlab or sarif.")
    ] = CheckFormat.TEXT,
    staged: Annotated[bool, option("staged", None, "What is staged for the next commit, for a hook of git.")] = False,
    only_changed: Annotated[
        str | None, option("only-changed", "BASE", "First what stands in lines that differ from this revision.")
    ] = None,
) -> None:
    """Validate a working copy or a commit, as the hook does.

    Problems go to standard output, their number to standard error. Exit status 1 if there is an error.
    """
    from .check import Asked, check

    if staged and (repo or rev):
        raise typer.BadParameter("--staged excludes --repo and --rev")
    if coverage and format_ != CheckFormat.TEXT:
        raise typer.BadParameter("--coverage goes with --format text only")
    with told(NOT_ASKED):
        asked = Asked(folder, asked_repository(context, repo), rev, staged, context.obj)
        raise typer.Exit(check(asked, form=format_.value, base=only_changed, covers=coverage))


def lookup(
    context: typer.Context,
    address: Address,
    folder: Folder = Path(),
    repo: Repo = None,
    rev: Rev = None,
    protocol: Annotated[str, option("protocol", "NAME", "As a node names it.")] = "mssip",
    format_: Annotated[Format, option("format", "FORM", "json: the body that a node gets.")] = Format.TEXT,
) -> None:
    """Print the answer for an address, and the row it comes from.

    Exit status 1 if there is none.
    """
    from .lookup import lookup

    with told(NOT_ASKED):
        raise typer.Exit(lookup(address, folder, asked_repository(context, repo), rev, protocol, format_))


def diff(
    old: Annotated[str, typer.Argument(help="A revision, or a folder.", callback=one_side)],
    new: Annotated[str, typer.Argument(help="Another one.")],
    repo: Served = None,
    format_: Annotated[DiffFormat, option("format", "FORM", "text, markdown or json.")] = DiffFormat.TEXT,
    exit_code: Annotated[bool, option("exit-code", None, "Exit with 1 if an answer changes.")] = False,
) -> None:
    """Print which addresses get another answer in NEW than in OLD.

    What begins with . or / is a folder; what names no revision may be one.
    """
    from .diff import diff

    with told(NOT_ASKED):
        raise typer.Exit(diff(old, new, repo, format_.value, tells_effect=exit_code))


def blame(
    address: Address,
    repo: Served = None,
    rev: Rev = None,
    format_: Annotated[Format, option("format", "FORM", "text or json.")] = Format.TEXT,
) -> None:
    """Print the row that answers for an address, who wrote it, and the rows that it beats.

    Exit status 1 if no row covers the address.
    """
    from .blame import blame
    from .place import asked_place

    with told(NOT_ASKED):
        raise typer.Exit(blame(address, asked_place(repo).repository, rev, format_))


def history(
    address: Annotated[str | None, typer.Argument(help="Only what changed the answer for this address.")] = None,
    repo: Served = None,
    number: Annotated[
        int | None,
        option("number", "N", "Commits to look at.  [default: 20; 1000 for an address]", short="n", min=1),
    ] = None,
    state_dir: Annotated[Path | None, option("state-dir", "DIR", "That of the service.")] = None,
    format_: Annotated[Format, option("format", "FORM", "text or json.")] = Format.TEXT,
) -> None:
    """Print what the commits of the served branch changed, and when the service took or refused them.

    Exit status 1 if the answer for the address has not changed.
    """
    from .history import history, history_of
    from .place import asked_place

    with told(NOT_ASKED):
        place = asked_place(repo, state_dir)
        status = history(place, number, format_) if address is None else history_of(address, place, number, format_)
        raise typer.Exit(status)
