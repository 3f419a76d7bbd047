"""Commands, arguments, options and their types as click has them, with our layout of help and sentences."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import click

from ...text import parse_duration, quote

LONGEST_NAME = 64
"""Characters."""


class Command(click.Command):
    """A command whose help shows its arguments under a title of one word."""

    def format_arguments(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what every argument is."""
        arguments = [one.get_help_record(ctx) for one in self.params if isinstance(one, Argument)]
        if arguments:
            with formatter.section("Arguments"):
                formatter.write_dl(arguments)


class Commands(click.Group):
    """Several commands, shown in the order in which they were added."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  as click has it
        """Their names."""
        return list(self.commands)


Commands.group_class = Commands


class Argument(click.Argument):
    """An argument that is shown by its name: `{name}` where it is required, `[name]` where it may be left out."""

    def make_metavar(self, ctx: click.Context) -> str:  # noqa: ARG002  as click has it
        """The argument in the line of usage."""
        name = f"{{{self.name}}}" if self.required else f"[{self.name}]"
        return name if self.nargs == 1 else f"{name}..."

    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:  # noqa: ARG002  as above
        """The argument with its type, and what it is."""
        name = self.name if self.nargs == 1 else f"{self.name}..."
        return f"{name} <{type_name(self.type)}>", self.help or ""

    def get_error_hint(self, ctx: click.Context | None) -> str:  # noqa: ARG002  as above
        """The argument in a sentence about what is wrong with it."""
        return f"'{self.name}'"


def type_name(of: click.ParamType[Any]) -> str:
    """A type as help names it."""
    if isinstance(of, click.Choice):
        return "|".join(map(str, of.choices))
    return {"text": "str"}.get(of.name, of.name)


class PathType(click.ParamType[Path]):
    """A path; shells complete it by themselves."""

    name = "path"
    envvar_list_splitter = os.pathsep

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ANN401, ARG002  as click has it
        """The path that is typed."""
        return Path(value)


class AskedParameter(click.ParamType[tuple[str, str]]):
    """A parameter of a request that a view can ask for, and its value; a name in the spelling of `parameter_name`."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:  # noqa: ANN401  as above
        """The two that are typed."""
        from ...config.policy_toml import parameter_name
        from ...config.views.view import DIRECTIONS, PARAMETERS
        from ...lookup.query_string import clean

        name, equals, text = str(value).partition("=")
        if not equals or parameter_name(name) not in map(parameter_name, PARAMETERS):
            self.fail(f"{value!r} is none of {', '.join(f'{one}=…' for one in PARAMETERS)}", param, ctx)
        asked = parameter_name(name), clean(text)
        if asked[0] == parameter_name("call_direction") and asked[1] and asked[1].lower() not in DIRECTIONS:
            self.fail(f"{asked[1]!r} is no call_direction: {', '.join(DIRECTIONS)}", param, ctx)
        return asked


class Boolean(click.types.BoolParamType):
    """What a variable says of an option that takes no value."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool:  # noqa: ANN401  as above
        """Yes or no."""
        meant = self.str_to_bool(value)
        if meant is None:
            self.fail("Input should be a valid boolean, unable to interpret input", param, ctx)
        return meant


class Integer(click.IntRange):
    """A whole number in a range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401  as above
        """The number that is typed."""
        try:
            number = int(value)
        except ValueError:
            self.fail("Input should be a valid integer, unable to parse string as an integer", param, ctx)
        for wrong in _outside(number, self.min, self.max):
            self.fail(wrong, param, ctx)
        return number


class Decimal(click.FloatRange):
    """A number in a range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401  as above
        """The number that is typed."""
        try:
            number = float(value)
        except ValueError:
            self.fail("Input should be a valid number, unable to parse string as a number", param, ctx)
        for wrong in _outside(number, self.min, self.max):
            self.fail(wrong, param, ctx)
        return number


def _outside(number: float, low: float | None, high: float | None) -> Iterator[str]:
    """What is wrong with a number; `nan` is in no range."""
    if low is not None and not number >= low:
        yield f"Input should be greater than or equal to {low}"
    if high is not None and not number <= high:
        yield f"Input should be less than or equal to {high}"


class Duration(click.ParamType[timedelta]):
    """A duration, such as 2h."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:  # noqa: ANN401  as above
        """The duration that is typed."""
        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Since(click.ParamType[datetime]):
    """A moment of the past, such as 7d, the beginning of a day (UTC), or a time with its zone (RFC 3339)."""

    name = "since"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401  as above
        """The moment that is typed; none before 1970."""
        present = datetime.now(UTC)
        try:
            moment = present - parse_duration(value)
        except (ValueError, OverflowError):
            try:
                moment = _moment(value.strip())
            except (ValueError, OverflowError):
                self.fail(f"{quote(value)} is neither so long ago nor a day: write 7d, 12h or 2026-11-01", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"{quote(value)} names no time zone: write {value.strip()}Z for UTC", param, ctx)
        if moment > present:
            self.fail(f"{quote(value)} is in the future: it is {present.date()} (UTC)", param, ctx)
        return max(moment, datetime.fromtimestamp(0, UTC))


def _moment(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        return datetime.fromisoformat(text)


class Name(click.ParamType[str]):
    """What something is called, in a header of HTTP too."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401  as above
        """The name that is typed."""
        if value and not (value.isascii() and value.isprintable() and value.strip() and len(value) <= LONGEST_NAME):
            self.fail(f"Input should be at most {LONGEST_NAME} printable characters of ASCII", param, ctx)
        return str(value).strip()


ASKED_PARAMETER = AskedParameter()
PATH = PathType()
NAME = Name()
DURATION = Duration()
SINCE = Since()
BOOLEAN = Boolean()
