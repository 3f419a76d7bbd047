"""What can be typed to bring a map, and to keep it and its repository in order, with its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Format, option
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
    repo: Annotated[
        str | None, option("repo", "PATH|URL", "What is served.  [default: ./data/locations.git, else this folder]")
    ] = None,
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
