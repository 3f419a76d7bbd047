"""`location-policy completion`: the script with which a shell completes what is typed, and what the script asks."""

from __future__ import annotations

import os
import sys

import click
from click.shell_completion import BashComplete, CompletionItem, ShellComplete, split_arg_string

from .environment import COMPLETION

TYPED = "_TYPER_COMPLETE_ARGS"
"""Where zsh and fish say what is typed; the scripts that shells have read already know it by this name."""
ACTION = "_TYPER_COMPLETE_FISH_ACTION"
"""What fish asks: what there is to offer, or whether there is anything."""


class _Bash(BashComplete):
    source_template = """
%(complete_func)s() {
    local IFS=$'\n'
    COMPREPLY=( $( env COMP_WORDS="${COMP_WORDS[*]}" \\
                   COMP_CWORD=$COMP_CWORD \\
                   %(complete_var)s=complete_bash $1 ) )
    return 0
}

complete -o default -F %(complete_func)s %(prog_name)s
"""

    def format_completion(self, item: CompletionItem[str]) -> str:
        return item.value


class _Line(ShellComplete):
    """A shell that hands over the line up to the cursor."""

    def get_completion_args(self) -> tuple[list[str], str]:
        typed = os.environ.get(TYPED, "")
        words = split_arg_string(typed)[1:]
        return (words[:-1], words[-1]) if words and not typed.endswith(" ") else (words, "")


class _Zsh(_Line):
    name = "zsh"
    source_template = """
#compdef %(prog_name)s

%(complete_func)s() {
  eval $(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" %(complete_var)s=complete_zsh %(prog_name)s)
}

compdef %(complete_func)s %(prog_name)s
"""

    def format_completion(self, item: CompletionItem[str]) -> str:
        return ":".join(f'"{_escaped(text)}"' for text in (item.value, item.help) if text)

    def complete(self) -> str:
        offered = super().complete()
        return f"_arguments '*: :(({offered}))'" if offered else "_files"


def _escaped(text: str) -> str:
    """Text between double quotes, between single ones, in what zsh evaluates."""
    for special, written in (('"', '""'), ("'", "''"), ("$", "\\$"), ("`", "\\`"), (":", r"\\:")):
        text = text.replace(special, written)
    return text


class _Fish(_Line):
    name = "fish"
    source_template = (
        'complete --command %(prog_name)s --no-files --arguments "(env %(complete_var)s=complete_fish'
        ' _TYPER_COMPLETE_FISH_ACTION=get-args _TYPER_COMPLETE_ARGS=(commandline -cp) %(prog_name)s)" --condition'
        ' "env %(complete_var)s=complete_fish _TYPER_COMPLETE_FISH_ACTION=is-args'
        ' _TYPER_COMPLETE_ARGS=(commandline -cp) %(prog_name)s"'
    )

    def format_completion(self, item: CompletionItem[str]) -> str:
        return "\t".join(" ".join(text.split("\n")) for text in (item.value, item.help) if text)

    def complete(self) -> str:
        offered = super().complete()
        if os.environ.get(ACTION) == "is-args":
            sys.exit(0 if offered else 1)  # with nothing to offer, fish completes files
        return offered


SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


def complete(command: click.Command) -> int:
    """Do what the script of a shell asks for; the exit status."""
    action, _, shell = os.environ[COMPLETION].partition("_")
    if shell not in SHELLS or action not in ("source", "complete"):
        print(f"location-policy: {COMPLETION} is not understood", file=sys.stderr)
        return 1
    if action == "source":
        print_script(command, shell)
    else:
        print(_of(command, shell).complete())
    return 0


def print_script(command: click.Command, shell: str) -> None:
    """Print the script for this shell."""
    print(_of(command, shell).source())


def _of(command: click.Command, shell: str) -> ShellComplete:
    return SHELLS[shell](command, {}, "location-policy", COMPLETION)
