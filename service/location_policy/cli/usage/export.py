"""`location-policy export`: the map in the form of another program."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..terminal.exit_status import NO, NOT_ASKED, tell, told
from . import options as of
from .parameters import Commands

if TYPE_CHECKING:
    from ...integrations.pexip.local_policy import Script


@click.group(cls=Commands, epilog="Example: location-policy export local-policy . > script.jinja2")
def export() -> None:
    """Print the map in the form of another program."""


@export.command("local-policy", epilog="Example: location-policy export local-policy . > script.jinja2")
@of.folder
@of.repo
@of.rev
@of.option("partial", None, "Print what fits where not all does.")
@click.pass_context
def export_local_policy(
    context: click.Context, folder: Path, repo: Path | None, rev: str | None, partial: bool
) -> None:
    """Print the map as a media location script of Pexip's local policy.

    It has at most 49,152 characters. Where not all fits, the shortest prefixes are left out: their
    addresses then get no opinion. Exit status 1, and no script, unless --partial is given.
    """
    with told(NOT_ASKED):
        sys.exit(_print(folder, of.asked_repository(context, repo), rev, partial=partial))


def _print(folder: Path, repository: Path | None, revision: str | None, *, partial: bool) -> int:
    from ...errors import InvalidConfiguration
    from ...history.commit_text import SHORT
    from ...integrations.pexip.local_policy import local_policy
    from ...text import count
    from ..commands.check import load

    try:
        location_map, commit = load(folder, repository, revision)
    except InvalidConfiguration as error:
        tell(error)
        return NOT_ASKED
    script = local_policy(location_map, commit.id[:SHORT] if commit else None)
    is_printed = (script.is_whole and not location_map.views) or partial
    if is_printed:
        print(script.text, end="", flush=True)
    for line in _size(script):
        print(line, file=sys.stderr)
    if location_map.views:
        missing = count(len(location_map.views), "view")
        print(f"  without its {missing}: their calls are answered by the map at the top there", file=sys.stderr)
    if is_printed:
        return 0
    others = "" if script.is_whole else "; other addresses get no opinion then"
    print(f"  hint: --partial prints what {'there is' if script.is_whole else 'fits'}{others}", file=sys.stderr)
    return NO


def _size(script: Script) -> list[str]:
    from ...integrations.pexip.local_policy import LIMIT

    characters = f"{len(script.text):,} of {LIMIT:,} characters"
    if script.is_whole:
        return [f"all {script.rows.whole:,} subnets, in {characters}"]
    lines = [f"not all fits: {script.rows.of('subnet')}, in {characters}"]
    if script.addresses.whole:
        lines.append(f"  {script.addresses.of('IPv4 address', 'IPv4 addresses')}")
    if script.slash64s.whole:
        lines.append(f"  {script.slash64s.of('IPv6 /64')}")
    return lines
