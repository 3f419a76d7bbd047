"""Prints docs/reference/commands.md from what the program says of itself: `make docs`."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from location_policy.cli.environment import variable

HEAD = """# Commands

What `location-policy` can be asked. Made by `make docs` from what the program says of itself.

Results go to standard output, the rest to standard error. Every option but `--help` and `--help-all` can be given by a
variable of the environment too; what is typed goes before it.

| exit status | meaning |
|---|---|
| 0 | yes |
| 1 | the answer is no: refused, not valid, no match |
| 2 | it could not be asked: wrong usage, no such folder, repository or revision |
| 3 | the service could not start |
"""


def document() -> str:
    """The whole page, commands in the order of the help."""
    return HEAD + "".join(map(_section, _commands(_help())))


def _commands(text: str) -> list[str]:
    return re.findall(r"^  ([a-z-]+)  ", text.partition("Commands:\n")[2], re.MULTILINE)


def _section(command: str) -> str:
    text = _help(command)
    below = "".join(_section(f"{command} {name}") for name in _commands(text))
    if "--help-all" in text:
        text = _help(command, "--help-all")
    options = [
        name for name in re.findall(r"^  (?:-[a-z], )?--([a-z-]+)", text, re.MULTILINE) if not name.startswith("help")
    ]
    environment = f"\nEnvironment: {', '.join(f'`{variable(name)}`' for name in options)}\n" if options else ""
    return f"\n## `location-policy {command}`\n\n```text\n{text}\n```\n{environment}{below}"


def _help(command: str = "", option: str = "--help") -> str:
    program = [sys.executable, "-m", "location_policy", *command.split(), option]
    environment = {**os.environ, "COLUMNS": "100"}
    return subprocess.run(program, env=environment, capture_output=True, check=True, text=True).stdout.strip("\n")


if __name__ == "__main__":
    sys.stdout.write(document())
