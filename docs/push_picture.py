"""Writes docs/images/push.svg, a push that is rejected and the one that corrects it, as a terminal shows them.

    python docs/push_picture.py FILE

What is typed goes into a real repository with the real hook. The file stays as it is where only ids of commits differ;
`make docs` and docs/screenshots.py call this.
"""

from __future__ import annotations

import re
import sys
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support.repositories import Clone, clone, init

WIDTH, LEFT, TOP, LINE = 940, 20, 34, 19
"""Pixels."""
WIDE = "\u00a0\u00a0"
"""Two spaces that no viewer makes one."""
COLOURS = {"$ ": "#8fd694", "error: ": "#ff9b8e", "hint: ": "#ffd479"}
"""Of a line that has this in it; others are light."""


def session(folder: Path) -> list[str]:
    """The lines of the terminal: commands after `$ `, and what git and the hook say."""
    copy = clone(init(folder / "locations.git"), folder / "map")
    rows, rules = copy.path / "locations" / "apac.csv", copy.path / "policy.toml"
    before = rows.read_text()
    copy.commit({"locations/apac.csv": f"{before}Perth,Sydney,10.61.9.0/23\n"}, "Add Perth")
    refused = _push(copy)
    rows.write_text(f"{before}Perth,Sydney,10.61.9.0/24\n")
    rules.write_text(rules.read_text().replace("known = [", 'known = ["Perth", ', 1))
    copy.git("commit", "--quiet", "--all", "--amend", "--no-edit")
    typed = ["$ vi policy.toml locations/apac.csv", "$ git commit --quiet --all --amend --no-edit && git push"]
    return ["$ git push", *refused, "", *typed, *_push(copy)]


def _push(copy: Clone) -> list[str]:
    return [line.rstrip() for line in copy.push().stderr.splitlines() if line.startswith("remote:")]


def picture(lines: list[str]) -> str:
    """The terminal as SVG, which is text: it can be read aloud, searched and compared."""
    height = TOP + LINE * len(lines) + LEFT // 2
    texts = "\n".join(
        f'<text x="{LEFT}" y="{TOP + LINE * number}" fill="{_colour(line)}">{escape(line).replace("  ", WIDE)}</text>'
        for number, line in enumerate(lines)
        if line
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
        ' role="img" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"'
        ' font-size="14">\n'
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#1e2127"/>\n{texts}\n</svg>\n'
    )


def _colour(line: str) -> str:
    return next((colour for part, colour in COLOURS.items() if part in line), "#dfe3ea")


def without_ids(text: str) -> str:
    """What is the same each time."""
    return re.sub(r"\b[0-9a-f]{10}\b", "", text)


def write(file: Path, text: str) -> None:
    """Put it there, unless it says the same."""
    if not file.exists() or without_ids(file.read_text()) != without_ids(text):
        file.write_text(text)


if __name__ == "__main__":
    with TemporaryDirectory() as made:
        write(Path(sys.argv[1]), picture(session(Path(made))))
