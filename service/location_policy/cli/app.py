"""The command line: what can be typed, and its help."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from .. import __version__
from ..text import escape
from .environment import COMPLETION, foreign_variables, logs_json, unknown_variables
from .usage.ci import comment, post_receive, pre_receive, proc_receive
from .usage.export import export
from .usage.maintain import accept_history, doctor, fmt, import_, pin, revert, sync, unpin, wait
from .usage.options import argument, long_options
from .usage.parameters import Commands
from .usage.pexip import pexip
from .usage.query import blame, calls, check, diff, history, lookup
from .usage.serve import init, password, serve

INTERRUPTED = 130
"""The exit status of what ctrl-C has ended, as shells count it."""


def run() -> NoReturn:
    """Run the command line and exit with its status."""
    for name in foreign_variables(os.environ):
        del os.environ[name]
    if os.environ.get(COMPLETION):
        from .completion import complete

        sys.exit(complete(app))
    if logs_json(sys.argv[1:], os.environ):
        from ..runtime.log_format import log_to_stderr

        log_to_stderr("json")
    for warning in unknown_variables(os.environ, lambda: long_options(app)):
        print(f"location-policy: warning: {warning}", file=sys.stderr)
    index = os.environ.get("GIT_INDEX_FILE")
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        del os.environ[name]  # what another git has set must not steer ours
    sys.exit(_status(index and Path(index).absolute()))


def _status(index: Path | str | None) -> int:
    try:
        return app.main(prog_name="location-policy", standalone_mode=False, obj=index) or 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.UsageError as error:
        _tell(error)
        return error.exit_code
    except click.Abort as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            return INTERRUPTED
        print("Aborted!", file=sys.stderr)
        return 1


def _tell(error: click.UsageError) -> None:
    """Say what is wrong with the usage, below the usage and where its help is."""
    if error.ctx is not None:
        print(f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} -h' for help.\n", file=sys.stderr)
    print(f"Error: {_sentence(error)}", file=sys.stderr)


def _sentence(error: click.UsageError) -> str:
    match error:
        case click.NoSuchOption(option_name=name, possibilities=near):
            meant = f" (Possible options: {', '.join(sorted(near))})" if near else ""
            return f"No such option: {escape(name)}{meant}"
        case click.exceptions.NoSuchCommand(command_name=name, possibilities=near):
            return f"No such command {name!r}." + (f" Did you mean {', '.join(map(repr, near))}?" if near else "")
    return error.format_message()


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        print(f"location-policy {__version__}")
        context.exit()


@click.group(
    cls=Commands,
    help="""Answers Pexip Infinity's media location requests from CSV files in git.

    Every option has a twin in the environment: --port is LOCATION_POLICY_PORT.""",
    epilog="Try it: location-policy serve --example",
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "show_default": True,
    },
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
def app() -> None:
    """The program itself."""


app.command(epilog="Example: location-policy init /srv/git/locations.git --from ./map")(init)
app.command(epilog="Example: location-policy serve --repo /srv/git/locations.git")(serve)
app.command(epilog="Example: location-policy check .")(check)
app.command(epilog="Example: location-policy lookup 10.61.2.7 .")(lookup)
app.command("import", epilog="Example: location-policy import /opt/pexsubnet/csv/locations.csv")(import_)
app.command(epilog="Example: location-policy fmt --check .")(fmt)
app.command(epilog="Example: location-policy doctor --repo /srv/git/locations.git")(doctor)
app.command(epilog="Example: location-policy accept-history --repo /srv/git/locations.git")(accept_history)
app.command(epilog="Example: location-policy sync --repo /srv/git/locations.git")(sync)
app.command(epilog="Example: location-policy wait 4fd1fc7 --url https://policy.example.com")(wait)
app.command(epilog="Example: location-policy password node --htpasswd ./htpasswd")(password)
app.command(epilog="Example: location-policy diff main . --repo .")(diff)
app.command(epilog="Example: location-policy calls --since 30d --repo /srv/git/locations.git")(calls)
app.command(epilog="Example: location-policy blame 10.61.2.7 --repo /srv/git/locations.git")(blame)
app.command(epilog="Example: location-policy history 10.61.2.7 --repo /srv/git/locations.git")(history)
app.command(epilog="Example: location-policy revert 4fd1fc7 --repo /srv/git/locations.git")(revert)
app.command(epilog='Example: location-policy pin main~1 --for 2h --reason "APAC is down"')(pin)
app.command(epilog="Example: location-policy unpin --repo /srv/git/locations.git")(unpin)


@app.command(epilog="Example: source <(location-policy completion bash)")
@argument("shell", "Which shell.", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print the script of a shell's completion.

    bash: source <(location-policy completion bash) in ~/.bashrc.
    zsh: the same in ~/.zshrc, below compinit.  fish: location-policy completion fish | source
    """
    from .completion import print_script

    print_script(app, shell)


app.command(epilog="Example: location-policy diff origin/main HEAD --format markdown >plan.md")(comment)
app.command("pre-receive", epilog="Example: git push, with the hook that `location-policy init` installs")(pre_receive)
app.command("post-receive", epilog="Example: git push, with the hooks that `location-policy init` installs")(
    post_receive
)
app.command("proc-receive", epilog="Example: git push origin HEAD:refs/for/main")(proc_receive)
app.add_command(export)
app.add_command(pexip)
