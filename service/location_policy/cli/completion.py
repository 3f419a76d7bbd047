"""`location-policy completion`: the script with which a shell completes what is typed."""

from __future__ import annotations

import os

import typer

VARIABLE = "_LOCATION_POLICY_COMPLETE"
"""With this set the program completes instead of running (typer, "CLI Option autocompletion")."""
_OPTIONS = ("install_completion", "show_completion")


def is_completing() -> bool:
    """Was the program called by a shell's completion? Then nothing else is printed."""
    return VARIABLE in os.environ


def command_of(app: typer.Typer) -> typer.core.TyperGroup:
    """The command line without the options by which typer writes into the files of a shell that it has guessed."""
    command = typer.main.get_command(app)
    command.params = [parameter for parameter in command.params if parameter.name not in _OPTIONS]
    assert isinstance(command, typer.core.TyperGroup)  # it has more than one command
    return command


def print_script(app: typer.Typer, shell: str) -> None:
    """Print the script for this shell and exit."""
    os.environ[VARIABLE] = f"source_{shell}"
    app(args=[], prog_name="location-policy")
