"""What can be typed to bring a map, to keep it and its repository in order, to take a change back, with its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Format, Served, option
from .rim import NOT_ASKED, told

Files = Annotated[list[Path], typer.Argument(help="What is brought, in the order in which rows are tried.")]


def import_(
    files: Files,
    into: Annotated[Path, option("into", "FOLDER", "The working copy.  [default: .]", show_default=False)] = Path(),
    sites: Annotated[Path | None, option("sites", "FILE", "Rows site,location,overflow… for an export.")] = None,
    accept_differences: Annotated[
        bool, option("accept-differences", None, "Write though answers differ, without refused lines.")
    ] = False,
    keep_answers: Annotated[
        bool, option("keep-answers", None, "Leave out rows that the old server never came to.")
    ] = False,
    overwrite: Annotated[bool, option("overwrite", None, "Replace rows that are there, and add to known.")] = False,
) -> None:
    """Bring the map of another program, and prove the move.

    FILES are CSV files of pexsubnet, or what Get-CsNetworkSubnet | Export-Csv has saved. Prints every range
    of addresses whose answer differs between the first row that matches and the longest prefix. Then, and
    where a line is refused, nothing is written and the exit status is 1.
    """
    from .bring import Asked, bring

    with told(NOT_ASKED):
        raise typer.Exit(bring(Asked(files, into, sites, accept_differences, keep_answers, overwrite)))


def fmt(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Working copies, or files of rows in one.  [default: .]", show_default=False),
    ] = None,
    check: Annotated[bool, option("check", None, "Write nothing, and say which files would change.")] = False,
) -> None:
    """Write files of rows in one form; no answer changes.

    Subnets in their shortest form, rows by address below the comment that they stand under, no space around
    cells, no empty cells, LF. A file with an error is left alone. Exit status 1 if there is one, or if --check
    finds one to change.
    """
    from .fmt import fmt

    with told(NOT_ASKED):
        raise typer.Exit(fmt(paths or [Path()], check=check))


def doctor(
    repo: Served = None,
    state_dir: Annotated[Path | None, option("state-dir", "DIR", "That of the service.")] = None,
    format_: Annotated[Format, option("format", "FORM", "text or json.")] = Format.TEXT,
) -> None:
    """Look over a repository, and say how to mend it.

    Git, hook, settings, owners, watch, state directory, and what serve would do. Changes nothing. Ask as
    the user of the service. Exit status 1 if there is something to mend.
    """
    from .doctor import doctor

    with told(NOT_ASKED):
        raise typer.Exit(doctor(repo, state_dir, format_.value))


def revert(
    commit: Annotated[str | None, typer.Argument(help="The commit to take back, and none since.")] = None,
    repo: Served = None,
    to: Annotated[str | None, option("to", "COMMIT", "Go back to this one, and take back all since.")] = None,
    dry_run: Annotated[bool, option("dry-run", None, "Only print what it would do.")] = False,
    author: Annotated[str | None, option("author", "AUTHOR", 'Who does it: "Name <address>".')] = None,
    message: Annotated[str | None, option("message", "TEXT", "Why, instead of what git says.", short="m")] = None,
    allow_large_change: Annotated[
        str | None, option("allow-large-change", "REASON", "Why it may exceed [limits].")
    ] = None,
) -> None:
    """Take back a commit of the served branch, by a new one that the gate judges.

    Run it where the bare repository is. Exit status 1 if it is refused, or later commits are in the way.
    """
    from .revert import Asked, revert

    if (commit is None) == (to is None):
        raise typer.BadParameter("name either the commit to take back, or --to the one to go back to")
    with told(NOT_ASKED):
        raise typer.Exit(revert(Asked(commit, to, author, message, allow_large_change, dry_run), repo))
