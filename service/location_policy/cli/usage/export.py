"""`location-policy export`: the map in the form of another program."""

from __future__ import annotations

import sys
from collections.abc import Iterator
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
    from ..commands.check import load

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
    for line in _part_lines(script) if location_map.views else ():
        print(line, file=sys.stderr)
    if is_printed:
        return 0
    print("  hint: --partial prints what fits; other addresses get no opinion then", file=sys.stderr)
    return NO


def _part_lines(script: Script) -> Iterator[str]:
    """How much of each view is in it, and of the map at the top, which comes last."""
    from ...text import count

    for part in script.parts:
        rows = part.rows.of("subnet") if part.rows.number < part.rows.whole else count(part.rows.whole, "subnet")
        what = "one answer" if part.view and not part.rows.whole else rows
        name = f"view {part.view}" if part.view else "the map at the top"
        yield f"  {name}: {what}, {count(len(part.text), 'character')}"


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
