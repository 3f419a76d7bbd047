"""The command line: what can be typed, and its help."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from .. import __version__
from ..settings import foreign_variables, unknown_variables
from .asking import blame, check, diff, history, lookup
from .completion import command_of, is_completing
from .export import app as _export
from .options import Shell
from .pexip import app as _pexip
from .serving import init, password, serve
from .unattended import comment, post_receive, pre_receive, proc_receive
from .upkeep import doctor, fmt, import_, revert


class Commands(typer.core.TyperGroup):
    """All commands; what is wrong with a value is told without the words of the library that found it."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  as typer has it
        """Run the command that is asked for."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


app = typer.Typer(
    cls=Commands,
    help="""Answers Pexip Infinity's media location requests from CSV files in git.

    Every option has a twin in the environment: --port is LOCATION_POLICY_PORT.""",
    epilog="Try it: location-policy serve --example",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def run() -> NoReturn:
    """Run the command line and exit with its status."""
    for name in foreign_variables(os.environ):
        del os.environ[name]
    for warning in [] if is_completing() else unknown_variables(os.environ):
        print(f"location-policy: warning: {warning}", file=sys.stderr)
    index = os.environ.get("GIT_INDEX_FILE")
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        del os.environ[name]  # what another git has set must not steer ours
    sys.exit(command_of(app)(prog_name="location-policy", obj=index and Path(index).absolute()))


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"location-policy {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Options of the program itself."""


app.command(epilog="Example: location-policy init /srv/git/locations.git --from ./map")(init)
app.command(epilog="Example: location-policy serve --repo /srv/git/locations.git")(serve)
app.command(epilog="Example: location-policy check .")(check)
app.command(epilog="Example: location-policy lookup 10.61.2.7 .")(lookup)
app.command("import", epilog="Example: location-policy import /opt/pexsubnet/csv/locations.csv")(import_)
app.command(epilog="Example: location-policy fmt --check .")(fmt)
app.command(epilog="Example: location-policy doctor --repo /srv/git/locations.git")(doctor)
app.command(epilog="Example: location-policy password node --htpasswd ./htpasswd")(password)
app.command(epilog="Example: location-policy diff main . --repo .")(diff)
app.command(epilog="Example: location-policy blame 10.61.2.7 --repo /srv/git/locations.git")(blame)
app.command(epilog="Example: location-policy history 10.61.2.7 --repo /srv/git/locations.git")(history)
app.command(epilog="Example: location-policy revert 4fd1fc7 --repo /srv/git/locations.git")(revert)


@app.command(epilog="Example: source <(location-policy completion bash)")
def completion(shell: Annotated[Shell, typer.Argument(help="Which shell.")]) -> None:
    """Print the script of a shell's completion.

    bash: source <(location-policy completion bash) in ~/.bashrc.
    zsh: the same in ~/.zshrc, below compinit.  fish: location-policy completion fish | source
    """
    from .completion import print_script

    print_script(app, shell.value)


app.add_typer(_export, name="export")
app.add_typer(_pexip, name="pexip")
app.command(epilog="Example: location-policy diff origin/main HEAD --format markdown >plan.md")(comment)
app.command("pre-receive", epilog="Example: git push, with the hook that `location-policy init` installs")(pre_receive)
app.command("post-receive", epilog="Example: git push, with the hooks that `location-policy init` installs")(
    post_receive
)
app.command("proc-receive", epilog="Example: git push origin HEAD:refs/for/main")(proc_receive)
