"""How Sphinx makes a site of README.md and docs/: `make site`. It reads the files where they are, and needs no change to them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

project = "location-policy"
author = project
project_copyright = ""
root_doc = "docs/index"
include_patterns = ["*.md", "docs/*.md", "docs/**/*.md", "config-repo/README.md"]
extensions = ["myst_parser"]
myst_heading_anchors = 4
nitpicky = True
suppress_warnings = [
    "misc.highlighting_failure",  # what is shown is what is printed, not always the language in full
]

html_theme = "furo"
html_title = project
html_extra_path = ["extra"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_theme_options: dict[str, list[str]] = {"top_of_page_buttons": []}

SECTION = re.compile(r"^## ([^:\n]+).*?\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
PAGE = re.compile(r"^- \[.+?\]\((\S+?)\.md\)", re.MULTILINE)

BESIDE = """```{toctree}
:hidden:
:caption: The project

../README
../CHANGELOG
../CONTRIBUTING
../SECURITY
../config-repo/README
```
"""
"""The pages outside of docs/; the last is in each new configuration repository."""


def shelves(index: str) -> str:
    """The contents beside each page: a caption for each section of the index, below it the pages that it lists."""
    trees = "".join(
        f"```{{toctree}}\n:hidden:\n:caption: {title}\n\n{pages}\n```\n\n"
        for title, text in SECTION.findall(index)
        if (pages := "\n".join(dict.fromkeys(PAGE.findall(text))))
    )
    return f"{index}\n\n{trees}{BESIDE}"


def setup(app: Any) -> None:  # noqa: ANN401  sphinx is not installed where this is checked
    """Add the contents to the index as it is read."""

    def read(_app: object, name: str, source: list[str]) -> None:
        if name == root_doc:
            source[0] = shelves(source[0])

    app.connect("source-read", read)
