"""`location-policy export`: the map in the form of another program."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..commit_text import SHORT
from ..errors import InvalidConfiguration
from ..local_policy import LIMIT, Script, local_policy
from .check import load
from .options import Folder, Repo, Rev, asked_repository, option
from .rim import NO, NOT_ASKED, tell, told

app = typer.Typer(
    help="Print the map in the form of another program.",
    epilog="Example: location-policy export local-policy . > script.jinja2",
    no_args_is_help=True,
)


@app.callback()
def _options() -> None:
    """A command of its own, though there is but one below it."""


@app.command("local-policy", epilog="Example: location-policy export local-policy . > script.jinja2")
def export_local_policy(
    context: typer.Context,
    folder: Folder = Path(),
    repo: Repo = None,
    rev: Rev = None,
    partial: Annotated[bool, option("partial", None, "Print what fits where not all does.")] = False,
) -> None:
    """Print the map as a media location script of Pexip's local policy.

    It has at most 49,152 characters. Where not all fits, the shortest prefixes are left out: their
    addresses then get no opinion. Exit status 1, and no script, unless --partial is given.
    """
    with told(NOT_ASKED):
        raise typer.Exit(_print(folder, asked_repository(context, repo), rev, partial=partial))


def _print(folder: Path, repository: Path | None, revision: str | None, *, partial: bool) -> int:
    try:
        location_map, commit = load(folder, repository, revision)
    except InvalidConfiguration as error:
        tell(error)
        return NOT_ASKED
    script = local_policy(location_map, commit.id[:SHORT] if commit else None)
    is_printed = script.is_whole or partial
    if is_printed:
        print(script.text, end="", flush=True)
    for line in _size(script):
        print(line, file=sys.stderr)
    if is_printed:
        return 0
    print("  hint: --partial prints what fits; other addresses get no opinion then", file=sys.stderr)
    return NO


def _size(script: Script) -> list[str]:
    characters = f"{len(script.text):,} of {LIMIT:,} characters"
    if script.is_whole:
        return [f"all {script.rows.whole:,} subnets, in {characters}"]
    lines = [f"not all fits: {script.rows.of('subnet')}, in {characters}"]
    if script.addresses.whole:
        lines.append(f"  {script.addresses.of('IPv4 address', 'IPv4 addresses')}")
    if script.slash64s.whole:
        lines.append(f"  {script.slash64s.of('IPv6 /64')}")
    return lines
