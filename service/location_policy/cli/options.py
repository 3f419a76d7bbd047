"""How options are written down, and the help of a command that has more of them than a screen has lines."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ..settings import variable


class Format(StrEnum):
    """How a result, or the log, is printed."""

    TEXT = "text"
    JSON = "json"


class DiffFormat(StrEnum):
    """How a change is printed."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


Scope = Literal["off", "tip", "all"]
"""Which commits must be signed."""


class CheckFormat(StrEnum):
    """How problems are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    GITLAB = "gitlab"
    SARIF = "sarif"


class Shell(StrEnum):
    """The shells for which there is a script."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


_RANGE = re.compile(r"(?P<old>.*?)(?P<dots>\.{2,3})(?P<new>[^.].*|)")


def option(name: str, metavar: str | None, text: str, short: str = "", **more: Any) -> Any:  # noqa: ANN401  as typer.Option has it
    """An option and its twin in the environment."""
    names = [f"-{short}"] * bool(short) + [f"--{name}"]
    return typer.Option(
        *names, envvar=variable(name.partition("/")[0]), show_envvar=False, metavar=metavar, help=text, **more
    )


def rare_option(name: str, metavar: str | None, text: str, **more: Any) -> Any:  # noqa: ANN401  as above
    """An option that few need: `--help` passes it over, so that it fits a screen, and `--help-all` has it."""
    return option(name, metavar, text, hidden=True, **more)


def _show_all(context: typer.Context, wanted: bool) -> None:
    if not wanted:
        return
    for parameter in context.command.params:
        if isinstance(parameter, typer.core.TyperOption):
            parameter.hidden = False
    print(context.get_help())
    raise typer.Exit


HelpAll = Annotated[
    bool, typer.Option("--help-all", help="Show every option and exit.", is_eager=True, callback=_show_all)
]

Folder = Annotated[Path, typer.Argument(help="A working copy of the configuration.")]
Repo = Annotated[Path | None, option("repo", "PATH", "Ask a commit of this repository instead.")]
Served = Annotated[
    str | None, option("repo", "PATH|URL", "What is served.  [default: ./data/locations.git, else this folder]")
]
Rev = Annotated[str | None, option("rev", "REVISION", "Which commit.  [default: the served branch]")]


def asked_repository(context: typer.Context, repo: Path | None) -> Path | None:
    """The repository, unless a folder is typed: that one is meant, whatever the environment says."""
    sources = {name: context.get_parameter_source(name) for name in ("folder", "repo")}
    typed = [name for name, source in sources.items() if source and source.name == "COMMANDLINE"]
    if len(typed) == 2:
        raise typer.BadParameter("a folder and --repo exclude each other")
    return None if typed == ["folder"] else repo


def is_beside(context: typer.Context, name: str, *others: str) -> bool:
    """Is one of the others given beside this one? What is typed goes before what the environment says of the others."""
    found = {source.name for one in others if (source := context.get_parameter_source(one))}
    own = context.get_parameter_source(name)
    return "COMMANDLINE" in found or ("ENVIRONMENT" in found and own is not None and own.name == "ENVIRONMENT")


def one_side(text: str) -> str:
    """A revision or a folder, and no range of revisions (gitrevisions, "Specifying ranges")."""
    found = _RANGE.fullmatch(text)
    if found is None or ".." in Path(text).parts or Path(text).exists():
        return text
    old, new = found["old"] or "HEAD", found["new"] or "HEAD"
    old = f'"$(git merge-base {old} {new})"' if found["dots"] == "..." else old
    raise typer.BadParameter(f"{text} is a range, and diff takes two arguments: location-policy diff {old} {new}")
