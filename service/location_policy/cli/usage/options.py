"""How options are written down, and the help of a command that has more of them than a screen has lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial, wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from ..environment import variable
from .parameters import BOOLEAN, PATH, Argument

Declared = TypeVar("Declared", bound=Callable[..., object])

FORM = click.Choice(("text", "json"))
"""How a result, or the log, is printed."""
CALLS_FORM = click.Choice(("text", "json", "csv"))
DIFF_FORM = click.Choice(("text", "markdown", "json"))
"""How a change is printed."""
CHECK_FORM = click.Choice(("text", "json", "github", "gitlab", "sarif"))
"""How problems are printed."""
SCOPE = click.Choice(("off", "tip", "all"))
"""Which commits must be signed."""

_RANGE = re.compile(r"(?P<old>.*?)(?P<dots>\.{2,3})(?P<new>[^.].*|)")


def option(
    name: str,
    metavar: str | None,
    text: str,
    short: str = "",
    to: str = "",
    **more: Any,  # noqa: ANN401  as click.option has it
) -> Callable[[Declared], Declared]:
    """An option and its twin in the environment; without `metavar` it takes no value.

    `to` is the parameter that gets it, where that has another name; `more` as click.option takes it.
    """
    names = [f"-{short}"] * bool(short) + [f"--{name}"] + [to] * bool(to)
    if metavar is None:
        more = {"is_flag": True, "type": BOOLEAN} | more
    return click.option(*names, envvar=variable(name.partition("/")[0]), metavar=metavar, help=text, **more)


def rare_option(name: str, metavar: str | None, text: str, **more: Any) -> Callable[[Declared], Declared]:  # noqa: ANN401  as above
    """An option that few need: `--help` passes it over, so that it fits a screen, and `--help-all` has it."""
    return option(name, metavar, text, hidden=True, **more)


class RemovedOption(click.Option):
    """An option that is known so that it can be refused."""


def removed_option(name: str, metavar: str, instead: str) -> Callable[[Declared], Declared]:
    """An option that was taken out: no help has it, and if it is given the program says what to do instead."""

    def refuse(context: click.Context, parameter: click.Parameter, value: object) -> None:
        if value is not None:
            is_typed = context.get_parameter_source(parameter.name) == click.core.ParameterSource.COMMANDLINE
            raise click.UsageError(f"{f'--{name}' if is_typed else variable(name)} is no more: {instead}", context)

    return option(name, metavar, "", cls=RemovedOption, hidden=True, expose_value=False, is_eager=True, callback=refuse)


def argument(
    name: str,
    text: str,
    *,
    default: object = ...,
    nargs: int = 1,
    shows_default: bool = True,
    **more: Any,  # noqa: ANN401  as click.argument has it
) -> Callable[[Declared], Declared]:
    """An argument, required where it has no default; `more` as click.argument takes it."""
    is_required = default is ...
    ending = "  [required]" if is_required else f"  [default: {default}]" if default is not None else ""
    if not is_required:
        more["default"] = default
    text += ending if shows_default else ""
    return click.argument(name, cls=Argument, help=text, required=is_required, nargs=nargs, **more)


def _show_all(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    for parameter in context.command.params:
        if isinstance(parameter, click.Option) and not isinstance(parameter, RemovedOption):
            parameter.hidden = False
    print(context.get_help())
    context.exit()


help_all = click.option(
    "--help-all",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_all,
    help="Show every option and exit.",
)


def _without_password(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """What is typed, unless it is a URL with a password in it."""
    if value and "://" in value and is_typed(context, parameter.name or ""):
        from ..service.remote_secrets import refuse_typed_password
        from ..terminal.exit_status import NOT_ASKED, told

        takes_file = any(one.name == "git_credentials" for one in context.command.params)
        with told(NOT_ASKED):
            refuse_typed_password(value, context.info_name or "", takes_file=takes_file)
    return value


folder = argument("folder", "A working copy of the configuration.", type=PATH, default=Path())
repo = option("repo", "PATH", "Read a commit of this repository instead.", type=PATH)
served = option(
    "repo", "PATH|URL", "What is served.  [default: ./data/locations.git, this folder]", callback=_without_password
)
state_dir = option("state-dir", "DIR", "That of the service.", type=PATH)
rev = option("rev", "REVISION", "Which commit.  [default: the served branch]")
password_file = partial(option, "password-file", "FILE", "A file of one line, the password.", type=PATH)
ca = partial(option, "ca", "FILE", "Whose certificates to trust, PEM.", type=PATH)
allow_http = rare_option("allow-http", None, "Send the password where anybody on the way reads it.")


def access(who: str, *, is_rare: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The options that say who asks a service over HTTP; the command gets them as one, its `access`."""

    def declare(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def called(
            *, user: str | None, password_file: Path | None, ca: Path | None, allow_http: bool, **more: object
        ) -> None:
            from ..terminal.service_access import ServiceAccess

            command(access=ServiceAccess(user, password_file, ca, allow_http), **more)

        user = option("user", "NAME", who, hidden=is_rare)
        return user(password_file(hidden=is_rare)(ca(hidden=is_rare)(allow_http(called))))

    return declare


def form(text: str, choice: click.Choice[str] = FORM) -> Callable[[Declared], Declared]:
    """The option that says how a result is printed."""
    return option("format", "FORM", text, to="form", type=choice, default="text")


def long_options(command: click.Command) -> Iterator[str]:
    """The long options of a command and of those below it that have a twin in the environment, without dashes."""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.envvar:
            yield next(name for name in parameter.opts if name.startswith("--")).removeprefix("--")
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from long_options(below)


def asked_repository(context: click.Context, repository: Path | None) -> Path | None:
    """The repository, unless a folder is typed: that one is meant, and the environment does not count."""
    typed = [name for name in ("folder", "repo") if _source(context, name) == "COMMANDLINE"]
    if len(typed) == 2:
        raise click.BadParameter("a folder and --repo exclude each other")
    return None if typed == ["folder"] else repository


def is_beside(context: click.Context, name: str, others: Sequence[str]) -> bool:
    """Is one of the others given beside this one? What is typed goes before what the environment says of the others."""
    found = {_source(context, one) for one in others}
    return "COMMANDLINE" in found or ("ENVIRONMENT" in found and _source(context, name) == "ENVIRONMENT")


def is_typed(context: click.Context, name: str) -> bool:
    """Does the value of an option come from the command line?"""
    return _source(context, name) == "COMMANDLINE"


def is_set(context: click.Context, name: str) -> bool:
    """Does the value of an option come from the environment?"""
    return _source(context, name) == "ENVIRONMENT"


def _source(context: click.Context, name: str) -> str:
    source = context.get_parameter_source(name)
    return source.name if source else ""


def one_side(_: click.Context, __: click.Parameter, text: str) -> str:
    """A revision or a folder, and no range of revisions (gitrevisions, "Specifying ranges")."""
    found = _RANGE.fullmatch(text)
    if found is None or ".." in Path(text).parts or Path(text).exists():
        return text
    old, new = found["old"] or "HEAD", found["new"] or "HEAD"
    old = f'"$(git merge-base {old} {new})"' if found["dots"] == "..." else old
    raise click.BadParameter(f"{text} is a range, and diff takes two arguments: location-policy diff {old} {new}")
