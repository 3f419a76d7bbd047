"""Writes the pages of docs/reference that say what the program says of itself: `make docs`.

    python docs/generate.py FOLDER

`commands.md` is its help; `problems.md`, `states.md` and `service.md` are made by reference_pages.py.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from docs import reference_pages
from location_policy.cli.environment import variable

HEAD = """# Commands

What `location-policy` can be asked, each command with all its options. Made by `make docs` from what the program says of
itself.

Results go to standard output, the rest to standard error. Every option but `--help` and `--help-all` can be given by a
variable of the environment too; what is typed goes before it.

| exit status | meaning |
|---|---|
| 0 | yes |
| 1 | the answer is no: rejected, not valid, no match |
| 2 | it could not be asked: wrong usage, no such folder, repository or revision |
| 3 | the service could not start |

"""


def commands() -> str:
    """The whole page, commands in the order of the help."""
    text = _help()
    listed = "".join(f"- [`{name}`](#location-policy-{name}): {_first_line(name)}\n" for name in _commands(text))
    return HEAD + listed + "".join(map(_section, _commands(text)))


def _commands(text: str) -> list[str]:
    return re.findall(r"^  ([a-z-]+)  ", text.partition("Commands:\n")[2], re.MULTILINE)


def _first_line(command: str) -> str:
    """The sentence that its help begins with."""
    return _help(command).split("\n\n")[1].strip().replace("\n  ", " ")


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


PAGES = {
    "commands.md": commands,
    "problems.md": reference_pages.problems,
    "states.md": reference_pages.states,
    "service.md": reference_pages.service,
}
"""What writes each file."""

if __name__ == "__main__":
    for name, page in PAGES.items():
        (Path(sys.argv[1]) / name).write_text(page())
