"""Writes a page of the manual, man(7), for each command, from what the program says of itself: `make docs`.

click-man would leave out arguments, examples and the options of --help-all, and cut the sentence that `apropos` shows.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from location_policy import __version__
from location_policy.cli.app import app
from location_policy.cli.usage.options import RemovedOption

EXIT_STATUS = (
    ("0", "yes"),
    ("1", "the answer is no: rejected, not valid, no match"),
    ("2", "it could not be asked: wrong usage, no such folder, repository or revision"),
    ("3", "the service could not start"),
)


def pages(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    """The name of each file and its text: the command, then those below it."""
    context = click.Context(command, info_name=name, parent=parent, **command.context_settings)
    path = context.command_path.replace(" ", "-")
    yield f"{path}.1", "\n".join(_page(command, context, path)) + "\n"
    if isinstance(command, click.Group):
        for below, one in command.commands.items():
            yield from pages(one, below, context)


def _page(command: click.Command, context: click.Context, path: str) -> Iterator[str]:
    paragraphs = [re.sub(r"\s+", " ", text).strip() for text in re.split(r"\n\s*\n", command.help or "")]
    yield f'.TH {path.upper()} 1 "" "location\\-policy {__version__}" "location\\-policy"'
    yield ".SH NAME"
    yield f"{_text(path)} \\- {_text(paragraphs[0].rstrip('.'))}"
    yield ".SH SYNOPSIS"
    yield f"\\fB{_text(context.command_path)}\\fP {_text(' '.join(command.collect_usage_pieces(context)))}"
    yield ".SH DESCRIPTION"
    for number, paragraph in enumerate(paragraphs):
        yield from [".PP"] * bool(number)
        yield _text(paragraph)
    yield from _parameters("ARGUMENTS", click.Argument, command, context)
    yield from _parameters("OPTIONS", click.Option, command, context)
    if isinstance(command, click.Group):
        yield ".SH COMMANDS"
        for name, one in command.commands.items():
            yield ".TP"
            yield f"\\fB{_text(f'{path}-{name}')}\\fP(1)"
            yield _text(one.get_short_help_str(200))
    yield ".SH EXIT STATUS"
    for status, meaning in EXIT_STATUS:
        yield from (".TP", status, meaning)
    if command.epilog:
        yield ".SH EXAMPLE"
        yield _text(command.epilog.partition(": ")[2])
    if context.parent:
        yield ".SH SEE ALSO"
        yield "\\fBlocation\\-policy\\fP(1), \\fBgit\\fP(1)"


def _parameters(
    title: str, kind: type[click.Parameter], command: click.Command, context: click.Context
) -> Iterator[str]:
    own = [one for one in command.get_params(context) if isinstance(one, kind) and not isinstance(one, RemovedOption)]
    if own:
        yield f".SH {title}"
    for one in own:
        if isinstance(one, click.Option):
            one.hidden = False  # those that only --help-all shows belong here too
        name, text = one.get_help_record(context) or ("", "")
        yield ".TP"
        yield f"\\fB{_text(name)}\\fP"
        yield _text(re.sub(r"\s+", " ", text))
        if one.envvar:
            yield f"Environment: {_text(str(one.envvar))}."


def _text(text: str) -> str:
    """A line as man(7) takes it."""
    line = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{line}" if line.startswith((".", "'")) else line


def main(folder: Path) -> None:
    """Write all pages, and take away those of commands that are no more."""
    written = dict(pages(app, "location-policy"))
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.1"):
        if path.name not in written:
            path.unlink()
    for name, text in written.items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
